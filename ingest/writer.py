"""Writes a batch in one transaction: events, deployment states and all roll-ups, or nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter

import asyncpg

from ingest import services, twins
from ingest.assignment import Assignment, SeriesKey
from ingest.events import DeploymentEvent, DeploymentKey, EventKey, ProjectEvent, Written
from ingest.fold import State, fold, with_rollback, without
from ingest.stored import events_by_deployment, events_by_key
from storage.connections.database import Connection, Database
from storage.connections.query import columns_of
from storage.dimensions import Dictionaries
from storage.errors import Unavailable
from storage.facts.deployments import DEPLOYMENTS
from storage.keeping.partitions import ensure_ahead, ensure_for
from storage.keeping.windows import Retention
from storage.rollups.statements import SHARED_LOCK, insert_events, lock_rows, write_rows

_event_values = attrgetter(*insert_events().columns[1:])  # all but the project
# Keys that were stored before, with the event that was stored under each.
_Known = dict[EventKey, ProjectEvent | None]


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
        self._assignment = Assignment(dictionaries)
        self._retention = retention
        self._clock = clock

    async def write(self, entries: Sequence[ProjectEvent], slot: int) -> list[Written]:
        """Commits; returns each entry's result. A repeat within the batch is not new."""
        unique = twins.choose(entries)
        try:
            known = await self._commit(unique, slot)
        except asyncpg.CheckViolationError:
            # The only checks are partition bounds: the partitions of these days are missing.
            times = [entry.event.occurred_at for entry in entries]
            await make_partitions(self._database, times, self._clock(), self._retention)
            try:
                known = await self._commit(unique, slot)
            except asyncpg.CheckViolationError as error:
                raise Unavailable("The database has no partition for these events yet") from error
        return twins.compare(entries, known)

    async def _commit(self, unique: dict[EventKey, ProjectEvent], slot: int) -> _Known:
        """Stores new events and those that outrank their stored twin; returns the repeated keys."""
        ordered = [unique[key] for key in sorted(unique)]
        async with self._database.transaction() as connection:
            await connection.execute(SHARED_LOCK, DEPLOYMENTS.name)
            await services.lock(connection, ordered)
            fresh = await _insert(connection, ordered)
            repeats = [unique[key] for key in unique.keys() - fresh]
            found = await events_by_key(connection, repeats) if repeats else {}
            outranked = await twins.remove_outranked(connection, repeats, found)
            if outranked:
                fresh |= await _insert(connection, [unique[key] for key in sorted(outranked)])
            known = {entry.key: found.get(entry.key) for entry in repeats}
            if not fresh:
                return known
            new = [entry for entry in ordered if entry.key in fresh]
            moves = await services.match(connection, new, outranked.values())
            states = await _fold(connection, new, moves)
            states, learned = await self._assign(connection, states)
            floors = self._retention.floors(self._clock())
            await write_rows(connection, DEPLOYMENTS, states, slot, floors)
            await _forget(connection, states)
        self._assignment.remember(learned)
        return known

    async def _assign(
        self, connection: Connection, states: list[State]
    ) -> tuple[list[State], dict[SeriesKey, int]]:
        """Gives each state without a series its own; returns also the series to remember."""
        unassigned = [state for state in states if _needs_series(state)]
        found, learned = await self._assignment.find(connection, unassigned)
        assigned = [
            state._replace(series_id=found[state.project_id, state.dimensions])
            if _needs_series(state)
            else state
            for state in states
        ]
        return assigned, learned


async def make_partitions(
    database: Database, times: Iterable[datetime], now: datetime, retention: Retention
) -> None:
    """Makes the partitions for events of these times, as far back as each table is kept."""
    async with database.connection() as connection:
        await ensure_ahead(connection, now, retention=retention)
        await ensure_for(connection, times, now, retention)


async def _insert(connection: Connection, ordered: Iterable[ProjectEvent]) -> set[EventKey]:
    """Inserts the events; returns the keys that were not stored before."""
    statement = insert_events()
    rows = [(project_id, *_event_values(event)) for project_id, event in ordered]
    records = await connection.fetch(statement.text, *statement.arrays(rows))
    return {tuple(record) for record in records}


async def _fold(
    connection: Connection, new: Iterable[ProjectEvent], moves: services.Moves
) -> list[State]:
    """Locks the deployments concerned; returns their new states, without series if that changes."""
    events: dict[DeploymentKey, list[DeploymentEvent]] = defaultdict(list)
    for entry in new:
        if not entry.event.is_service_rollback:
            events[entry.deployment_key].append(entry.event)
    before = await _lock(connection, {*events, *moves.lost, *moves.gained})
    names = {key: before[key].external_id or "" for key in moves.lost}
    remaining = await events_by_deployment(connection, names)
    states = []
    for key, state in before.items():
        after = state
        for position in moves.lost.get(key, ()):
            after = without(after, *position)
        after = fold(after, [*remaining.get(key, ()), *events.get(key, ())])
        for rollback in moves.gained.get(key, ()):
            after = with_rollback(after, *rollback)
        if after.dimensions != state.dimensions and not _is_empty(after):
            after = after._replace(series_id=None)
        states.append(after)
    return states


def _is_empty(state: State) -> bool:
    """Whether the deployment has no events left."""
    return state.created_at is None


def _needs_series(state: State) -> bool:
    return state.series_id is None and not _is_empty(state)


async def _forget(connection: Connection, states: Iterable[State]) -> None:
    """Deletes the deployments without events, which the roll-ups no longer count."""
    empty = [(state.project_id, state.deployment_id) for state in states if _is_empty(state)]
    if empty:
        await connection.execute(_FORGET, *columns_of(empty))


async def _lock(
    connection: Connection, keys: Iterable[DeploymentKey]
) -> dict[DeploymentKey, State]:
    """Locks the rows of these deployments, which are made if missing; returns their states."""
    ordered = sorted(keys)
    if not ordered:
        return {}
    records = await connection.fetch(lock_rows(DEPLOYMENTS).text, *columns_of(ordered))
    states = (State._make(tuple(record)[:-1]) for record in records)  # all but the revision
    return {(state.project_id, state.deployment_id): state for state in states}


_FORGET = """
delete from deployments using unnest($1::bigint[], $2::uuid[]) as given(project_id, deployment_id)
where deployments.project_id = given.project_id
  and deployments.deployment_id = given.deployment_id
"""
