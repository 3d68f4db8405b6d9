"""Errors: what is made of an event about one before it is written."""
