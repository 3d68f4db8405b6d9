"""The interface through which ingest reports its counts; the edge turns them into metrics."""

from ingest.events import Code, EventStatus


class Observer:
    """Receives counts as they occur, and ignores them; overriding methods must not raise."""

    def answered(self, status: EventStatus, count: int) -> None: ...

    def rejected(self, code: Code, count: int) -> None: ...

    def batch(self, events: int, seconds: float) -> None: ...

    def retried(self, reason: str) -> None: ...
