"""Writes events of append facts: each is a row, and the roll-ups count it."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from ingest import pairs
from ingest.assignment import SeriesIds
from ingest.batch import EVENT_KEY, GIVEN_EVENTS, Batch
from ingest.events import ProjectEvent, Written
from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.contents import CONTENT_STORES
from storage.facts.content import Key, NewRow, Recording
from storage.facts.fact import START, Append
from storage.rollups.statements import (
    EventKey,
    append_rows,
    appended_columns,
    record_rows,
)
from storage.series import OVERFLOW

_Row = tuple[Any, ...]


async def write_events(
    batch: Batch, fact: Append, entries: Sequence[ProjectEvent]
) -> list[Written]:
    """Stores new events, of which the first committed counts; returns each entry's result.

    Locks are taken in one order: series, roll-ups, what runs, content, and the
    counters last.
    """
    series = await batch.series(fact, {entry.series_key for entry in entries})
    starts = [entry for entry in entries if entry.event.type == START]
    rest = [entry for entry in entries if entry.event.type != START] if starts else entries
    first = await pairs.announce(batch, fact, starts, series)
    rows = [_row(fact, entry, series[entry.series_key]) for entry in rest]
    counting: dict[EventKey, _Row] = {}
    for row in rows:
        counting.setdefault(row[:3], row)
    new = list(counting.values())
    fresh = await append_rows(batch.connection, fact, new, batch.slot, batch.floors)
    begun: list[Written] = []
    if fact.running is not None:
        ended = [entry for entry in rest if entry.key in fresh]
        begun = await pairs.note(batch, fact, starts, ended, first, series)
    entities = await _store_content(batch, fact, rest, fresh, series)
    changed = [key[:2] for key in fresh]
    changed += [(project_id, event.occurred_at) for project_id, event in starts]
    await record_rows(batch.connection, fact, batch.slot, changed, entities)
    repeats = counting.keys() - fresh
    if repeats:
        counting |= await _stored(batch.connection, fact, repeats)
    appended = iter([_written(fact, row, counting, fresh) for row in rows])
    results = iter(begun)
    return [next(results if entry.event.type == START else appended) for entry in entries]


async def _store_content(
    batch: Batch,
    fact: Append,
    entries: Iterable[ProjectEvent],
    fresh: set[EventKey],
    series: SeriesIds,
) -> set[Key]:
    """Stores the content of the new rows; returns the keys of what changed beside them."""
    store = CONTENT_STORES.get(fact)
    if store is None or not fresh:
        return set()
    new: dict[EventKey, NewRow] = {}
    for entry in entries:
        if entry.key in fresh and entry.key not in new:
            series_id, event = series[entry.series_key], entry.event
            new[entry.key] = NewRow(*entry.key, series_id, event.values, event.content)
    recording = Recording(
        batch.connection, batch.floors, batch.now, batch.retention.log_texts_per_day
    )
    return await store.record(recording, list(new.values()))


def _row(fact: Append, entry: ProjectEvent, series_id: int) -> _Row:
    event = entry.event
    names = [event.names[place] for place in _provisioned(fact)]
    external_id = event.external_id
    if external_id is not None and external_id == str(event.event_id):
        external_id = None
    return (*entry.key, series_id, *names, *event.values, external_id)


def _written(fact: Append, row: _Row, first: dict[EventKey, _Row], fresh: set[EventKey]) -> Written:
    """Whether a row is new; the first of its key is, and its repeats are not.

    Rows of a fact with content do not tell whether two events differ.
    """
    key = row[:3]
    counts = first[key]
    if key in fresh and row is counts:
        return Written.OTHER if row[len(key)] == OVERFLOW else Written.NEW
    return Written.KNOWN if row == counts or fact.content.names else Written.DIFFERS


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
