"""Partitions by time, of events and minute roll-ups: each costs every connection memory.

They are created ahead of need, or when rows of another time arrive, and are dropped whole.
"""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain

import asyncpg
from sqlalchemy import Column, DateTime, Table, Text

from storage.connections.database import Connection
from storage.errors import Timeout
from storage.facts import FACTS
from storage.facts.fact import Append, Fact, Keep, PartitionSpan
from storage.keeping.windows import DEFAULT, Retention
from storage.metadata import metadata
from storage.rollups.tables import FILLFACTOR, grain_table
from storage.times import midnight

# How far back minutes are created if they are never dropped.
_KEPT_FOREVER_BACK = timedelta(days=90)
# How far ahead partitions are created.
AHEAD = {
    PartitionSpan.DAY: timedelta(days=2),
    PartitionSpan.WEEK: timedelta(days=7),
    PartitionSpan.MONTH: timedelta(days=7),
}
# Name suffixes; an archive's file is named after its partition.
_NAMES = {PartitionSpan.DAY: "%Y%m%d", PartitionSpan.WEEK: "%Y%m%d", PartitionSpan.MONTH: "%Y%m"}
_LOCK_TIMEOUT_MS = 500
_ATTEMPTS = 20

# By append fact, the time before which its rows were dropped.
dropped_rows = Table(
    "dropped_rows",
    metadata,
    Column("fact", Text, primary_key=True),
    Column("before", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table partitioned by time; `keep` is None for events, and for what is kept beside them."""

    table: str
    span: PartitionSpan
    keep: Keep | None
    fillfactor: int = 100
    holds_events: bool = False


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, from `start` (inclusive) to `end` (exclusive)."""

    table: str
    name: str
    start: datetime
    end: datetime


def partitioned_tables(fact: Fact) -> list[Partitioned]:
    """The partitioned roll-ups of a fact, its events, then what is kept beside them."""
    rollups = [
        Partitioned(
            grain_table(fact, grain).name, grain.partition, grain.keep, FILLFACTOR[grain.reach]
        )
        for grain in fact.grains
        if grain.partition is not None
    ]
    return [
        *rollups,
        Partitioned(fact.events.name, fact.partition, None, holds_events=True),
        *(Partitioned(name, fact.partition, None) for name in fact.content.tables),
    ]


def span_start(span: PartitionSpan, at: datetime) -> datetime:
    """The start of the UTC day, week or month of a time."""
    day = midnight(at)
    if span is PartitionSpan.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if span is PartitionSpan.MONTH else day


def span_end(span: PartitionSpan, start: datetime) -> datetime:
    if span is PartitionSpan.MONTH:
        return (start + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=7 if span is PartitionSpan.WEEK else 1)


def holding(table: Partitioned, times: Iterable[datetime]) -> list[Partition]:
    """The partitions for these times, oldest first."""
    name = f"{table.table}_{{:{_NAMES[table.span]}}}"
    return [
        Partition(table.table, name.format(start), start, span_end(table.span, start))
        for start in sorted({span_start(table.span, at) for at in times})
    ]


async def listing(connection: Connection, table: str) -> list[Partition]:
    """The existing partitions of a table, oldest first."""
    rows = await connection.fetch(_LISTING, table)
    return [Partition(table, row["name"], row["start"], row["end"]) for row in rows]


async def counts(connection: Connection) -> dict[str, int]:
    """The number of partitions by table."""
    return {row["relname"]: row["partitions"] for row in await connection.fetch(_COUNTS)}


async def ensure(connection: Connection, table: Partitioned, times: Iterable[datetime]) -> int:
    """Create the missing partitions for these times; returns how many."""
    existing = {partition.name for partition in await listing(connection, table.table)}
    missing = [new for new in holding(table, times) if new.name not in existing]
    for partition in missing:
        await _run_ddl(connection, _creation(table, partition))
    return len(missing)


async def ensure_for(
    connection: Connection,
    fact: Fact,
    times: Iterable[datetime],
    now: datetime,
    retention: Retention = DEFAULT,
) -> int:
    """Create the missing partitions of a fact's tables for these times; returns how many."""
    wanted, floors, created = list(times), retention.floors(now), 0
    for table in partitioned_tables(fact):
        floor = floors.of(table.keep) if table.keep else None
        created += await ensure(
            connection, table, (at for at in wanted if floor is None or at >= floor)
        )
    return created


async def ensure_ahead(
    connection: Connection, now: datetime, retention: Retention = DEFAULT
) -> int:
    """Create the partitions of the coming days, and of all minutes kept; returns how many.

    Earlier minutes are needed because a change today updates the minute of the entity's start.
    """
    floors, created = retention.floors(now), 0
    for table in chain.from_iterable(map(partitioned_tables, FACTS.values())):
        first = (floors.of(table.keep) or now - _KEPT_FOREVER_BACK) if table.keep else now
        last = now + AHEAD[table.span]
        every_day = (first + timedelta(days=n) for n in range((last - first).days + 1))
        created += await ensure(connection, table, (*every_day, last))
    return created


async def detach(connection: Connection, partition: Partition) -> None:
    """Take a partition out of its table, after which no statement reads or writes it there."""
    await _run_ddl(connection, [f"alter table {partition.table} detach partition {partition.name}"])


async def detached(connection: Connection, table: str) -> list[str]:
    """The names of a table's detached partitions that are not dropped yet."""
    rows = await connection.fetch(_DETACHED, table)
    return [row["relname"] for row in rows]


async def drop(connection: Connection, name: str) -> None:
    """Drop a partition, attached or detached."""
    await _run_ddl(connection, [f"drop table if exists {name}"])


async def remember_dropped(connection: Connection, fact: Append, before: datetime) -> None:
    """Note that rows before this time go: their days cannot be recounted any more."""
    await connection.execute(_REMEMBER, fact.name, before)


async def can_recount(connection: Connection, fact: Fact, day: date) -> bool:
    """Whether all rows that a UTC day's roll-ups count are stored, if the roll-ups still are.

    Entities are kept as long as the roll-ups by day. The rows of an append fact are its events.
    """
    if not isinstance(fact, Append):
        return True
    before: datetime | None = await connection.fetchval(_DROPPED, fact.name)
    return before is None or datetime.combine(day, time.min, UTC) >= before


def _creation(table: Partitioned, partition: Partition) -> list[str]:
    """SQL that creates and then attaches; unlike PARTITION OF this blocks no read or write."""
    bounds = f"from ('{partition.start.isoformat()}') to ('{partition.end.isoformat()}')"
    name = partition.name
    return [
        f"create table {name} (like {table.table} including defaults)"
        f" with (fillfactor = {table.fillfactor})",
        f"alter table {table.table} attach partition {name} for values {bounds}",
    ]


async def _run_ddl(connection: Connection, statements: list[str]) -> None:
    """Run DDL with a short lock timeout and retries, so that no statement queues up behind it.

    Raises `Timeout` when all attempts fail.
    """
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
            return  # another process created it
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(random.uniform(0.5, 1.5) * 0.05 * (attempt + 1))
    raise Timeout("A table's partitions could not be changed: it stayed locked")


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

_COUNTS = """
select relname, count(inhrelid) as partitions
from pg_partitioned_table join pg_class on oid = partrelid left join pg_inherits on inhparent = oid
group by relname
"""

_DETACHED = """
select relname from pg_class
where relname ~ ('^' || $1 || '_[0-9]{6,8}$') and relkind = 'r' and not relispartition
  and relnamespace = (select relnamespace from pg_class where oid = $1::text::regclass)
order by relname
"""

_DROPPED = "select before from dropped_rows where fact = $1"

_REMEMBER = """
insert into dropped_rows as known (fact, before) values ($1, $2)
on conflict (fact) do update set before = greatest(known.before, excluded.before)
"""
