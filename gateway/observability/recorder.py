"""Records what happens in the gateway as events of one project; no request waits for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import structlog

from access.viewers import Role, Viewer
from ingest.events import EventStatus, Result
from ingest.identity import uuid7
from storage.background import running
from storage.errors import RateLimited, Timeout, Unavailable

log = structlog.get_logger(component="recorder")

FLUSH_SECONDS = 1.0
STOP_SECONDS = 1.0

# Records events of the plain format.
Record = Callable[[Sequence[dict[str, Any]], Viewer], Awaitable[list[Result]]]

# The first events of an admin create their project.
_VIEWER = Viewer("gateway", frozenset({Role.ADMIN}), frozenset())


class Recorder:
    """Queues events of one type, and records them once a second.

    `common` are the fields that all of them have: their type, project and environment, and more.
    At most `max_waiting` events wait; further ones are lost, and `on_lost` gets their number.
    """

    def __init__(
        self,
        record: Record,
        clock: Callable[[], datetime],
        common: Mapping[str, Any],
        max_waiting: int,
        on_lost: Callable[[int], None],
    ) -> None:
        self._type = common["type"]
        self._record = record
        self._clock = clock
        self._common = common
        self._max_waiting = max_waiting
        self._on_lost = on_lost
        self._waiting: deque[dict[str, Any]] = deque()

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """Records in the background; at the end, what waits has a second to be recorded."""
        async with running(self._follow(), f"recorder {self._type}"):
            yield
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self.flush()
        if self._waiting:
            log.warning("events_lost", type=self._type, events=len(self._waiting))

    def add(self, fields: Mapping[str, Any]) -> None:
        """Queues an event of these fields, which occurs now."""
        if len(self._waiting) >= self._max_waiting:
            self._on_lost(1)
            return
        # The id holds the time, and makes it harmless to send the event again.
        self._waiting.append({**self._common, "id": str(uuid7(self._clock())), **fields})

    async def flush(self) -> None:
        """Records the waiting events; they wait longer while the intake cannot take them.

        Only one flush may run at a time.
        """
        events = list(self._waiting)
        if not events:
            return
        try:
            results = await self._record(events, _VIEWER)
            lost = sum(result.status is EventStatus.REJECTED for result in results)
        except (Unavailable, Timeout, RateLimited, OSError) as error:
            fields = {"type": self._type, "events": len(events)}
            log.warning("events_not_recorded", **fields, reason=str(error))
            return
        except Exception:
            # A retry would fail again, and hold up everything that comes after it.
            log.exception("events_lost", type=self._type, events=len(events))
            lost = len(events)
        if lost:
            self._on_lost(lost)
        for _event in events:
            self._waiting.popleft()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()
