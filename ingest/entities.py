"""Writes events of entities: the events, the states folded from them, and the roll-ups."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from ingest import services, twins
from ingest.assignment import SeriesKey
from ingest.batch import EVENT_KEY, GIVEN_EVENTS, Batch
from ingest.events import EntityKey, Event, ProjectEvent, Written
from ingest.fold import State, fold, with_status, without
from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.fact import Entity
from storage.rollups.statements import EventKey, insert_events, lock_rows, write_rows


async def write_events(
    batch: Batch, entity: Entity, entries: Sequence[ProjectEvent]
) -> list[Written]:
    """Writes new events and those that outrank their stored twin; returns each entry's result."""
    connection = batch.connection
    unique = twins.choose(entries)
    ordered = [unique[key] for key in sorted(unique)]
    await services.lock(connection, ordered)
    fresh = await _insert(connection, entity, ordered)
    repeats = [unique[key] for key in unique.keys() - fresh]
    found = await _by_key(connection, entity, repeats) if repeats else {}
    outranked = await _remove_outranked(connection, entity, repeats, found)
    if outranked:
        again = [unique[key] for key in sorted(outranked)]
        fresh |= await _insert(connection, entity, again)
    if fresh:
        new = [entry for entry in ordered if entry.key in fresh]
        moves = await services.match(connection, new, outranked.values())
        states = await _assign(batch, entity, await _fold(connection, entity, new, moves))
        rows = [state.row for state in states]
        await write_rows(connection, entity, rows, batch.slot, batch.floors)
        await _forget(connection, entity, states)
    return twins.compare(entries, {entry.key: found.get(entry.key) for entry in repeats})


async def _insert(
    connection: Connection, entity: Entity, ordered: Iterable[ProjectEvent]
) -> set[EventKey]:
    """Inserts the events; returns the keys that were not stored before."""
    statement = insert_events(entity)
    rows = [_row(entry) for entry in ordered]
    records = await connection.fetch(statement.text, *statement.arrays(rows))
    return {tuple(record) for record in records}


def _row(entry: ProjectEvent) -> tuple[Any, ...]:
    """The row of an event, in the order of the table's columns."""
    event = entry.event
    return (
        *(*entry.key, event.entity_id, event.type),
        *(*event.names, event.duration_us, *event.values, event.source, event.external_id),
    )


async def _remove_outranked(
    connection: Connection,
    entity: Entity,
    entries: Iterable[ProjectEvent],
    known: Mapping[EventKey, ProjectEvent],
) -> dict[EventKey, ProjectEvent]:
    """Deletes stored events that the given ones outrank; returns the deleted ones."""
    better = {
        entry.key: entry
        for entry in entries
        if entry.key in known and twins.outranks(entry, known[entry.key])
    }
    if not better:
        return {}
    # Another transaction may be replacing them too, so they are read again under a lock.
    lock, delete = _replacement(entity.events.name)
    await connection.execute(lock, *columns_of(sorted(better)))
    stored = await _by_key(connection, entity, better.values())
    outranked = {key: entry for key, entry in stored.items() if twins.outranks(better[key], entry)}
    if outranked:
        await services.lock(connection, outranked.values())
        await connection.execute(delete, *columns_of(sorted(outranked)))
    return outranked


async def _by_key(
    connection: Connection, entity: Entity, entries: Iterable[ProjectEvent]
) -> dict[EventKey, ProjectEvent]:
    """The stored events with the same keys as the given ones."""
    select = _select(entity, GIVEN_EVENTS, EVENT_KEY)
    found = await _stored(connection, entity, select, (entry.key for entry in entries))
    return {entry.key: entry for entry in found}


async def _stored(
    connection: Connection, entity: Entity, select: str, keys: Iterable[Iterable[Any]]
) -> list[ProjectEvent]:
    """Stored events by keys; their rows hold neither the project's slug nor the entity's name."""
    named = len(entity.dimensions)
    found = []
    for row in await connection.fetch(select, *columns_of(keys)):
        project_id, occurred_at, event_id, entity_id, type_, *others, service = row
        duration_us, *values, source, external_id = others[named:]
        event = Event(
            fact=entity,
            type=type_,
            event_id=event_id,
            project="",
            occurred_at=occurred_at,
            names=tuple(others[:named]),
            values=tuple(values),
            entity_id=entity_id,
            entity="",
            duration_us=duration_us,
            source=source,
            external_id=external_id,
            service=service,
        )
        found.append(ProjectEvent(project_id, event))
    return found


