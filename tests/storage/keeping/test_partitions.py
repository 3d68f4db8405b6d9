"""Partitions are there before they are needed, whoever makes them, and go without a fight."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from storage.connections.database import Connection, Database
from storage.errors import Timeout
from storage.facts import FACTS
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Fact, PartitionSpan
from storage.facts.invocations import INVOCATIONS
from storage.keeping import partitions
from storage.keeping.partitions import (
    Partitioned,
    drop,
    ensure,
    ensure_ahead,
    ensure_for,
    holding,
    listing,
    partitioned_tables,
    span_end,
    span_start,
)
from storage.keeping.windows import Retention

NOW = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)  # a Wednesday
EVENTS = partitioned_tables(DEPLOYMENTS)[-1]
INSERT_EVENT = (
    "insert into deployment_events (project_id, occurred_at, event_id, deployment_id, type)"
    " values (1, $1, gen_random_uuid(), gen_random_uuid(), 0)"
)


@pytest.fixture
async def connection(own_database: Database) -> AsyncIterator[Connection]:
    async with own_database.connection() as connection:
        yield connection


@pytest.mark.parametrize(
    ("span", "start", "end"),
    [
        (PartitionSpan.DAY, datetime(2031, 7, 16, tzinfo=UTC), datetime(2031, 7, 17, tzinfo=UTC)),
        (PartitionSpan.WEEK, datetime(2031, 7, 14, tzinfo=UTC), datetime(2031, 7, 21, tzinfo=UTC)),
        (PartitionSpan.MONTH, datetime(2031, 7, 1, tzinfo=UTC), datetime(2031, 8, 1, tzinfo=UTC)),
    ],
)
def test_spans_are_utc_days_weeks_and_months(
    span: PartitionSpan, start: datetime, end: datetime
) -> None:
    assert span_start(span, NOW) == start
    assert span_end(span, start) == end


def test_moments_of_one_partition_need_it_once() -> None:
    table = Partitioned("t", PartitionSpan.MONTH, None)
    names = [partition.name for partition in holding(table, [NOW, NOW - timedelta(days=99), NOW])]
    assert names == ["t_203104", "t_203107"]


def test_all_facts_together_need_few_partitions() -> None:
    retention = Retention()
    for day in range(366):
        now, needed = NOW + timedelta(days=day), 0
        for fact in FACTS.values():
            minutes, events = retention.floors(now).minute, retention.events_floor(now, fact.kept)
            for table in partitioned_tables(fact):
                floor = minutes if table.keep else events
                assert floor is not None
                days = (now + partitions.AHEAD[table.span] - floor).days + 1
                needed += len(holding(table, (floor + timedelta(days=n) for n in range(days + 1))))
        assert needed < 100


async def test_partitions_ahead_are_few_and_take_what_comes(connection: Connection) -> None:
    before = await partitions.counts(connection)
    tables = {table.table for fact in FACTS.values() for table in partitioned_tables(fact)}
    assert before.keys() == tables
    created = await ensure_ahead(connection, NOW)
    assert sum((await partitions.counts(connection)).values()) == sum(before.values()) + created
    assert created <= 7 * len(FACTS)
    assert await ensure_ahead(connection, NOW) == 0
    for days in (0, 7):
        await connection.execute(INSERT_EVENT, NOW + timedelta(days=days))


async def test_all_minutes_kept_have_room(connection: Connection) -> None:
    floor = Retention().floors(NOW).minute
    assert floor is not None
    await ensure_ahead(connection, NOW)
    minutes = [p for p in await listing(connection, "invocation_project_minute") if p.end > floor]
    assert minutes[0].start == floor
    assert minutes[-1].end > NOW + timedelta(days=2)


async def test_listing_names_bounds_as_they_are(connection: Connection) -> None:
    times = [NOW, NOW + timedelta(days=31)]
    await ensure(connection, EVENTS, times)
    assert (await listing(connection, EVENTS.table))[-2:] == holding(EVENTS, times)


async def test_event_of_long_ago_costs_its_own_partition_and_none_between(
    connection: Connection,
) -> None:
    old = datetime(2011, 2, 3, tzinfo=UTC)
    assert await ensure_for(connection, DEPLOYMENTS, [old, NOW], NOW) == 2
    assert await ensure_for(connection, DEPLOYMENTS, [old], NOW) == 0
    await connection.execute(INSERT_EVENT, old)
    assert (await listing(connection, "deployment_events"))[0].start == old.replace(day=1)


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
async def test_only_the_tables_of_the_fact_get_partitions(
    connection: Connection, fact: Fact
) -> None:
    before = await partitions.counts(connection)
    assert await ensure_for(connection, fact, [NOW], NOW) == len(partitioned_tables(fact))
    after = await partitions.counts(connection)
    assert {table for table in after if after[table] > before[table]} == {
        table.table for table in partitioned_tables(fact)
    }


async def test_minutes_beyond_their_retention_get_no_partition(connection: Connection) -> None:
    await ensure_for(connection, INVOCATIONS, [NOW - timedelta(days=30)], NOW)
    assert all(
        partition.start > NOW - timedelta(days=3) or partition.end < NOW - timedelta(days=300)
        for partition in await listing(connection, "invocation_project_minute")
    )


async def test_new_partitions_leave_room_on_their_pages(connection: Connection) -> None:
    await ensure_ahead(connection, NOW)
    options = "select reloptions from pg_class where relname = 'invocation_project_minute_20310716'"
    assert await connection.fetchval(options) == ["fillfactor=70"]


async def test_two_that_make_the_same_partitions_both_succeed(own_database: Database) -> None:
    async def make() -> int:
        async with own_database.connection() as connection:
            return await ensure_ahead(connection, NOW)

    await asyncio.gather(*(make() for _ in range(3)))
    async with own_database.connection() as connection:
        assert await ensure_ahead(connection, NOW) == 0


async def test_partitions_are_made_beside_open_writes_and_reads(own_database: Database) -> None:
    async with own_database.transaction() as writing:
        await writing.execute(INSERT_EVENT, datetime.now(UTC))
        await writing.fetch("select count(*) from deployment_events")
        async with own_database.connection() as connection:
            created = await asyncio.wait_for(ensure(connection, EVENTS, [NOW]), timeout=5)
            assert created == 1


async def test_drop_waits_shortly_and_often_then_succeeds(own_database: Database) -> None:
    async with own_database.connection() as connection:
        await ensure(connection, EVENTS, [NOW])
        partition = (await listing(connection, EVENTS.table))[-1]
        async with own_database.transaction() as reading:
            await reading.fetch("select count(*) from deployment_events")
            dropping = asyncio.create_task(drop(connection, partition.name))
            await asyncio.sleep(0.8)
            assert not dropping.done()
            async with own_database.connection() as other:
                # The waiting drop must not hold up those who come after it for long.
                await asyncio.wait_for(
                    other.fetch("select count(*) from deployment_events"), timeout=2
                )
        await dropping
        assert partition not in await listing(connection, EVENTS.table)


async def test_drop_of_a_busy_table_gives_up_in_time(
    own_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_ATTEMPTS", 2)
    monkeypatch.setattr(partitions, "_LOCK_TIMEOUT_MS", 50)
    async with own_database.connection() as connection, own_database.transaction() as reading:
        await reading.fetch("select count(*) from deployment_events")
        partition = (await listing(connection, EVENTS.table))[0]
        with pytest.raises(Timeout):
            await drop(connection, partition.name)
