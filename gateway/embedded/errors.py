"""Errors of embedded servers, worded for the person at the terminal."""


class EmbeddedServerError(Exception):
    """An embedded server cannot be found, started or stopped."""


class DataFolderInUseError(EmbeddedServerError):
    """Another gateway already runs on the data folder."""
