"""Partitions are there before they are needed, whoever makes them, and go without a fight."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from storage import partitions
from storage.database import Connection, Database
from storage.errors import Timeout
from storage.facts.fact import Span
from storage.partitions import (
    Partitioned,
    drop,
    ensure,
    ensure_ahead,
    ensure_range,
    listing,
    partitioned_tables,
    span_end,
    span_start,
    spans,
)
from storage.windows import Retention

NOW = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)  # a Wednesday
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
        (Span.DAY, datetime(2031, 7, 16, tzinfo=UTC), datetime(2031, 7, 17, tzinfo=UTC)),
        (Span.WEEK, datetime(2031, 7, 14, tzinfo=UTC), datetime(2031, 7, 21, tzinfo=UTC)),
        (Span.MONTH, datetime(2031, 7, 1, tzinfo=UTC), datetime(2031, 8, 1, tzinfo=UTC)),
    ],
)
def test_spans_are_utc_days_weeks_and_months(span: Span, start: datetime, end: datetime) -> None:
    assert span_start(span, NOW) == start
    assert span_end(span, start) == end


def test_spans_join_without_gaps_over_years() -> None:
    for span in Span:
        table = Partitioned("t", "at", span, None)
        made = list(spans(table, NOW - timedelta(days=800), NOW))
        assert made[0].start <= NOW - timedelta(days=800)
        assert made[-1].start <= NOW < made[-1].end
        assert all(left.end == right.start for left, right in pairwise(made))


async def test_partitions_ahead_cover_what_is_kept_and_the_next_days(
    connection: Connection,
) -> None:
    made = await ensure_ahead(connection, NOW)
    assert made > 50
    assert await ensure_ahead(connection, NOW) == 0
    for days in (-90, -1, 0, 7):
        await connection.execute(INSERT_EVENT, NOW + timedelta(days=days))
    floors = Retention().floors(NOW)
    for table in partitioned_tables():
        existing = [p for p in await listing(connection, table.table) if p.end > NOW]
        assert existing[0].start <= NOW < existing[-1].end
        floor = floors.of(table.keep) if table.keep else None
        if floor is not None:
            assert any(p.start <= floor < p.end for p in await listing(connection, table.table))


async def test_listing_names_bounds_as_they_are(connection: Connection) -> None:
    table = partitioned_tables()[0]
    await ensure(connection, table, NOW, NOW + timedelta(days=7))
    assert (await listing(connection, table.table))[-2:] == list(
        spans(table, NOW, NOW + timedelta(days=7))
    )


async def test_import_of_old_facts_gets_its_partitions(connection: Connection) -> None:
    old = datetime(2019, 2, 3, tzinfo=UTC)
    assert await ensure_range(connection, old, old + timedelta(days=40)) > 0
    await connection.execute(INSERT_EVENT, old)
    await connection.execute(
        "insert into deployment_project_day"
        " (project_id, bucket, environment_id, network_id, template_id, framework_id)"
        " values (1, $1, 0, 0, 0, 0)",
        old,
    )


async def test_new_partitions_leave_room_on_their_pages(connection: Connection) -> None:
    await ensure_ahead(connection, NOW)
    rows = await connection.fetch(
        "select reloptions from pg_class where relname in"
        " ('deployment_project_hour_20310714', 'deployment_project_minute_20310716')"
    )
    assert [row[0] for row in rows] == [["fillfactor=70"]] * 2


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
            made = await asyncio.wait_for(
                ensure(connection, partitioned_tables()[0], NOW, NOW), timeout=5
            )
            assert made == 1


async def test_drop_waits_shortly_and_often_then_succeeds(own_database: Database) -> None:
    table = partitioned_tables()[0]
    async with own_database.connection() as connection:
        await ensure(connection, table, NOW, NOW)
        partition = (await listing(connection, table.table))[-1]
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
        assert partition not in await listing(connection, table.table)


async def test_drop_of_a_busy_table_gives_up_in_time(
    own_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_ATTEMPTS", 2)
    monkeypatch.setattr(partitions, "_LOCK_TIMEOUT_MS", 50)
    table = partitioned_tables()[0]
    async with own_database.connection() as connection, own_database.transaction() as reading:
        await reading.fetch("select count(*) from deployment_events")
        partition = (await listing(connection, table.table))[0]
        with pytest.raises(Timeout):
            await drop(connection, partition.name)
