"""The intake: commits the events of a request and returns a result for each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from uuid import uuid4

from access.viewers import Permission, Viewer
from ingest.assignment import ids_of
from ingest.contents import Contents
from ingest.events import (
    MAX_BODY_BYTES,
    Event,
    EventStatus,
    Note,
    ProjectEvent,
    Result,
    Written,
)
from ingest.formats.raw import Raw, Unchecked
from ingest.formats.reading import ReadRequest, check_batch_size, read_request, unpacked
from ingest.lanes import BATCH_EVENTS, Backlog, Lane, Observer
from ingest.normaliser import TimeWindow
from ingest.results import Read, ends, over_budget, result_of, unknown_name, unrecorded
from ingest.sent import Sent, default_project
from ingest.slots import WriterSlot
from ingest.writer import Writer
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.dimensions import Dimension
from storage.errors import GatewayError, RateLimited, Unavailable
from storage.facts.fact import Fact
from storage.keeping.windows import DEFAULT, Retention

BACKLOG_EVENTS = 50_000
BACKLOG_BYTES = 8 * MAX_BODY_BYTES
WAIT_SECONDS = 10.0
# Until the events of a request are read and prepared, which may have to wait for others.
READ_SECONDS = 30.0
LARGE_BYTES = 1_000_000
_LANES = 2

# Takes the number of events by project slug; returns the projects over budget, with the seconds
# to wait.
RefusedProjects = Callable[[Mapping[str, int]], Awaitable[Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The events of a request as they are written, by index; `failed` are those that cannot be."""

    read: Sequence[Read]
    entries: Mapping[int, ProjectEvent]
    failed: Collection[int]
    notes: Mapping[int, Note]


