"""Records what happens in the gateway as events of one project; no request waits for it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from access.viewers import Role, Viewer
from gateway.observability.send_queue import SendQueue
from ingest.events import EventStatus, Result
from ingest.identity import uuid7

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
        self._record = record
        self._clock = clock
        self._common = common
        self._queue = SendQueue(
            f"recorder {common['type']}",
            self._record_all,
            on_lost,
            max_waiting=max_waiting,
            at_once=max_waiting,
        )

    def recording(self) -> AbstractAsyncContextManager[None]:
        """Records in the background; at the end, what waits has a second to be recorded."""
        return self._queue.sending()

    def add(self, fields: Mapping[str, Any]) -> None:
        """Queues an event of these fields, which occurs now."""
        # The id holds the time, and makes it harmless to send the event again.
        self._queue.add({**self._common, "id": str(uuid7(self._clock())), **fields})

    async def flush(self) -> None:
        """Records the waiting events; they wait longer while the intake cannot take them."""
        await self._queue.flush()

    async def _record_all(self, events: Sequence[dict[str, Any]]) -> int:
        results = await self._record(events, _VIEWER)
        return sum(result.status is EventStatus.REJECTED for result in results)
