"""What can go wrong with an embedded server, told in words for the person at the terminal."""


class EmbeddedServerError(Exception):
    """An embedded server cannot be found, started or stopped."""


class DataFolderInUseError(EmbeddedServerError):
    """Another gateway already runs on the data folder."""
