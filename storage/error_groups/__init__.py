"""Errors: groups of occurrences, with what is counted and kept of each."""
