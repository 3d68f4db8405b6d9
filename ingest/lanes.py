"""A lane writes what is pending, batch after batch; its projects are its own within the process."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

import asyncpg

from ingest.observer import Observer
from ingest.services import Entry
from storage.errors import Conflict, Timeout, Unavailable

BATCH_EVENTS = 1_000
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0

# What a single event can be to blame for, by the values in it.
_DATA_ERRORS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    UnicodeError,
    OverflowError,
)

_RETRIED = (Unavailable, Timeout, OSError)


class Written(Enum):
    """What became of one entry in the database."""

    NEW = "new"
    KNOWN = "known"
    REFUSED = "refused"


# Writes entries as one batch and says for each whether it was new.
Write = Callable[[Sequence[Entry]], Awaitable[list[bool]]]


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Entries that go into one batch together, and who waits for them."""

    entries: Sequence[Entry]
    waiter: asyncio.Future[list[Written]]


class Backlog:
    """How much may wait in all lanes of a process together."""

    def __init__(self, events_at_most: int, bytes_at_most: int) -> None:
        self._room_events = events_at_most
        self._room_bytes = bytes_at_most

    def take(self, events: int, size_bytes: int) -> None:
        if events > self._room_events or size_bytes > self._room_bytes:
            raise Unavailable("Too many events are waiting to be stored", retry_after_seconds=1.0)
        self._room_events -= events
        self._room_bytes -= size_bytes

    def give_back(self, events: int, size_bytes: int) -> None:
        self._room_events += events
        self._room_bytes += size_bytes


class Lane:
    """Takes whatever is pending, up to a batch; acknowledges after COMMIT."""

    def __init__(self, write: Write, observer: Observer, batch_events: int = BATCH_EVENTS) -> None:
        self._write = write
        self._observer = observer
        self._batch_events = batch_events
        self._pending: deque[_Chunk] = deque()
        self._wake = asyncio.Event()
        self._stopping = False

    def submit(self, entries: Sequence[Entry]) -> list[asyncio.Future[list[Written]]]:
        """Queue entries; a future for every batch-sized part. Cancelling one withdraws its part."""
        loop = asyncio.get_running_loop()
        chunks = [
            _Chunk(entries[start : start + self._batch_events], loop.create_future())
            for start in range(0, len(entries), self._batch_events)
        ]
        self._pending.extend(chunks)
        self._wake.set()
        return [chunk.waiter for chunk in chunks]

    def stop(self) -> None:
        """Let `run` end once everything pending is written."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        while True:
            chunks = self._take()
            if chunks:
                await self._settle(chunks)
            elif self._stopping:
                return
            else:
                self._wake.clear()
                await self._wake.wait()

    def _take(self) -> list[_Chunk]:
        chunks: list[_Chunk] = []
        room = self._batch_events
        while self._pending and len(self._pending[0].entries) <= room:
            chunk = self._pending.popleft()
            if not chunk.waiter.done():
                chunks.append(chunk)
                room -= len(chunk.entries)
        return chunks

    async def _settle(self, chunks: list[_Chunk]) -> None:
        """Write chunks until that succeeds or nobody waits for them any more."""
        pause_seconds = _FIRST_PAUSE_SECONDS
        while chunks:
            try:
                await self._write_chunks(chunks)
                return
            except _RETRIED as error:
                self._observer.retried("conflict" if isinstance(error, Conflict) else "unavailable")
            except Exception as error:  # noqa: BLE001 - a fault of ours is told to those who wait
                _fail(chunks, error)
                return
            await asyncio.sleep(pause_seconds * random.uniform(0.5, 1.5))
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
            chunks = [chunk for chunk in chunks if not chunk.waiter.done()]

    async def _write_chunks(self, chunks: list[_Chunk]) -> None:
        entries = [entry for chunk in chunks for entry in chunk.entries]
        written = iter(await self._bisect(entries))
        for chunk in chunks:
            part = [next(written) for _ in chunk.entries]
            if not chunk.waiter.done():
                chunk.waiter.set_result(part)

    async def _bisect(self, entries: Sequence[Entry]) -> list[Written]:
        """Write all; where the data is at fault, halves, so that one event never sinks others."""
        started = time.perf_counter()
        try:
            fresh = await self._write(entries)
        except _DATA_ERRORS:
            if len(entries) == 1:
                return [Written.REFUSED]
            middle = len(entries) // 2
            return await self._bisect(entries[:middle]) + await self._bisect(entries[middle:])
        self._observer.batch(len(entries), time.perf_counter() - started)
        return [Written.NEW if new else Written.KNOWN for new in fresh]


def _fail(chunks: list[_Chunk], error: Exception) -> None:
    for chunk in chunks:
        with suppress(asyncio.InvalidStateError):
            chunk.waiter.set_exception(error)
