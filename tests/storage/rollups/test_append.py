"""Rows of append facts are stored once, and counted in the statement that stores them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from storage.connections.database import Database
from storage.facts import FACTS
from storage.facts.fact import Append, Floors
from storage.rollups.repair import rebuild_day
from tests.storage.states import NO_FLOORS, add_series, append, differences

NOON = datetime(2031, 3, 14, 12, tzinfo=UTC)
APPENDS = [fact for fact in FACTS.values() if isinstance(fact, Append)]


@pytest.fixture(params=APPENDS, ids=str)
def fact(request: pytest.FixtureRequest) -> Append:
    fact: Append = request.param
    return fact


@pytest.fixture
async def database(own_database: Database, fact: Append) -> Database:
    async with own_database.transaction() as connection:
        await connection.execute(
            "insert into projects (project_id, slug, name) values (1, 'a', 'a'), (2, 'b', 'b')"
        )
    await add_series(own_database, fact)
    return own_database


def row(fact: Append, minutes: int, **changes: Any) -> dict[str, Any]:
    values = {"occurred_at": NOON + timedelta(minutes=minutes), "event_id": UUID(int=minutes)}
    timing = {fact.timing.column: minutes * 1000} if fact.timing else {}
    return values | timing | changes


async def fetch(database: Database, statement: str) -> list[Any]:
    async with database.connection() as connection:
        return [tuple(found) for found in await connection.fetch(statement)]


async def test_repeated_row_is_stored_and_counted_once(database: Database, fact: Append) -> None:
    rows = [row(fact, minutes) for minutes in range(5)]
    assert len(await append(database, fact, rows)) == 5
    again = [*rows[2:], row(fact, 7), row(fact, 2, project_id=2)]
    new = {(1, NOON + timedelta(minutes=7)), (2, NOON + timedelta(minutes=2))}
    assert {key[:2] for key in await append(database, fact, again)} == new
    assert not await append(database, fact, rows)
    sums = [fact.leading, *(["timed"] if fact.timing else [])]
    counted = ", ".join(f"sum({name})" for name in sums)
    counts = f"select {counted} from {fact.name}_platform_day where cell = 0"
    assert await fetch(database, counts) == [(7,) * len(sums)]
    async with database.connection() as connection:
        assert await differences(connection, NOON, fact=fact) == []


async def test_rows_sent_by_many_at_once_are_counted_once(database: Database, fact: Append) -> None:
    rows = [row(fact, minutes) for minutes in range(40)]
    await append(database, fact, rows[:1])
    batches = (rows[start : start + 20] for start in (0, 5, 10, 15, 20))
    new = await asyncio.gather(*(append(database, fact, batch) for batch in batches))
    assert sum(map(len, new)) == 39
    async with database.connection() as connection:
        assert await differences(connection, NOON, fact=fact) == []


async def test_series_know_their_first_and_last_row(database: Database, fact: Append) -> None:
    for minutes in (5, 3, 9, 4):
        await append(database, fact, [row(fact, minutes)])
    seen = await fetch(database, f"select first_at, last_at from {fact.series.name}")
    assert seen == [(NOON + timedelta(minutes=3), NOON + timedelta(minutes=9))]


async def test_change_is_counted_for_the_day_and_names_no_row(
    database: Database, fact: Append
) -> None:
    await append(database, fact, [row(fact, 1), row(fact, 2), row(fact, 1, project_id=2)])
    days = await fetch(database, "select project_id, fact, day from project_version_days")
    assert sorted(days) == [(1, fact.name, NOON.date()), (2, fact.name, NOON.date())]
    assert await fetch(database, "select * from changes") == []
    before = await fetch(database, "select * from project_versions")
    await append(database, fact, [row(fact, 1)])
    assert await fetch(database, "select * from project_versions") == before


async def test_floors_keep_old_buckets_out_and_rebuild_brings_them_back(
    database: Database, fact: Append
) -> None:
    tomorrow = NOON + timedelta(days=1)
    await append(database, fact, [row(fact, 1)], Floors(tomorrow, tomorrow, None))
    tables = ("project_minute", "project_hour", "platform_quarter", "project_day")
    counts = [await fetch(database, f"select cell from {fact.name}_{table}") for table in tables]
    assert [len(rows) for rows in counts] == [0, 0, 0, len(fact.cells)]
    async with database.connection() as connection:
        assert await differences(connection, NOON, fact=fact)
        await rebuild_day(connection, fact, NOON.date(), NO_FLOORS)
        assert await differences(connection, NOON, fact=fact) == []


def test_rows_of_facts_with_peaks_never_move_to_another_series() -> None:
    peaked = [fact for fact in FACTS.values() if fact.peaks]
    assert peaked
    assert all(isinstance(fact, Append) for fact in peaked)
    assert all(dimension.interned for fact in peaked for dimension in fact.dimensions)
