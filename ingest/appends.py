"""Writes events of append facts: each is a row, and the roll-ups count it."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from functools import cache
from typing import Any

from ingest import pairs
from ingest.assignment import SeriesIds
from ingest.batch import EVENT_KEY, GIVEN_EVENTS, Batch
from ingest.events import ProjectEvent, Written
from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.fact import START, Append
from storage.feed.counters import record
from storage.rollups.statements import EventKey, append_rows, appended_columns

_Row = tuple[Any, ...]


async def write_events(
    batch: Batch, fact: Append, entries: Sequence[ProjectEvent]
) -> list[Written]:
    """Stores new events, of which the first committed counts; returns each entry's result."""
    series = await batch.series(fact, {entry.series_key for entry in entries})
    starts = [entry for entry in entries if entry.event.type == START]
    if not starts:
        return await _append(batch, fact, entries, series)
    begun = iter(await pairs.begin(batch, fact, starts, series))
    days = {(id, event.occurred_at.astimezone(UTC).date()) for id, event in starts}
    await record(batch.connection, fact.name, batch.slot, days)
    ends = [entry for entry in entries if entry.event.type != START]
    appended = iter(await _append(batch, fact, ends, series) if ends else ())
    return [next(begun if entry.event.type == START else appended) for entry in entries]


async def _append(
    batch: Batch, fact: Append, entries: Sequence[ProjectEvent], series: SeriesIds
) -> list[Written]:
    rows = [_row(fact, entry, series[entry.series_key]) for entry in entries]
    first: dict[EventKey, _Row] = {}
    for row in rows:
        first.setdefault(row[:3], row)
    connection = batch.connection
    fresh = await append_rows(connection, fact, list(first.values()), batch.slot, batch.floors)
    if fact.running is not None:
        await pairs.end(batch, fact, [entry for entry in entries if entry.key in fresh], series)
    repeats = first.keys() - fresh
    if repeats:
        first |= await _stored(connection, fact, repeats)
    return [_written(row, first, fresh) for row in rows]


def _row(fact: Append, entry: ProjectEvent, series_id: int) -> _Row:
    event = entry.event
    names = [event.names[place] for place in _provisioned(fact)]
    external_id = event.external_id
    if external_id is not None and external_id == str(event.event_id):
        external_id = None
    return (*entry.key, series_id, *names, *event.values, external_id)


def _written(row: _Row, first: dict[EventKey, _Row], fresh: set[EventKey]) -> Written:
    """Whether a row is new; the first of its key is, and its repeats are not."""
    key = row[:3]
    counts = first[key]
    if key in fresh and row is counts:
        return Written.NEW
    return Written.KNOWN if row == counts else Written.DIFFERS


async def _stored(
    connection: Connection, fact: Append, keys: Iterable[EventKey]
) -> dict[EventKey, _Row]:
    rows = [tuple(row) for row in await connection.fetch(_select(fact), *columns_of(keys))]
    return {row[:3]: row for row in rows}


@cache
def _provisioned(fact: Append) -> tuple[int, ...]:
    """The places of the names that rows hold, since they may be provisioned later."""
    return tuple(place for place, each in enumerate(fact.dimensions) if not each.interned)


@cache
def _select(fact: Append) -> str:
    columns = ", ".join(f"event.{name}" for name in appended_columns(fact))
    return (
        f"select {columns} from {GIVEN_EVENTS}\njoin {fact.table.name} as event using ({EVENT_KEY})"
    )
