"""A lane writes the pending events of its projects, one batch after another."""

import asyncio
import random
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import asyncpg

from ingest.events import Code, EventStatus, ProjectEvent, Written
from storage.errors import Conflict, InvalidInput, Timeout, Unavailable

BATCH_EVENTS = 4_000
# A sender's events are split into chunks, so that one batch has room for several senders.
CHUNKS_PER_BATCH = 4
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0

# Errors that the values of a single event can cause.
_DATA_ERRORS = (
    InvalidInput,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    UnicodeError,
    OverflowError,
)

_RETRIED = (Unavailable, Timeout, OSError)

# Writes entries as one batch; returns the result of each.
Write = Callable[[Sequence[ProjectEvent]], Awaitable[list[Written]]]


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Entries that are written in the same batch, and the future that gets their results."""

    entries: Sequence[ProjectEvent]
    waiter: asyncio.Future[list[Written]]


class Backlog:
    """Limits the events waiting in all lanes of a process; one project may fill half of it."""

    def __init__(self, events_at_most: int, bytes_at_most: int) -> None:
        self._room_events = events_at_most
        self._room_bytes = bytes_at_most
        self._project_events_at_most = events_at_most // 2
        self._waiting: Counter[int] = Counter()

    @contextmanager
    def reserve(self, projects: Counter[int], size_bytes: int) -> Iterator[None]:
        """Reserves room for a number of events by project id; raises Unavailable if it is full."""
        events = projects.total()
        if events > self._room_events or size_bytes > self._room_bytes:
            raise Unavailable("Too many events are waiting to be stored", retry_after_seconds=1.0)
        if any(
            count + self._waiting[project] > self._project_events_at_most
            for project, count in projects.items()
        ):
            raise Unavailable(
                "Too many events of one project are waiting to be stored", retry_after_seconds=1.0
            )
        self._room_events -= events
        self._room_bytes -= size_bytes
        self._waiting.update(projects)
        try:
            yield
        finally:
            self._room_events += events
            self._room_bytes += size_bytes
            self._waiting -= projects


class Pending:
    """The chunks waiting in a lane, taken from its projects in turn.

    So a project that sends many events delays only itself. Chunks with events of several projects
    form one more queue.
    """

    def __init__(self) -> None:
        self._queues: OrderedDict[int | None, deque[_Chunk]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._queues)

    def add(self, chunk: _Chunk) -> None:
        first = chunk.entries[0].project_id
        alone = all(entry.project_id == first for entry in chunk.entries)
        self._queues.setdefault(first if alone else None, deque()).append(chunk)

    def take(self, room: int) -> list[_Chunk]:
        """Removes as many chunks as fit, one of each project before a second of any."""
        chunks: list[_Chunk] = []
        turns = deque(self._queues)
        while turns and room:
            project = turns.popleft()
            queue = self._queues[project]
            while queue and queue[0].waiter.done():  # cancelled
                queue.popleft()
            if queue and len(queue[0].entries) <= room:
                chunks.append(queue.popleft())
                room -= len(chunks[-1].entries)
                self._queues.move_to_end(project)
                turns.append(project)
            elif not queue:
                del self._queues[project]
        return chunks


class Observer:
    """Gets the counts of ingest as they occur, and ignores them; overrides must not raise."""

    def answered(self, status: EventStatus, count: int) -> None: ...

    def rejected(self, code: Code, count: int) -> None: ...

    def finished(self, fact: str, status: str, count: int) -> None: ...

    def batch(self, events: int, seconds: float) -> None: ...

    def retried(self, reason: str) -> None: ...


class Lane:
    """Writes pending entries in batches, and resolves their futures after COMMIT."""

    def __init__(self, write: Write, observer: Observer, batch_events: int = BATCH_EVENTS) -> None:
        self._write = write
        self._observer = observer
        self._batch_events = batch_events
        self._chunk_events = max(1, batch_events // CHUNKS_PER_BATCH)
        self._pending = Pending()
        self._wake = asyncio.Event()
        self._stopping = False

    def submit(self, entries: Sequence[ProjectEvent]) -> list[asyncio.Future[list[Written]]]:
        """Queues entries in chunks; returns a future for each, which may be cancelled."""
        loop = asyncio.get_running_loop()
        chunks = [
            _Chunk(entries[start : start + self._chunk_events], loop.create_future())
            for start in range(0, len(entries), self._chunk_events)
        ]
        for chunk in chunks:
            self._pending.add(chunk)
        self._wake.set()
        return [chunk.waiter for chunk in chunks]

    def stop(self) -> None:
        """Makes `run` return once all pending entries are written."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        while True:
            chunks = self._pending.take(self._batch_events)
            if chunks:
                await self._settle(chunks)
            elif self._stopping:
                return
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _settle(self, chunks: list[_Chunk]) -> None:
        """Writes chunks, again and again until it succeeds or all their futures are cancelled."""
        pause_seconds = _FIRST_PAUSE_SECONDS
        while chunks:
            try:
                await self._write_chunks(chunks)
                return
            except _RETRIED as error:
                self._observer.retried("conflict" if isinstance(error, Conflict) else "unavailable")
            except Exception as error:  # noqa: BLE001 - it is raised where the results are awaited
                for chunk in chunks:
                    if not chunk.waiter.done():
                        chunk.waiter.set_exception(error)
                return
            await asyncio.sleep(pause_seconds * random.uniform(0.5, 1.5))
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
            chunks = [chunk for chunk in chunks if not chunk.waiter.done()]

    async def _write_chunks(self, chunks: list[_Chunk]) -> None:
        entries = [entry for chunk in chunks for entry in chunk.entries]
        written = iter(await self._bisect(entries))
        for chunk in chunks:
            part = list(islice(written, len(chunk.entries)))
            if not chunk.waiter.done():
                chunk.waiter.set_result(part)

    async def _bisect(self, entries: Sequence[ProjectEvent]) -> list[Written]:
        """Writes all entries, or after a data error each half, so that one event fails alone."""
        started = time.perf_counter()
        try:
            written = await self._write(entries)
        except _DATA_ERRORS:
            if len(entries) == 1:
                return [Written.REFUSED]
            middle = len(entries) // 2
            return await self._bisect(entries[:middle]) + await self._bisect(entries[middle:])
        self._observer.batch(len(entries), time.perf_counter() - started)
        return written
