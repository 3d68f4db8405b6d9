"""Errors of embedded servers, worded for the person at the terminal."""


class EmbeddedServerError(Exception):
    """An embedded server cannot be found, started or stopped, or another gateway uses its data."""
