"""Partitions by time: made ahead of need, and dropped whole when they are past."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from storage.database import Connection
from storage.errors import Timeout
from storage.facts import FACTS
from storage.facts.fact import Fact, Keep, Reach, Span
from storage.rollups.tables import FILLFACTOR, grain_table, presence_table
from storage.windows import DEFAULT, Retention

# Where nothing is ever dropped, this much is made at once; imports ask for what is older.
_KEPT_FOREVER_BACK = timedelta(days=90)
_LOCK_TIMEOUT_MS = 500
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table in time partitions; `keep` None is for raw events."""

    table: str
    column: str
    span: Span
    keep: Keep | None
    fillfactor: int = 100


@dataclass(frozen=True, slots=True)
class Partition:
    table: str
    name: str
    start: datetime
    end: datetime


EVENTS = (Partitioned("deployment_events", "occurred_at", Span.WEEK, None),)


def partitioned_tables() -> tuple[Partitioned, ...]:
    rollups = (table for fact in FACTS.values() for table in rollup_tables(fact))
    return (*EVENTS, *rollups)


def rollup_tables(fact: Fact) -> Iterator[Partitioned]:
    """The partitioned roll-ups of a fact."""
    for grain in fact.grains:
        if grain.partition is not None:
            name, fillfactor = grain_table(fact, grain).name, FILLFACTOR[grain.reach]
            yield Partitioned(name, "bucket", grain.partition, grain.keep, fillfactor)
    for presence in fact.presences:
        name, fillfactor = presence_table(fact, presence.name).name, FILLFACTOR[Reach.PROJECT]
        yield Partitioned(name, "bucket", presence.partition, presence.keep, fillfactor)


def span_start(span: Span, at: datetime) -> datetime:
    """The start of the UTC day, ISO week or month that `at` falls into."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if span is Span.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if span is Span.MONTH else day


def span_end(span: Span, start: datetime) -> datetime:
    if span is Span.MONTH:
        return (start + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=7 if span is Span.WEEK else 1)


def spans(table: Partitioned, first: datetime, last: datetime) -> Iterator[Partition]:
    """The partitions that hold every moment from `first` to `last`."""
    start = span_start(table.span, first)
    while start <= last:
        end = span_end(table.span, start)
        yield Partition(table.table, f"{table.table}_{start:%Y%m%d}", start, end)
        start = end


async def listing(connection: Connection, table: str) -> list[Partition]:
    """The partitions a table has, oldest first."""
    rows = await connection.fetch(_LISTING, table)
    return [Partition(table, row["name"], row["start"], row["end"]) for row in rows]


async def ensure(
    connection: Connection, table: Partitioned, first: datetime, last: datetime
) -> int:
    """Make the partitions from `first` to `last` that are missing; says how many."""
    existing = {partition.name for partition in await listing(connection, table.table)}
    missing = [each for each in spans(table, first, last) if each.name not in existing]
    for partition in missing:
        await _patiently(connection, _creation(table, partition))
    return len(missing)


async def ensure_range(connection: Connection, first: datetime, last: datetime) -> int:
    """Make whatever partitions facts from `first` to `last` need; says how many."""
    made = [
        await ensure(connection, table, first, last)
        for table in partitioned_tables()
        if table.keep is not Keep.MINUTE  # too old for it, or made by `ensure_ahead`
    ]
    return sum(made)


async def ensure_ahead(
    connection: Connection, now: datetime, days: int = 7, retention: Retention = DEFAULT
) -> int:
    """Make the partitions from the earliest moment kept until some days ahead of now."""
    floors, last = retention.floors(now), now + timedelta(days=days)
    made = 0
    for table in partitioned_tables():
        floor = floors.of(table.keep) if table.keep else retention.events_floor(now)
        made += await ensure(connection, table, floor or now - _KEPT_FOREVER_BACK, last)
    return made


async def detach(connection: Connection, partition: Partition) -> None:
    """Take a partition out of its table: nobody reads or writes it there any more."""
    await _patiently(
        connection, [f"alter table {partition.table} detach partition {partition.name}"]
    )


async def detached(connection: Connection, table: str) -> list[str]:
    """The former partitions of a table that were detached and are still there."""
    rows = await connection.fetch(_DETACHED, table)
    return [row["relname"] for row in rows]


async def drop(connection: Connection, name: str) -> None:
    """Drop a partition, attached or detached."""
    await _patiently(connection, [f"drop table if exists {name}"])


def _creation(table: Partitioned, partition: Partition) -> list[str]:
    """Made apart and then attached, which unlike PARTITION OF lets reads and writes go on."""
    bounds = f"from ('{partition.start.isoformat()}') to ('{partition.end.isoformat()}')"
    name = partition.name
    return [
        f"create table {name} (like {table.table} including defaults)"
        f" with (fillfactor = {table.fillfactor})",
        f"alter table {table.table} attach partition {name} for values {bounds}",
    ]


async def _patiently(connection: Connection, statements: list[str]) -> None:
    """Run DDL that gives way: it waits shortly for its lock, so nothing queues up behind it."""
    for attempt in range(_ATTEMPTS):
        try:
            async with connection.transaction():
                await connection.execute(f"set local lock_timeout = {_LOCK_TIMEOUT_MS}")
                await connection.execute("select pg_advisory_xact_lock(hashtext('partitions'))")
                for statement in statements:
                    await connection.execute(statement)
                await connection.execute("set local lock_timeout = 0")
            return
        except asyncpg.DuplicateTableError:
            return  # another process made it
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(random.uniform(0.5, 1.5) * 0.05 * (attempt + 1))
    raise Timeout("A table was too busy for its partitions to be changed")


_LISTING = """
select child.relname as name,
  (regexp_match(bounds, 'FROM \\(''([^'']+)''\\)'))[1]::timestamptz as start,
  (regexp_match(bounds, 'TO \\(''([^'']+)''\\)'))[1]::timestamptz as end
from pg_inherits
join pg_class as child on child.oid = pg_inherits.inhrelid
cross join lateral pg_get_expr(child.relpartbound, child.oid) as bounds
where pg_inherits.inhparent = $1::text::regclass
order by 2
"""

_DETACHED = """
select relname from pg_class
where relname ~ ('^' || $1 || '_[0-9]{8}$') and relkind = 'r' and not relispartition
  and relnamespace = (select relnamespace from pg_class where oid = $1::text::regclass)
order by relname
"""
