"""Writes a batch in one transaction: events, states and all roll-ups, or nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import asyncpg

from ingest import appends, entities
from ingest.assignment import Assignment
from ingest.batch import Batch
from ingest.events import ProjectEvent, Written
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.error_groups import releases
from storage.errors import Unavailable
from storage.facts import FACTS
from storage.facts.fact import Append, Entity, Fact
from storage.keeping.partitions import ensure_ahead, ensure_for
from storage.keeping.windows import Retention
from storage.rollups.statements import SHARED_LOCK


class Writer:
    """Commits batches. Several lanes may use it at once, each with one batch at a time."""

    def __init__(
        self,
        database: Database,
        dictionaries: Dictionaries,
        retention: Retention,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._assignment = Assignment(database, dictionaries)
        self._retention = retention
        self._clock = clock

    async def write(self, entries: Sequence[ProjectEvent], slot: int) -> list[Written]:
        """Commits; returns each entry's result. A repeat within the batch is not new."""
        try:
            return await self._commit(entries, slot)
        except asyncpg.CheckViolationError:
            # The only checks are partition bounds: the partitions of these days are missing.
            await self._make_partitions(entries)
            try:
                return await self._commit(entries, slot)
            except asyncpg.CheckViolationError as error:
                raise Unavailable("The database has no partition for these events yet") from error

    async def _commit(self, entries: Sequence[ProjectEvent], slot: int) -> list[Written]:
        by_fact = _by_fact(entries)
        written: dict[int, Written] = {}
        for fact, places in by_fact.items():
            wanted = {entries[place].series_key for place in places}
            await self._assignment.create_names(fact, wanted)
        now = self._clock()
        async with self._database.transaction() as connection:
            batch = Batch(connection, self._assignment, slot, self._retention, now)
            for fact in by_fact:
                await connection.execute(SHARED_LOCK, fact.name)
            await releases.note(connection, _releases(entries))
            for fact, places in by_fact.items():
                results = await _write(batch, fact, [entries[place] for place in places])
                written |= zip(places, results, strict=True)
        self._assignment.remember(batch.learned)
        return [written[place] for place in range(len(entries))]

    async def _make_partitions(self, entries: Sequence[ProjectEvent]) -> None:
        times = {
            fact: [entries[place].event.occurred_at for place in places]
            for fact, places in _by_fact(entries).items()
        }
        await make_partitions(self._database, times, self._clock(), self._retention)


async def _write(batch: Batch, fact: Fact, entries: Sequence[ProjectEvent]) -> list[Written]:
    if isinstance(fact, Entity):
        return await entities.write_events(batch, fact, entries)
    assert isinstance(fact, Append)
    return await appends.write_events(batch, fact, entries)


def _releases(entries: Iterable[ProjectEvent]) -> Iterator[tuple[int, str | None, datetime]]:
    """When the entries saw the releases of projects, which gives releases an order.

    They are noted before a batch locks anything else, so that no two batches wait for each other.
    """
    for project_id, event in entries:
        if "release" in event.fact.columns:
            yield project_id, event.value("release"), event.occurred_at


def _by_fact(entries: Sequence[ProjectEvent]) -> dict[Fact, list[int]]:
    """The places of the entries by fact, in one order, so that all batches lock in the same."""
    places: dict[Fact, list[int]] = {fact: [] for fact in FACTS.values()}
    for place, entry in enumerate(entries):
        places[entry.event.fact].append(place)
    return {fact: found for fact, found in places.items() if found}


async def make_partitions(
    database: Database,
    times: Mapping[Fact, Iterable[datetime]],
    now: datetime,
    retention: Retention,
) -> None:
    """Makes the partitions for events of these times, as far back as each table is kept."""
    async with database.connection() as connection:
        await ensure_ahead(connection, now, retention=retention)
        for fact, each in times.items():
            await ensure_for(connection, fact, each, now, retention)
