"""The statements by which a batch of events changes entities and all their roll-ups.

They run in one transaction, in this order: the shared lock, the insert of events, the lock of
rows, and (once the new states are computed) the apply statement.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.deployments import deployment_events
from storage.facts.fact import SERIES_DIMENSIONS, Fact, Floors, Presence, RollupRows
from storage.feed.counters import record
from storage.rollups.contribution import (
    bucket_of,
    contribution_rows,
    counted_rows,
    sums,
    value_columns,
)
from storage.rollups.tables import grain_table, key_columns, numbers, presence_table

SHARED_LOCK = "select pg_advisory_xact_lock_shared(hashtext('rollups:' || $1))"
EXCLUSIVE_LOCK = "select pg_advisory_xact_lock(hashtext('rollups:' || $1))"


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


@cache
def insert_events() -> Statement:
    """Insert events; returns (project_id, occurred_at, event_id) of the new ones."""
    columns = tuple(column.name for column in deployment_events.columns)
    names = ", ".join(columns)
    source = _unnest(deployment_events, columns)
    text = (
        f"insert into deployment_events ({names})\n"
        f"select {names} from {source} as event order by project_id, occurred_at, event_id\n"
        "on conflict do nothing returning project_id, occurred_at, event_id"
    )
    return Statement(text, columns, deployment_events)


@cache
def lock_rows(fact: Fact) -> Statement:
    """Lock the entities with these keys and return their rows; new ones get placeholder rows.

    ``on conflict do update`` locks and reads in one step, and also works across shards, unlike
    ``for update``.
    """
    name, key = fact.table.name, ", ".join(fact.key)
    text = (
        f"insert into {name} as entity ({key})\n"
        f"select {key} from {_unnest(fact.table, fact.key)} as wanted order by {key}\n"
        f"on conflict ({key}) do update set revision = entity.revision + 1 returning *"
    )
    return Statement(text, fact.key, fact.table)


def written_columns(fact: Fact) -> tuple[str, ...]:
    """The columns the apply statement writes: the key first, then all but the revision."""
    return tuple(column.name for column in fact.table.columns if column.name != "revision")


@cache
def apply(fact: Fact) -> Statement:
    """Write the new states of locked entities, and add the differences to every roll-up.

    Parameters after the column arrays: writer slot, then the minute, fine and day floors.
    Returns (project_id, day) of the UTC days whose counts changed.
    """
    columns = written_columns(fact)
    slot, minute, fine, day = (f"${len(columns) + offset}" for offset in range(1, 5))
    floors = Floors(minute, fine, day)  # type: ignore[arg-type]
    steps = [
        f"incoming as materialized (select * from {_unnest(fact.table, columns)} as given)",
        _before(fact),
        _after(fact, columns),
        _changed(),
        f"contribution as materialized (\n{contribution_rows(fact, 'changed')})",
        f"counted as materialized (\n{counted_rows(fact)})",
    ]
    for number, rows in enumerate(fact.rows()):
        floor = f"{floors.of(rows.grain.keep)}::timestamptz"
        condition = f"({floor} is null or at >= {floor})"
        steps.append(f"rollup_step_{number} as ({_rollup_upsert(fact, rows, slot, condition)})")
    for presence in fact.presences:
        steps.append(_presence_step(fact, presence, f"{floors.of(presence.keep)}::timestamptz"))
    return Statement("with " + ",\n".join(steps) + f"\n{_changed_days(fact)}", columns, fact.table)


async def write_rows(
    connection: Connection, fact: Fact, rows: Collection[Sequence[Any]], slot: int, floors: Floors
) -> None:
    """Write rows of `written_columns`, whose keys are locked, and count the change."""
    if rows:
        statement = apply(fact)
        limits = (floors.minute, floors.fine, floors.day)
        days = await connection.fetch(statement.text, *statement.arrays(rows), slot, *limits)
        await record(connection, fact.name, slot, days, [(row[0], row[1]) for row in rows])


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
    keys = ", ".join(("project_id", "at", *SERIES_DIMENSIONS, "histogram_bucket"))
    moved = " or ".join(f"sum({component.name}) <> 0" for component in fact.components)
    return (
        "select distinct project_id, (at at time zone 'UTC')::date from\n"
        f"  (select project_id, at from contribution group by {keys}\n"
        f"  having sum(sign) <> 0 or {moved}) as moved"
    )


def _rollup_upsert(fact: Fact, rows: RollupRows, slot: str, condition: str) -> str:
    updates = [
        f"{component.name} = r.{component.name} + excluded.{component.name}"
        for component in fact.components
    ]
    if rows.histogram:
        updates += [
            f"{h} = case when excluded.{h} is null then r.{h}"
            f" else nullif(coalesce(r.{h}, 0) + excluded.{h}, 0) end"
            for h in fact.histogram.columns
        ]
    return (
        f"{rollup_insert(fact, rows, slot, condition)}\n"
        f"on conflict ({', '.join(key_columns(rows.grain))}) do update set {', '.join(updates)}"
    )


def rollup_insert(fact: Fact, rows: RollupRows, slot: str, condition: str) -> str:
    """SQL that inserts the sums of the rows named ``counted`` into a grain's table.

    In key order: many writers update the rows of coarse cells, and one order prevents deadlocks.
    """
    keys = key_columns(rows.grain)
    columns = ", ".join((*keys, *value_columns(fact, rows)))
    return (
        f"insert into {grain_table(fact, rows.grain).name} as r ({columns})\n"
        f"{rollup_select(fact, rows, slot, condition)}\n"
        f"order by {', '.join(str(position) for position in range(1, len(keys) + 1))}"
    )


def rollup_select(fact: Fact, rows: RollupRows, slot: str, condition: str) -> str:
    """SQL that sums the rows named ``counted`` to rows of a grain."""
    known = {"bucket": bucket_of("at", rows.grain.width), "slot": f"{slot}::smallint"}
    keys = [known.get(name, name) for name in key_columns(rows.grain)]
    in_cells = "" if rows.cells == fact.cells else f" and cell in ({numbers(rows.cells)})"
    groups = ", ".join(str(position) for position in range(1, len(keys) + 1))
    return (
        f"select {', '.join([*keys, *sums(fact, rows)])}\n"
        f"from counted where {condition}{in_cells} group by {groups}"
    )


def _presence_step(fact: Fact, presence: Presence, floor: str) -> str:
    table, counted = presence_table(fact, presence).name, fact.presence_component
    insert = presence_insert(fact, presence, f"({floor} is null or at >= {floor})")
    return (
        f"{table}_step as ({insert}\n"
        f"on conflict (bucket, network_id, project_id)"
        f" do update set {counted} = r.{counted} + excluded.{counted})"
    )


def presence_insert(fact: Fact, presence: Presence, condition: str) -> str:
    """SQL that inserts the presence counts of the rows named ``contribution``."""
    table, counted = presence_table(fact, presence).name, fact.presence_component
    return (
        f"insert into {table} as r (bucket, network_id, project_id, {counted})\n"
        f"{presence_select(fact, presence, condition)} order by 1, 2, 3"
    )


def presence_select(fact: Fact, presence: Presence, condition: str) -> str:
    """SQL that sums the rows named ``contribution`` to presence rows."""
    counted = fact.presence_component
    return (
        f"select {bucket_of('at', presence.width)}, network_id, project_id, sum({counted})"
        f" from contribution where {condition} group by 1, 2, 3 having sum({counted}) <> 0"
    )
