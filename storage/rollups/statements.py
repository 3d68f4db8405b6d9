"""The statements by which a batch of events changes a fact's rows and all their roll-ups.

For entities they run in one transaction, in this order: the shared lock, the insert of events, the
lock of rows, and (once the new states are computed) the apply statement. For append facts the
append statement follows the shared lock.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.fact import Append, Entity, Fact, Floors
from storage.feed.counters import record
from storage.rollups.contribution import rolled

SHARED_LOCK = "select pg_advisory_xact_lock_shared(hashtext('rollups:' || $1))"
EXCLUSIVE_LOCK = "select pg_advisory_xact_lock(hashtext('rollups:' || $1))"

# The key of an event: project id, time, event id.
EventKey = tuple[int, datetime, UUID]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text whose first parameters are arrays, one for each of the columns of a table."""

    text: str
    columns: tuple[str, ...]
    table: Table

    def arrays(self, rows: Collection[Sequence[Any]]) -> list[list[Any]]:
        """The arrays of rows that have a value for each column."""
        arrays = columns_of(rows, len(self.columns))
        for position, name in enumerate(self.columns):
            if isinstance(self.table.c[name].type, postgresql.JSONB):
                values = arrays[position]
                arrays[position] = [None if v is None else orjson.dumps(v).decode() for v in values]
        return arrays


def _unnest(table: Table, columns: tuple[str, ...]) -> str:
    """SQL for a row set of ``columns`` from array parameters $1, $2, …; JSON is sent as text."""
    types = {name: _sql_type(table, name) for name in columns}
    arrays = ", ".join(
        f"${position}::{'text' if types[name] == 'JSONB' else types[name]}[]"
        for position, name in enumerate(columns, start=1)
    )
    names = ", ".join(columns)
    values = ", ".join(
        f"{name}::jsonb as {name}" if types[name] == "JSONB" else name for name in columns
    )
    return f"(select {values} from unnest({arrays}) as given({names}))"


def _sql_type(table: Table, column: str) -> str:
    return str(table.c[column].type.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]


def _insert(table: Table) -> tuple[str, tuple[str, ...]]:
    """SQL that inserts events that are not stored yet, in key order, and their columns."""
    columns = tuple(column.name for column in table.columns)
    names = ", ".join(columns)
    text = (
        f"insert into {table.name} ({names})\n"
        f"select {names} from {_unnest(table, columns)} as event"
        " order by project_id, occurred_at, event_id\n"
        "on conflict do nothing returning"
    )
    return text, columns


@cache
def insert_events(entity: Entity) -> Statement:
    """Insert events; returns (project_id, occurred_at, event_id) of the new ones."""
    text, columns = _insert(entity.events)
    return Statement(f"{text} project_id, occurred_at, event_id", columns, entity.events)


@cache
def lock_rows(entity: Entity) -> Statement:
    """Lock the entities with these keys; returns their `written_columns`.

    New ones get placeholder rows. ``on conflict do update`` locks and reads in one step, and also
    works across shards, unlike ``for update``.
    """
    name, key = entity.table.name, ", ".join(entity.key)
    text = (
        f"insert into {name} as entity ({key})\n"
        f"select {key} from {_unnest(entity.table, entity.key)} as wanted order by {key}\n"
        f"on conflict ({key}) do update set revision = entity.revision + 1"
        f" returning {', '.join(written_columns(entity))}"
    )
    return Statement(text, entity.key, entity.table)


@cache
def written_columns(fact: Fact) -> tuple[str, ...]:
    """The columns the apply statement writes: the key first, then all but the revision."""
    return tuple(column.name for column in fact.table.columns if column.name != "revision")


@cache
def apply(fact: Fact) -> Statement:
    """Write the new states of locked rows, and add the differences to every roll-up.

    Parameters after the column arrays: writer slot, then the minute, fine and day floors.
    Returns (project_id, day) of the UTC days whose counts changed.
    """
    columns = written_columns(fact)
    steps = [
        f"incoming as materialized (select * from {_unnest(fact.table, columns)} as given)",
        _before(fact),
        _after(fact, columns),
        _changed(),
        *rolled(fact, *_slot_and_floors(columns)),
    ]
    if isinstance(fact, Append):
        steps.append(f"seen as ({_seen(fact)})")
    return Statement("with " + ",\n".join(steps) + f"\n{_changed_days(fact)}", columns, fact.table)


def _slot_and_floors(columns: tuple[str, ...]) -> tuple[str, Floors]:
    """The parameters that follow the arrays of columns."""
    slot, *floors = (f"${len(columns) + offset}" for offset in range(1, 5))
    return slot, Floors(*cast("list[Any]", floors))


async def write_rows(
    connection: Connection, fact: Fact, rows: Collection[Sequence[Any]], slot: int, floors: Floors
) -> None:
    """Write rows of `written_columns`, whose keys are locked, and count the change."""
    if rows:
        days = await apply_rows(connection, fact, rows, slot, floors)
        await record_applied(connection, fact, rows, slot, days)


