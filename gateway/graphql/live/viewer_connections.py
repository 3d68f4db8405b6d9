"""Limits the open connections of each viewer: WebSockets and event streams together."""

from collections import Counter

MAX_CONNECTIONS = 100  # of one viewer or service token


class ViewerConnections:
    """The open connections of a process, counted by viewer key."""

    def __init__(self) -> None:
        self._open = Counter[str]()

    def enter(self, viewer_key: str) -> bool:
        """Counts one more connection; False where the viewer has the maximum already."""
        if self._open[viewer_key] >= MAX_CONNECTIONS:
            return False
        self._open[viewer_key] += 1
        return True

    def leave(self, viewer_key: str) -> None:
        self._open[viewer_key] -= 1
        if not self._open[viewer_key]:
            del self._open[viewer_key]
