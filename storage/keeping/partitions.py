"""Partitions by time: of raw rows and minutes only, since each costs every connection memory.

They are made ahead of need, or when rows of another time come, and are dropped whole.
"""

import asyncio
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from storage.connections.database import Connection
from storage.errors import Timeout
from storage.facts import FACTS
from storage.facts.fact import Fact, Keep, PartitionSpan
from storage.keeping.windows import DEFAULT, Retention
from storage.rollups.tables import FILLFACTOR, grain_table

# Where minutes are never dropped, this much is made at once.
_KEPT_FOREVER_BACK = timedelta(days=90)
# Archives are called like the partition they come from.
_NAMES = {PartitionSpan.DAY: "%Y%m%d", PartitionSpan.MONTH: "%Y%m"}
_LOCK_TIMEOUT_MS = 500
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table in time partitions; `keep` None is for raw events."""

    table: str
    column: str
    span: PartitionSpan
    keep: Keep | None
    fillfactor: int = 100


@dataclass(frozen=True, slots=True)
class Partition:
    table: str
    name: str
    start: datetime
    end: datetime


EVENTS = (Partitioned("deployment_events", "occurred_at", PartitionSpan.MONTH, None),)


def partitioned_tables() -> tuple[Partitioned, ...]:
    rollups = (table for fact in FACTS.values() for table in rollup_tables(fact))
    return (*EVENTS, *rollups)


def rollup_tables(fact: Fact) -> Iterator[Partitioned]:
    """The partitioned roll-ups of a fact."""
    for grain in fact.grains:
        if grain.partition is not None:
            name, fillfactor = grain_table(fact, grain).name, FILLFACTOR[grain.reach]
            yield Partitioned(name, "bucket", grain.partition, grain.keep, fillfactor)


def span_start(span: PartitionSpan, at: datetime) -> datetime:
    """The start of the UTC day or month that `at` falls into."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day.replace(day=1) if span is PartitionSpan.MONTH else day


def span_end(span: PartitionSpan, start: datetime) -> datetime:
    if span is PartitionSpan.MONTH:
        return (start + timedelta(days=32)).replace(day=1)
    return start + timedelta(days=1)


def holding(table: Partitioned, times: Iterable[datetime]) -> list[Partition]:
    """The partitions that hold these moments, oldest first."""
    name = f"{table.table}_{{:{_NAMES[table.span]}}}"
    return [
        Partition(table.table, name.format(start), start, span_end(table.span, start))
        for start in sorted({span_start(table.span, at) for at in times})
    ]


async def listing(connection: Connection, table: str) -> list[Partition]:
    """The partitions a table has, oldest first."""
    rows = await connection.fetch(_LISTING, table)
    return [Partition(table, row["name"], row["start"], row["end"]) for row in rows]


async def counts(connection: Connection) -> dict[str, int]:
    """How many partitions each partitioned table has."""
    return {row["relname"]: row["partitions"] for row in await connection.fetch(_COUNTS)}


async def ensure(connection: Connection, table: Partitioned, times: Iterable[datetime]) -> int:
    """Make the partitions that these moments need and that are missing; says how many."""
    existing = {partition.name for partition in await listing(connection, table.table)}
    missing = [each for each in holding(table, times) if each.name not in existing]
    for partition in missing:
        await _patiently(connection, _creation(table, partition))
    return len(missing)


async def ensure_for(
    connection: Connection,
    times: Iterable[datetime],
    now: datetime,
    retention: Retention = DEFAULT,
) -> int:
    """Make the partitions that facts of these moments need, and none between; says how many."""
    wanted, floors, made = list(times), retention.floors(now), 0
    for table in partitioned_tables():
        floor = floors.of(table.keep) if table.keep else None
        made += await ensure(
            connection, table, (at for at in wanted if floor is None or at >= floor)
        )
    return made


async def ensure_ahead(
    connection: Connection, now: datetime, days: int = 7, retention: Retention = DEFAULT
) -> int:
    """Make the partitions from now until some days ahead, and of all minutes that are kept.

    A change today may move what a deployment of an earlier minute counts.
    """
    floors, last, made = retention.floors(now), now + timedelta(days=days), 0
    for table in partitioned_tables():
        first = (floors.of(table.keep) or now - _KEPT_FOREVER_BACK) if table.keep else now
        every_day = ((first + timedelta(days=n)) for n in range((last - first).days + 1))
        made += await ensure(connection, table, (*every_day, last))
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