async def apply_rows(
    connection: Connection, fact: Fact, rows: Collection[Sequence[Any]], slot: int, floors: Floors
) -> list[Any]:
    """Write rows of `written_columns`, whose keys are locked.

    Returns the pairs of project and UTC day for `record_applied`.
    """
    statement = apply(fact)
    limits = (floors.minute, floors.fine, floors.day)
    days: list[Any] = await connection.fetch(statement.text, *statement.arrays(rows), slot, *limits)
    return days


async def record_applied(
    connection: Connection, fact: Fact, rows: Iterable[Sequence[Any]], slot: int, days: list[Any]
) -> None:
    """Count the change that `apply_rows` made. Call it last in the transaction."""
    entities = [(row[0], row[1]) for row in rows] if isinstance(fact, Entity) else ()
    await record(connection, fact.name, slot, days, entities)


@cache
def append(fact: Append) -> Statement:
    """Insert rows that are not stored yet, and add them to every roll-up and their series.

    Parameters after the column arrays: writer slot, then the minute, fine and day floors.
    Returns (project_id, occurred_at, event_id) of the new rows.
    """
    text, columns = _insert(fact.table)
    steps = [
        f"inserted as ({text} *)",
        "changed as materialized (select 1 as sign, * from inserted)",
        *rolled(fact, *_slot_and_floors(columns)),
        f"seen as ({_seen(fact)})",
    ]
    keys = "select project_id, occurred_at, event_id from changed"
    return Statement("with " + ",\n".join(steps) + f"\n{keys}", columns, fact.table)


def appended_columns(fact: Append) -> tuple[str, ...]:
    """The columns of the rows that `append_rows` takes, in order; the key comes first."""
    return append(fact).columns


async def append_rows(
    connection: Connection,
    fact: Append,
    rows: Collection[Sequence[Any]],
    slot: int,
    floors: Floors,
) -> set[EventKey]:
    """Store rows of `appended_columns`; returns the keys that are new, for `record_rows`."""
    statement = append(fact)
    limits = (floors.minute, floors.fine, floors.day)
    found = await connection.fetch(statement.text, *statement.arrays(rows), slot, *limits)
    return {tuple(row) for row in found}


async def record_rows(
    connection: Connection,
    fact: Append,
    slot: int,
    changed: Iterable[tuple[int, datetime]],
    entities: Collection[tuple[int, UUID]],
) -> None:
    """Count the change of projects at these times, and of what is kept beside the rows.

    Call it last in the transaction.
    """
    days = {(project_id, at.astimezone(UTC).date()) for project_id, at in set(changed)}
    await record(connection, fact.name, slot, days, entities)


def _seen(fact: Fact) -> str:
    """SQL that widens the times at which the series of new rows were first and last seen.

    The series are locked in one order, so that two batches never wait for each other.
    """
    series = fact.series.name
    return (
        f"update {series} as known set first_at = least(known.first_at, locked.first_at),"
        " last_at = greatest(known.last_at, locked.last_at)\n"
        "from (select known.project_id, known.series_id, seen.first_at, seen.last_at\n"
        f"  from {series} as known join (select project_id, series_id,"
        " min(occurred_at) as first_at, max(occurred_at) as last_at from changed group by 1, 2)"
        " as seen using (project_id, series_id)\n"
        "  where (known.last_at >= seen.last_at and known.first_at <= seen.first_at) is not true\n"
        "  order by 1, 2 for update of known) as locked\n"
        "where known.project_id = locked.project_id and known.series_id = locked.series_id"
    )


def _same_key(fact: Fact, left: str, right: str) -> str:
    return " and ".join(f"{left}.{name} = {right}.{name}" for name in fact.key)


def _before(fact: Fact) -> str:
    name = fact.table.name
    return (
        f"before_rows as materialized (select {name}.* from {name}\n"
        f"  join incoming on {_same_key(fact, name, 'incoming')})"
    )


def _after(fact: Fact, columns: tuple[str, ...]) -> str:
    name = fact.table.name
    assignments = ", ".join(f"{c} = incoming.{c}" for c in columns if c not in fact.key)
    return (
        f"after_rows as (update {name} set {assignments} from incoming\n"
        f"  where {_same_key(fact, name, 'incoming')} returning {name}.*)"
    )


def _changed() -> str:
    """The rows before (sign -1) and after (sign 1); unchanged rows cancel out in `counted_rows`.

    They are not joined, since the generic plan would compare each row with all others.
    """
    return (
        "changed as materialized (select 1 as sign, * from after_rows\n"
        "  union all select -1 as sign, * from before_rows)"
    )


def _changed_days(fact: Fact) -> str:
    """The days for which an answer may have changed.

    Computed before the rows are summed by bucket: if a range begins or ends within a minute, facts
    are read there, so even a move inside that minute changes the answer.
    """
    keys = ", ".join(("project_id", "at", *fact.series_columns, "histogram_bucket"))
    moved = " or ".join(f"sum({component.name}) <> 0" for component in fact.components)
    return (
        "select distinct project_id, (at at time zone 'UTC')::date from\n"
        f"  (select project_id, at from contribution group by {keys}\n"
        f"  having sum(sign) <> 0 or {moved}) as moved"
    )
