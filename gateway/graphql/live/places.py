"""How many connections a viewer may hold: WebSockets and event streams together."""

from collections import Counter

CONNECTIONS_AT_MOST = 100  # of one viewer or service token


class Places:
    """The connections of a process, by whose they are."""

    def __init__(self) -> None:
        self._taken = Counter[str]()

    def enter(self, who: str) -> bool:
        """Take a place; false where there is none left."""
        if self._taken[who] >= CONNECTIONS_AT_MOST:
            return False
        self._taken[who] += 1
        return True

    def leave(self, who: str) -> None:
        self._taken[who] -= 1
        if not self._taken[who]:
            del self._taken[who]