class Intake:
    """Reads, normalises and queues events, and waits for COMMIT.

    Start it before use; stopping it finishes the requests under way. `on_accepted` is called once
    for each request with the projects, by slug, and the facts, by name, that got new events. What
    `on_new` has for a fact, by name, is called with each new event of it; it must neither wait nor
    raise.
    """

    def __init__(  # noqa: PLR0913 - what the edge brings, each by name
        self,
        database: Database,
        dictionaries: Dictionaries,
        clock: Callable[[], datetime],
        *,
        retention: Retention = DEFAULT,
        batch_events: int = BATCH_EVENTS,
        wait_seconds: float = WAIT_SECONDS,
        observer: Observer | None = None,
        refused_projects: RefusedProjects | None = None,
        unrecorded_facts: Collection[Fact] = (),
        on_accepted: Callable[[Collection[tuple[str, str]]], None] | None = None,
        on_new: Mapping[str, Callable[[Event], None]] | None = None,
    ) -> None:
        self._database = database
        self._refused_projects = refused_projects
        self._on_accepted = on_accepted
        self._on_new = on_new or {}
        self._dictionaries = dictionaries
        self._clock = clock
        self._observer = observer or Observer()
        self._retention = retention
        self._wait_seconds = wait_seconds
        self._backlog = Backlog(BACKLOG_EVENTS, BACKLOG_BYTES)
        self._unrecorded_facts = unrecorded_facts
        self._large_turn = asyncio.Lock()
        self._contents = Contents(database, unrecorded_facts)
        self._writer = Writer(database, dictionaries, retention, clock)
        process = uuid4().hex
        self._slots = [
            WriterSlot(database, f"{process}:{number}", number) for number in range(_LANES)
        ]
        self._lanes = [
            Lane(partial(self._write_batch, slot), self._observer, batch_events)
            for slot in self._slots
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._accepting = False
        self._requests = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def start(self) -> None:
        for number, lane in enumerate(self._lanes):
            self._tasks.append(asyncio.create_task(lane.run(), name=f"ingest-lane-{number}"))
        self._accepting = True

    async def stop(self, timeout_seconds: float = 15.0) -> None:
        """Refuses new requests, finishes those under way and releases the writer slots."""
        self._accepting = False
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._idle.wait()
                for lane in self._lanes:
                    lane.stop()
                await asyncio.gather(*self._tasks)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for slot in self._slots:
            with suppress(GatewayError, OSError):
                await slot.release()

    async def receive(
        self,
        body: bytes,
        headers: Mapping[str, str],
        viewer: Viewer,
        read: ReadRequest = read_request,
    ) -> list[Result]:
        """Records the events of one request; by default in any format of `read_request`."""
        viewer.require(Permission.RECORD)
        async with self._request():
            body = unpacked(headers, body)
            parse = partial(read, headers, body)
            default = default_project(headers, viewer)
            return await self._store(Sent(parse, len(body), viewer, self._window(), default))

    async def record(
        self,
        events: Sequence[object],
        viewer: Viewer,
        window: TimeWindow | None = None,
        size_bytes: int = 0,
    ) -> list[Result]:
        """Records parsed events of the plain format; importers of old data give a wider window.

        `size_bytes` is the memory that they take until they are stored.
        """
        viewer.require(Permission.RECORD)
        check_batch_size(events)

        def parse() -> list[Unchecked]:
            return [Raw(event) for event in events]

        async with self._request():
            window = window or self._window()
            default = default_project({}, viewer)
            return await self._store(Sent(parse, size_bytes, viewer, window, default))

    def _window(self) -> TimeWindow:
        return TimeWindow.at(self._clock(), self._retention)

    @asynccontextmanager
    async def _request(self) -> AsyncIterator[None]:
        """A request that `stop` waits for; raises Unavailable once the intake is stopping."""
        if not self._accepting:
            raise Unavailable("The gateway is shutting down", retry_after_seconds=2.0)
        self._requests += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def _store(self, sent: Sent) -> list[Result]:
        with ExitStack() as reserved:
            prepared = await self._prepared(sent, reserved)
            written = await self._write(prepared.entries)
        written |= dict.fromkeys(prepared.failed, Written.REFUSED)
        results = [
            result_of(index, item, written.get(index), prepared.notes.get(index))
            for index, item in enumerate(prepared.read)
        ]
        self._report(prepared.read, results)
        if self._on_accepted:
            new = (result for result in results if result.status is EventStatus.ACCEPTED)
            changed = {(r.project, r.fact.name) for r in new if r.project and r.fact}
            if changed:
                self._on_accepted(changed | _told_besides(prepared.entries))
        if self._on_new:
            self._tell(prepared.read, results)
        return results

    def _tell(self, read: Sequence[Read], results: Sequence[Result]) -> None:
        for item, result in zip(read, results, strict=True):
            if isinstance(item, Event) and result.status is EventStatus.ACCEPTED:
                tell = self._on_new.get(item.fact.name)
                if tell is not None:
                    tell(item)

    async def _prepared(self, sent: Sent, reserved: ExitStack) -> _Prepared:
        """Reads and prepares the events of a request, and reserves room for those accepted.

        Of large requests one at a time is read, since its events take many times the memory of its
        body until they are prepared. Raises Unavailable if all of this takes too long.
        """
        turn = self._large_turn if sent.size_bytes > LARGE_BYTES else nullcontext()
        try:
            async with asyncio.timeout(READ_SECONDS), turn:
                return await self._read_and_prepare(sent, reserved)
        except TimeoutError:
            raise Unavailable("The events could not be read in time") from None

    async def _read_and_prepare(self, sent: Sent, reserved: ExitStack) -> _Prepared:
        read: Sequence[Read] = await sent.read()
        if self._unrecorded_facts:
            read = [self._unless_unrecorded(item) for item in read]
        events = [item for item in read if isinstance(item, Event)]
        ids = await self._project_ids({event.project for event in events}, sent.viewer)
        counts = Counter(event.project for event in events if event.project in ids)
        read = await self._within_budgets(read, counts)
        accepted = {
            index: item
            for index, item in enumerate(read)
            if isinstance(item, Event) and item.project in ids
        }
        notes = await self._notes(accepted)
        projects = Counter(ids[event.project] for event in accepted.values())
        reserved.enter_context(self._backlog.reserve(projects, sent.size_bytes))
        prepared, failed = await self._contents.prepare(accepted, ids, sent.window)
        accepted |= prepared
        entries = {
            index: ProjectEvent(ids[event.project], event)
            for index, event in accepted.items()
            if index not in failed
        }
        # What was sent is not needed any more.
        return _Prepared(
            [accepted.get(at, item) for at, item in enumerate(read)], entries, failed, notes
        )

    def _unless_unrecorded(self, item: Read) -> Read:
        if isinstance(item, Event) and item.fact in self._unrecorded_facts:
            return unrecorded(item)
        return item

    async def _within_budgets(self, read: Sequence[Read], counts: Counter[str]) -> Sequence[Read]:
        """Rejects the events of projects over budget; raises RateLimited if that is all of them."""
        refused = await self._refused_projects(counts) if counts and self._refused_projects else {}
        if not refused:
            return read
        if sum(counts[project] for project in refused) == len(read):
            raise RateLimited(
                "Too many events were sent for this project.",
                retry_after_seconds=max(refused.values()),
            )
        return [
            over_budget(item, refused[item.project])
            if isinstance(item, Event) and item.project in refused
            else item
            for item in read
        ]

    async def _project_ids(self, slugs: set[str], viewer: Viewer) -> dict[str, int]:
        """The ids of the projects the viewer may write to; an admin's new projects are created."""
        if not viewer.is_admin:
            return await self._dictionaries.project_ids(slugs & viewer.project_slugs)
        ids = await self._dictionaries.project_ids(slugs)
        missing = slugs - ids.keys()
        if missing:
            async with self._database.transaction() as connection:
                ids |= await self._dictionaries.create_projects(connection, missing)
        return ids

    async def _notes(self, events: Mapping[int, Event]) -> dict[int, Note]:
        """Looks up names to be provisioned; returns the notes of events by their index."""
        named: dict[Dimension, set[str]] = {}
        for event in events.values():
            for dimension, name in zip(event.fact.dimensions, event.names, strict=True):
                if name is not None and not dimension.interned:
                    named.setdefault(dimension, set()).add(name)
        unknown = {
            dimension: missing
            for dimension, names in named.items()
            if (missing := names - (await ids_of(self._dictionaries, dimension, names)).keys())
        }

        def note(event: Event) -> Note | None:
            for dimension, missing in unknown.items():
                if dimension in event.fact.dimensions and event.name(dimension) in missing:
                    return unknown_name(event, dimension)
            return event.note

        return {index: found for index, event in events.items() if (found := note(event))}

    async def _write(self, entries: Mapping[int, ProjectEvent]) -> dict[int, Written]:
        """Hands each entry to its project's lane and waits until all are committed."""
        by_lane: dict[Lane, list[int]] = {}
        for index, entry in entries.items():
            lane = self._lanes[entry.project_id % len(self._lanes)]
            by_lane.setdefault(lane, []).append(index)
        order = [index for indexes in by_lane.values() for index in indexes]
        parts = [
            part
            for lane, indexes in by_lane.items()
            for part in lane.submit([entries[index] for index in indexes])
        ]
        try:
            async with asyncio.timeout(self._wait_seconds):
                written = await asyncio.gather(*parts)
        except TimeoutError:
            raise Unavailable("The events could not be stored in time") from None
        return dict(zip(order, chain.from_iterable(written), strict=True))

    async def _write_batch(
        self, slot: WriterSlot, entries: Sequence[ProjectEvent]
    ) -> list[Written]:
        return await self._writer.write(entries, await slot.current())

    def _report(self, read: Sequence[Read], results: Sequence[Result]) -> None:
        """Reports the counts by status, of rejected events by code, and of ends by theirs."""
        for status, count in Counter(result.status for result in results).items():
            self._observer.answered(status, count)
        rejected = (result for result in results if result.status is EventStatus.REJECTED)
        for code, count in Counter(result.code for result in rejected if result.code).items():
            self._observer.rejected(code, count)
        for end, count in Counter(ends(read, results)).items():
            self._observer.finished(*end, count)


def _told_besides(entries: Mapping[int, ProjectEvent]) -> set[tuple[str, str]]:
    """The projects and facts of events that others brought with them."""
    return {(one.event.project, one.event.fact.name) for at, one in entries.items() if at < 0}
