"""Reads errors: lists, counts, searches, and what belongs to each."""
