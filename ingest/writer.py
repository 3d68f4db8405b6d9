"""One batch, one transaction: events, deployment states and all roll-ups together or not at all."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import asyncpg
import orjson

from ingest import services, stored, twins
from ingest.assignment import Assignment
from ingest.events import DeploymentEvent, Written
from ingest.fold import State, fold
from ingest.services import EventPosition, Key, ProjectEvent
from ingest.stored import EventKey, event_key
from storage.connections.database import Connection, Database
from storage.dimensions import Dictionaries
from storage.errors import Unavailable
from storage.facts.deployments import DEPLOYMENTS
from storage.feed.counters import Touched, record
from storage.keeping.partitions import ensure_ahead, ensure_for
from storage.keeping.windows import Retention
from storage.rollups.statements import SHARED_LOCK, apply, insert_events, lock_rows

_EVENT_COLUMNS = insert_events().columns
_event_values = attrgetter(*_EVENT_COLUMNS[1:])
_EVENT_ATTRIBUTES = _EVENT_COLUMNS.index("attributes")
# The keys that were known, with what was stored under them.
_Known = dict[EventKey, ProjectEvent | None]
_STATE_JSON = tuple(State._fields.index(name) for name in ("attributes", "attribute_keys"))


class Writer:
    """Commits batches. Safe to use from several lanes, each of which writes one batch at a time."""

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
        """Commit; what became of each entry. Repeats within the batch are not new."""
        unique = twins.best(entries)
        try:
            known = await self._commit(unique, slot)
        except asyncpg.CheckViolationError:
            # The only checks are partition bounds: the partitions of these days are missing.
            await self._make_partitions([entry.event.occurred_at for entry in entries])
            known = await self._commit_or_wait(unique, slot)
        return twins.told(entries, known)

    async def _commit_or_wait(self, unique: dict[EventKey, ProjectEvent], slot: int) -> _Known:
        try:
            return await self._commit(unique, slot)
        except asyncpg.CheckViolationError as error:
            raise Unavailable("The database has no room for events of this time yet") from error

    async def _make_partitions(self, times: Sequence[datetime]) -> None:
        now = self._clock()
        async with self._database.connection() as connection:
            await ensure_ahead(connection, now, retention=self._retention)
            await ensure_for(connection, times, now, self._retention)

    async def _commit(self, unique: dict[EventKey, ProjectEvent], slot: int) -> _Known:
        """Store what is new or outranks its twin; what was stored before under the other keys."""
        ordered = [unique[key] for key in sorted(unique)]
        async with self._database.transaction() as connection:
            await connection.execute(SHARED_LOCK, DEPLOYMENTS.name)
            await services.lock(connection, ordered)
            fresh = await _insert(connection, ordered)
            repeats = [unique[key] for key in unique.keys() - fresh]
            found = await stored.by_key(connection, repeats) if repeats else {}
            beaten = await twins.take_out(connection, repeats, found)
            if beaten:
                fresh |= await _insert(connection, [unique[key] for key in sorted(beaten)])
            known = {event_key(entry): found.get(event_key(entry)) for entry in repeats}
            if not fresh:
                return known
            new = [entry for entry in ordered if event_key(entry) in fresh]
            matches = await services.match(connection, new, beaten.values())
            states, changed = await _fold(connection, new, matches, beaten.values())
            states, learned = await self._assign(connection, states, changed)
            await self._apply(connection, states, slot)
            await _forget(connection, states)
        self._assignment.remember(learned)
        return known

    async def _assign(
        self, connection: Connection, states: list[State], changed: list[State]
    ) -> tuple[list[State], dict[Any, int]]:
        """Series for those states whose names are new or have changed."""
        found, learned = await self._assignment.find(connection, changed)
        renamed = {(state.project_id, state.deployment_id) for state in changed}
        assigned = [
            state._replace(series_id=found[state.project_id, state.dimensions])
            if (state.project_id, state.deployment_id) in renamed
            else state
            for state in states
        ]
        return assigned, learned

    async def _apply(self, connection: Connection, states: list[State], slot: int) -> None:
        if not states:  # rollbacks of services that were never deployed, as far as we know
            return
        floors = self._retention.floors(self._clock())
        columns: list[list[Any]] = [list(column) for column in zip(*states, strict=True)]
        for position in _STATE_JSON:
            columns[position] = _as_json(columns[position])
        days = await connection.fetch(
            apply(DEPLOYMENTS).text, *columns, slot, floors.minute, floors.fine, floors.day
        )
        entities = [(state.project_id, state.deployment_id) for state in states]
        await record(connection, DEPLOYMENTS.name, slot, Touched(days, entities))


async def _insert(connection: Connection, ordered: Sequence[ProjectEvent]) -> set[EventKey]:
    """Store the events; the keys of those that were not there yet."""
    rows = [(project_id, *_event_values(event)) for project_id, event in ordered]
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    columns[_EVENT_ATTRIBUTES] = _as_json(columns[_EVENT_ATTRIBUTES])
    records = await connection.fetch(insert_events().text, *columns)
    return {tuple(record) for record in records}


async def _fold(
    connection: Connection,
    new: Iterable[ProjectEvent],
    matches: services.Matches,
    beaten: Iterable[ProjectEvent],
) -> tuple[list[State], list[State]]:
    """Lock the deployments concerned; all their new states, and those whose names changed."""
    events: dict[Key, list[DeploymentEvent]] = {}
    for project_id, event in new:
        if not services.is_matched(event):
            events.setdefault((project_id, event.deployment_id), []).append(event)
    lost = _lost(matches, beaten)
    held = await _lock(connection, {*events, *lost, *matches.gained})
    left = held | await stored.refolded(connection, held, lost)
    states = services.settle({key: fold(left[key], events.get(key, ())) for key in held}, matches)
    changed = [
        state
        for key, state in states.items()
        if not _is_empty(state)
        and (state.series_id is None or state.dimensions != held[key].dimensions)
    ]
    return list(states.values()), changed


def _lost(
    matches: services.Matches, beaten: Iterable[ProjectEvent]
) -> dict[Key, list[EventPosition]]:
    """The deployments that have lost events: to another deployment, or to a twin."""
    lost = {key: list(places) for key, places in matches.lost.items()}
    for project_id, event in beaten:
        if not services.is_waiting(event):
            place = EventPosition(event.occurred_at, event.event_id)
            lost.setdefault((project_id, event.deployment_id), []).append(place)
    return lost


def _is_empty(state: State) -> bool:
    """Whether no event is left that tells of the deployment."""
    return state.created_at is None


async def _forget(connection: Connection, states: Iterable[State]) -> None:
    """Delete the deployments that no event tells of; the roll-ups have forgotten them already."""
    empty = [(state.project_id, state.deployment_id) for state in states if _is_empty(state)]
    if empty:
        await connection.execute(_FORGET, *map(list, zip(*empty, strict=True)))


async def _lock(connection: Connection, keys: Iterable[Key]) -> dict[Key, State]:
    ordered = sorted(keys)
    if not ordered:
        return {}
    records = await connection.fetch(
        lock_rows(DEPLOYMENTS).text, [key[0] for key in ordered], [key[1] for key in ordered]
    )
    states = (State._make(tuple(record)[:-1]) for record in records)  # all but the revision
    return {(state.project_id, state.deployment_id): state for state in states}


def _as_json(values: Iterable[Any]) -> list[str | None]:
    return [None if value is None else orjson.dumps(value).decode() for value in values]


_FORGET = """
delete from deployments using unnest($1::bigint[], $2::uuid[]) as given(project_id, deployment_id)
where deployments.project_id = given.project_id
  and deployments.deployment_id = given.deployment_id
"""