async def _fold(
    connection: Connection, entity: Entity, new: Iterable[ProjectEvent], moves: services.Moves
) -> list[State]:
    """Locks the entities concerned; returns their new states, without series if that changes."""
    events: dict[EntityKey, list[Event]] = defaultdict(list)
    for entry in new:
        if not entry.event.is_service_rollback:
            events[entry.entity_key].append(entry.event)
    before = await _lock(connection, entity, {*events, *moves.lost, *moves.gained})
    if moves.lost:
        given = f"unnest($1::bigint[], $2::uuid[]) as given({', '.join(entity.key)})"
        select = _select(entity, given, ", ".join(entity.key))
        for entry in await _stored(connection, entity, select, moves.lost):
            name = before[entry.entity_key].external_id or ""
            events[entry.entity_key].append(replace(entry.event, entity=name))
    states = []
    for key, state in before.items():
        after = state
        for position in moves.lost.get(key, ()):
            after = without(entity, after, *position)
        after = fold(entity, after, events.get(key, ()))
        for rollback in moves.gained.get(key, ()):
            after = with_status(entity, after, services.ROLLBACK, *rollback)
        if after.names(entity) != state.names(entity) and not _is_empty(after):
            after = after._replace(series_id=None)
        states.append(after)
    return states


async def _assign(batch: Batch, entity: Entity, states: list[State]) -> list[State]:
    """Gives each state without a series its own."""
    wanted = {_series_key(entity, state) for state in states if _needs_series(state)}
    found = await batch.series(entity, wanted)
    return [
        state._replace(series_id=found[_series_key(entity, state)])
        if _needs_series(state)
        else state
        for state in states
    ]


def _series_key(entity: Entity, state: State) -> SeriesKey:
    return state.project_id, state.names(entity)


def _is_empty(state: State) -> bool:
    """Whether the entity has no events left."""
    return state.created_at is None


def _needs_series(state: State) -> bool:
    return state.series_id is None and not _is_empty(state)


async def _lock(
    connection: Connection, entity: Entity, keys: Iterable[EntityKey]
) -> dict[EntityKey, State]:
    """Locks the rows of these entities, which are made if missing; returns their states."""
    ordered = sorted(keys)
    if not ordered:
        return {}
    records = await connection.fetch(lock_rows(entity).text, *columns_of(ordered))
    states = map(State.of_row, map(tuple, records))
    return {(state.project_id, state.entity_id): state for state in states}


async def _forget(connection: Connection, entity: Entity, states: Iterable[State]) -> None:
    """Deletes the entities without events, which the roll-ups no longer count."""
    empty = [(state.project_id, state.entity_id) for state in states if _is_empty(state)]
    if empty:
        await connection.execute(_deletion(entity), *columns_of(empty))


@cache
def _deletion(entity: Entity) -> str:
    table, key = entity.table.name, entity.id_column
    return (
        f"delete from {table} using unnest($1::bigint[], $2::uuid[]) as given(project_id, {key})\n"
        f"where {table}.project_id = given.project_id and {table}.{key} = given.{key}"
    )


@cache
def _select(entity: Entity, given: str, key: str) -> str:
    columns = ", ".join(f"event.{name}" for name in insert_events(entity).columns)
    matched = entity is services.ENTITY
    return (
        f"select {columns}, {'matched.service' if matched else 'null::text as service'}\n"
        f"from {given}\n"
        f"join {entity.events.name} as event using ({key})\n{services.JOIN if matched else ''}"
    )


@cache
def _replacement(table: str) -> tuple[str, str]:
    """SQL that locks and that deletes the events with these keys."""
    lock = (
        f"select 1 from {GIVEN_EVENTS} join {table} as event using ({EVENT_KEY})\n"
        f"order by {EVENT_KEY} for update of event"
    )
    delete = (
        f"delete from {table} as event using {GIVEN_EVENTS}\n"
        "where event.project_id = given.project_id and event.occurred_at = given.occurred_at"
        " and event.event_id = given.event_id"
    )
    return lock, delete
