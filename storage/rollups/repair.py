"""Rebuilds a day's roll-ups from the facts, and compares them with a recount."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import asyncpg

from storage.facts.fact import Fact, Floors, Keep, Presence, Reach, RollupRows
from storage.feed.counters import CATALOGUE_PROJECT, record
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
    """A roll-up row that differs from the facts, or is missing."""

    table: str
    side: str  # "facts": the row as recounted; "rollup": the row as stored
    row: Mapping[str, Any]


async def rebuild_day(
    connection: asyncpg.Connection, fact: Fact, day: date, floors: Floors
) -> None:
    """Write a UTC day's roll-ups anew from the facts, in one transaction that blocks ingest.

    Tables whose floor is after the day are left alone. The day's facts must not be deleted yet.
    Every project with rows in the day, before or after, is recorded as changed, so that no cached
    answer stays that was read from wrong rows.
    """
    start, end = _bounds(day)
    async with connection.transaction():
        await connection.execute(EXCLUSIVE_LOCK, fact.name)
        projects = await connection.fetch(_projects(fact), start, end)
        for part in _kept_parts(fact, floors, start):
            await connection.execute(f"delete from {part.stored}", start, end)
            await connection.execute(part.rebuild, start, end)
        projects += await connection.fetch(_projects(fact), start, end)
        # Only the platform's rows may have been wrong, which changes no project.
        days = {(row["project_id"], day) for row in projects} or {(CATALOGUE_PROJECT, day)}
        await record(connection, fact.name, int(_REBUILD_SLOT), days)


async def recount_day(
    connection: asyncpg.Connection, fact: Fact, day: date, floors: Floors
) -> list[Difference]:
    """Compare a UTC day's roll-ups with a recount of the facts; an empty list means they agree.

    Each table is compared in one statement, so ingest may go on meanwhile.
    """
    start, end = _bounds(day)
    differences: list[Difference] = []
    for part in _kept_parts(fact, floors, start):
        for row in await connection.fetch(part.recount, start, end):
            values = {name: value for name, value in row.items() if value is not None}
            differences.append(Difference(part.table, values.pop("side"), values))
    return differences


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time.min, UTC)
    return start, start + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of a roll-up table, and the SQL that rebuilds and recounts a day of them."""

    table: str
    keep: Keep
    stored: str  # the table and the condition for the day's rows
    rebuild: str
    recount: str


def _kept_parts(fact: Fact, floors: Floors, start: datetime) -> Iterator[_Part]:
    """The parts whose floor is not after the day's start."""
    for part in _parts(fact):
        floor = floors.of(part.keep)
        if floor is None or start >= floor:
            yield part


@cache
def _parts(fact: Fact) -> list[_Part]:
    return [
        _Part(
            table=grain_table(fact, rows.grain).name,
            keep=rows.grain.keep,
            stored=_stored(fact, rows),
            rebuild=_counted(fact) + rollup_insert(fact, rows, _REBUILD_SLOT, _IN_DAY),
            recount=_recount(fact, rows),
        )
        for rows in fact.rows()
    ] + [
        _Part(
            table=presence_table(fact, presence).name,
            keep=presence.keep,
            stored=_stored_presence(fact, presence),
            rebuild=f"{_contribution(fact)}\n{presence_insert(fact, presence, _IN_DAY)}",
            recount=_recount_presence(fact, presence),
        )
        for presence in fact.presences
    ]


def _stored(fact: Fact, rows: RollupRows) -> str:
    """SQL for the day's rows; it names every key column before the bucket, to use the key."""
    owners = "project_id in (select project_id from projects) and "
    return (
        f"{grain_table(fact, rows.grain).name}"
        f" where {owners if rows.grain.reach is Reach.PROJECT else ''}"
        f"cell in ({numbers(rows.cells)}) and {_IN_BUCKETS}"
    )


def _stored_presence(fact: Fact, presence: Presence) -> str:
    return f"{presence_table(fact, presence).name} where {_IN_BUCKETS}"


@cache
def _projects(fact: Fact) -> str:
    """SQL for the projects that have roll-up rows in the day."""
    return " union ".join(
        f"select project_id from {_stored(fact, rows)}"
        for rows in fact.rows()
        if rows.grain.reach is Reach.PROJECT
    )


def _contribution(fact: Fact) -> str:
    """SQL for the rows named ``contribution``, from the day's facts."""
    name = fact.table.name
    in_day = " or ".join(
        f"({name}.{column} >= $1 and {name}.{column} < $2)" for column in fact.clocks.values()
    )
    source = f"(select 1 as sign, {name}.* from {name} where {in_day})"
    return f"with contribution as materialized (\n{contribution_rows(fact, source)})"


def _counted(fact: Fact) -> str:
    """SQL for the rows named ``counted``, from the day's facts."""
    return f"{_contribution(fact)},\ncounted as materialized (\n{counted_rows(fact)})\n"


def _recount(fact: Fact, rows: RollupRows) -> str:
    """SQL for the rows that only one side has; platform rows are summed over their slots."""
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
    """SQL for a row set with named and typed columns, without the rows whose values are all 0."""
    large = [component.name for component in fact.components if component.large]
    typed = ", ".join(f"{name}::{'numeric' if name in large else 'bigint'}" for name in values)
    not_zero = " or ".join(f"coalesce({name}, 0) <> 0" for name in values)
    return (
        f"select {', '.join(keys)}, {typed} from ({select}) as side({', '.join(columns)})"
        f" where {not_zero}"
    )


def _recount_presence(fact: Fact, presence: Presence) -> str:
    keys, counted = ["bucket", "network_id", "project_id"], fact.presence_component
    columns = [*keys, counted]
    stored = f"select {', '.join(columns)} from {_stored_presence(fact, presence)}"
    expected = presence_select(fact, presence, _IN_DAY)
    sides = [_named(fact, side, columns, keys, [counted]) for side in (expected, stored)]
    return f"{_contribution(fact)}\n{_compare(*sides)}"


def _compare(facts: str, stored: str) -> str:
    return (
        f"select 'facts' as side, f.* from (({facts}) except all ({stored})) as f\n"
        f"union all select 'rollup' as side, s.* from (({stored}) except all ({facts})) as s\n"
        "order by 2, 3 limit 100"
    )
