"""A bounded queue of what waits to be sent in the background; nobody waits for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Generic, TypeVar

import structlog

from storage.background import running
from storage.errors import RateLimited, Timeout, Unavailable

log = structlog.get_logger(component="send-queue")

FLUSH_SECONDS = 1.0
STOP_SECONDS = 1.0

ItemT = TypeVar("ItemT")


class SendQueue(Generic[ItemT]):
    """Queues items and sends them once a second, the oldest first and `at_once` at a time.

    At most `max_waiting` items wait; further ones are lost, and `on_lost` gets their number. `send`
    returns how many of its items are lost. Where it raises that they cannot be sent now, they wait,
    and the pause until the next try doubles up to `max_pause_seconds`; so it must be harmless to
    send an item again.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[Sequence[ItemT]], Awaitable[int]],
        on_lost: Callable[[int], None],
        *,
        max_waiting: int,
        at_once: int,
        max_pause_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self._name = name
        self._send = send
        self._on_lost = on_lost
        self._max_waiting = max_waiting
        self._at_once = at_once
        self._max_pause_seconds = max_pause_seconds
        self._pause_seconds = FLUSH_SECONDS
        self._waiting: deque[ItemT] = deque()

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """Sends in the background; at the end, what waits has a second to be sent."""
        async with running(self._follow(), self._name):
            yield
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self.flush()
        if self._waiting:
            log.warning("items_lost", queue=self._name, items=len(self._waiting))
            self._on_lost(len(self._waiting))

    def add(self, item: ItemT) -> None:
        """Queues an item, or loses it where too many wait."""
        if len(self._waiting) < self._max_waiting:
            self._waiting.append(item)
        else:
            self._on_lost(1)

    async def flush(self) -> bool:
        """Sends the items that wait now; returns whether none of them has to wait longer.

        Only one flush may run at a time.
        """
        left = len(self._waiting)
        while left > 0:
            items = list(islice(self._waiting, min(left, self._at_once)))
            try:
                lost = await self._send(items)
            except (Unavailable, Timeout, RateLimited, OSError) as error:
                fields = {"queue": self._name, "items": len(self._waiting)}
                log.warning("items_not_sent", **fields, reason=str(error))
                return False
            except Exception:
                # A retry would fail again, and hold up everything that comes after it.
                log.exception("items_lost", queue=self._name, items=len(items))
                lost = len(items)
            if lost:
                self._on_lost(lost)
            for _item in items:
                self._waiting.popleft()
            left -= len(items)
        return True

    async def step(self) -> float:
        """Sends what waits; returns the seconds until the next time."""
        if await self.flush():
            self._pause_seconds = FLUSH_SECONDS
        else:
            self._pause_seconds = min(2 * self._pause_seconds, self._max_pause_seconds)
        return self._pause_seconds

    async def _follow(self) -> None:
        pause_seconds = FLUSH_SECONDS
        while True:
            await asyncio.sleep(pause_seconds)
            pause_seconds = await self.step()
