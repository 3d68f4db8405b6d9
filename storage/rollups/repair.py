"""Rebuild a day's roll-ups from the facts, and check that they equal a recount."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import asyncpg

from storage.facts.fact import Fact, Floors, Presence, Reach, RollupRows
from storage.feed.counters import CATALOGUE_PROJECT, Touched, record
from storage.rollups.contribution import contribution_rows, counted_rows, value_columns
from storage.rollups.statements import (
    EXCLUSIVE_LOCK,
    presence_insert,
    presence_select,
    rollup_insert,
    rollup_select,
)
from storage.rollups.tables import grain_table, key_columns, numbers, presence_table

_REBUILD_SLOT = "0"
_IN_DAY = "at >= $1 and at < $2"
_IN_BUCKETS = "bucket >= $1 and bucket < $2"


@dataclass(frozen=True, slots=True)
class Difference:
    """A roll-up row that the facts do not bear out, or one that is missing."""

    table: str
    side: str  # "facts" holds what the facts add up to, "rollup" what is stored
    row: Mapping[str, Any]


async def rebuild_day(
    connection: asyncpg.Connection, fact: Fact, day: date, floors: Floors
) -> None:
    """Write a UTC day's roll-ups anew from the facts, in one transaction that holds ingest back.

    Tables whose floor is past the day are left alone. The facts of that day must still be there.
    Every project that had or has rows in the day is counted as changed, so that no answer read
    from wrong rows stays.
    """
    start, end = _bounds(day)
    async with connection.transaction():
        await connection.execute(EXCLUSIVE_LOCK, fact.name)
        projects = await connection.fetch(_projects(fact), start, end)
        for rows in fact.rows():
            if _kept(floors.of(rows.grain.keep), start):
                await connection.execute(_delete(fact, rows), start, end)
                await connection.execute(_rebuild(fact, rows), start, end)
        for presence in fact.presences:
            if _kept(floors.of(presence.keep), start):
                await connection.execute(_delete_presence(fact, presence), start, end)
                await connection.execute(_rebuild_presence(fact, presence), start, end)
        projects += await connection.fetch(_projects(fact), start, end)
        touched = {(row["project_id"], day) for row in projects}
        # The platform's rows may have been wrong alone, which is a change of no project.
        touched = touched or {(CATALOGUE_PROJECT, day)}
        await record(connection, fact.name, int(_REBUILD_SLOT), Touched(touched))


async def recount_day(
    connection: asyncpg.Connection, fact: Fact, day: date, floors: Floors
) -> list[Difference]:
    """Compare a UTC day's roll-ups with a recount of the facts; an empty list means they agree.

    Each table is compared in one statement, so that ingest may go on meanwhile.
    """
    start, end = _bounds(day)
    differences: list[Difference] = []
    checks = [
        (grain_table(fact, rows.grain).name, rows.grain.keep, _recount(fact, rows))
        for rows in fact.rows()
    ] + [
        (presence_table(fact, presence.name).name, presence.keep, _recount_presence(fact, presence))
        for presence in fact.presences
    ]
    for table, keep, text in checks:
        if _kept(floors.of(keep), start):
            for row in await connection.fetch(text, start, end):
                values = {name: value for name, value in row.items() if value is not None}
                differences.append(Difference(table, values.pop("side"), values))
    return differences


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time.min, UTC)
    return start, start + timedelta(days=1)


def _kept(floor: datetime | None, start: datetime) -> bool:
    return floor is None or start >= floor


def _stored(fact: Fact, rows: RollupRows) -> str:
    """SQL for the rows of the day, which their key finds: with every column before the bucket."""
    owners = "project_id in (select project_id from projects) and "
    return (
        f"{grain_table(fact, rows.grain).name}"
        f" where {owners if rows.grain.reach is Reach.PROJECT else ''}"
        f"cell in ({numbers(rows.cells)}) and {_IN_BUCKETS}"
    )


def _delete(fact: Fact, rows: RollupRows) -> str:
    return f"delete from {_stored(fact, rows)}"


def _delete_presence(fact: Fact, presence: Presence) -> str:
    return f"delete from {presence_table(fact, presence.name).name} where {_IN_BUCKETS}"


@cache
def _projects(fact: Fact) -> str:
    """The projects that have roll-up rows in the day."""
    return " union ".join(
        f"select project_id from {_stored(fact, rows)}"
        for rows in fact.rows()
        if rows.grain.reach is Reach.PROJECT
    )


def _contribution(fact: Fact) -> str:
    """The rows named ``contribution`` that the facts of the day add up to."""
    name = fact.table.name
    in_day = " or ".join(
        f"({name}.{column} >= $1 and {name}.{column} < $2)" for column in fact.clocks.values()
    )
    source = f"(select 1 as sign, {name}.* from {name} where {in_day})"
    return f"with contribution as materialized (\n{contribution_rows(fact, source)})"


def _counted(fact: Fact) -> str:
    """The rows named ``counted`` that the facts of the day add up to."""
    return f"{_contribution(fact)},\ncounted as materialized (\n{counted_rows(fact)})\n"


@cache
def _rebuild(fact: Fact, rows: RollupRows) -> str:
    return _counted(fact) + rollup_insert(fact, rows, _REBUILD_SLOT, _IN_DAY)


@cache
def _rebuild_presence(fact: Fact, presence: Presence) -> str:
    return f"{_contribution(fact)}\n{presence_insert(fact, presence, _IN_DAY)}"


@cache
def _recount(fact: Fact, rows: RollupRows) -> str:
    """The rows that only one side has, with platform rows summed over their slots."""
    every = key_columns(rows.grain)
    keys = [name for name in every if name != "slot"]
    values = value_columns(fact, rows)
    expected = rollup_select(fact, rows, _REBUILD_SLOT, _IN_DAY)
    stored = (
        f"select {', '.join(keys)}, {', '.join(_sum_or_null(fact, value) for value in values)}"
        f" from {_stored(fact, rows)} group by {', '.join(keys)}"
    )
    return _counted(fact) + _compare(
        _named(fact, expected, [*every, *values], keys, values),
        _named(fact, stored, [*keys, *values], keys, values),
    )


def _sum_or_null(fact: Fact, column: str) -> str:
    total = f"sum({column})"
    return f"nullif({total}, 0)" if column in fact.histogram.columns else total


def _named(fact: Fact, select: str, columns: list[str], keys: list[str], values: list[str]) -> str:
    """The row set with its columns named and typed alike, and rows that count nothing left out."""
    large = [component.name for component in fact.components if component.large]
    typed = ", ".join(f"{name}::{'numeric' if name in large else 'bigint'}" for name in values)
    something = " or ".join(f"coalesce({name}, 0) <> 0" for name in values)
    return (
        f"select {', '.join(keys)}, {typed} from ({select}) as side({', '.join(columns)})"
        f" where {something}"
    )


@cache
def _recount_presence(fact: Fact, presence: Presence) -> str:
    keys, counted = ["bucket", "network_id", "project_id"], fact.presence_component
    columns = [*keys, counted]
    stored = (
        f"select {', '.join(columns)} from {presence_table(fact, presence.name).name}"
        f" where {_IN_BUCKETS}"
    )
    expected = presence_select(fact, presence, _IN_DAY)
    sides = [_named(fact, side, columns, keys, [counted]) for side in (expected, stored)]
    return f"{_contribution(fact)}\n{_compare(*sides)}"


def _compare(facts: str, stored: str) -> str:
    return (
        f"select 'facts' as side, f.* from (({facts}) except all ({stored})) as f\n"
        f"union all select 'rollup' as side, s.* from (({stored}) except all ({facts})) as s\n"
        "order by 2, 3 limit 100"
    )
