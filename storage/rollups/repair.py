"""Rebuilds a day's roll-ups from the facts, and compares them with a recount."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import asyncpg

from storage.facts.fact import Fact, Floors, Keep
from storage.feed.counters import CATALOGUE_PROJECT, record
from storage.rollups.contribution import (
    contribution_rows,
    counted_rows,
    rollup_insert,
    rollup_select,
)
from storage.rollups.statements import EXCLUSIVE_LOCK
from storage.rollups.tables import RollupRows, numbers, rows_of

_REBUILD_SLOT = "0"
_IN_DAY = "at >= $1 and at < $2"


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
            table=rows.table,
            keep=rows.keep,
            stored=_stored(rows),
            rebuild=_counted(fact) + rollup_insert(fact, rows, _REBUILD_SLOT, _IN_DAY),
            recount=_recount(fact, rows),
        )
        for rows in rows_of(fact)
    ]


def _stored(rows: RollupRows) -> str:
    """SQL for the day's rows; it names every key column before the bucket, to use the key."""
    conditions = {
        "project_id": "project_id in (select project_id from projects)",
        "cell": f"cell in ({numbers(rows.cells)})",
        "bucket": "bucket >= $1 and bucket < $2",
    }
    before = rows.keys[: rows.keys.index("bucket") + 1]
    return f"{rows.table} where {' and '.join(conditions[name] for name in before)}"


@cache
def _projects(fact: Fact) -> str:
    """SQL for the projects that have roll-up rows in the day."""
    return " union ".join(
        f"select project_id from {_stored(rows)}"
        for rows in rows_of(fact)
        if rows.keys[0] == "project_id"
    )


def _counted(fact: Fact) -> str:
    """SQL for the rows named ``counted``, from the day's facts."""
    name = fact.table.name
    in_day = " or ".join(
        f"({name}.{column} >= $1 and {name}.{column} < $2)" for column in fact.clocks.values()
    )
    source = f"(select 1 as sign, {name}.* from {name} where {in_day})"
    return (
        f"with contribution as materialized (\n{contribution_rows(fact, source)}),\n"
        f"counted as materialized (\n{counted_rows(fact)})\n"
    )


def _recount(fact: Fact, rows: RollupRows) -> str:
    """SQL for the rows that only one side has; platform rows are summed over their slots."""
    keys = [name for name in rows.keys if name != "slot"]
    sums = (_total_or_null(rows, name) for name in rows.values)
    stored = (
        f"select {', '.join(keys)}, {', '.join(sums)}"
        f" from {_stored(rows)} group by {', '.join(keys)}"
    )
    expected = rollup_select(fact, rows, _REBUILD_SLOT, _IN_DAY)
    return _counted(fact) + _compare(
        _named(rows, expected, rows.keys, keys), _named(rows, stored, keys, keys)
    )


def _total_or_null(rows: RollupRows, column: str) -> str:
    total = rows.totals.get(column)
    return f"{total}({column})" if total else f"nullif(sum({column}), 0)"


def _named(rows: RollupRows, select: str, given: Iterable[str], keys: Iterable[str]) -> str:
    """SQL for a row set with named and typed columns, without the rows whose values are all 0.

    ``given`` are the keys in the order of ``select``, of which ``keys`` are returned.
    """
    large = [component.name for component in rows.components if component.large]
    large += [peak.name for peak in rows.peaks]
    typed = (f"{name}::{'numeric' if name in large else 'bigint'}" for name in rows.values)
    not_zero = " or ".join(f"coalesce({name}, 0) <> 0" for name in rows.values)
    return (
        f"select {', '.join((*keys, *typed))}"
        f" from ({select}) as side({', '.join((*given, *rows.values))}) where {not_zero}"
    )


def _compare(facts: str, stored: str) -> str:
    return (
        f"select 'facts' as side, f.* from (({facts}) except all ({stored})) as f\n"
        f"union all select 'rollup' as side, s.* from (({stored}) except all ({facts})) as s\n"
        "order by 2, 3 limit 100"
    )
