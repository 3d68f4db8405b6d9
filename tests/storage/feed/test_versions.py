"""Versions: two states of the data that differ on the days asked for never share one."""

import random
import time
from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest
from asyncpg.transaction import Transaction

from storage import dictionaries
from storage.connections.database import Database
from storage.feed.counters import record
from storage.feed.versions import (
    CATALOGUE_TAGS,
    FRESH_SECONDS,
    Moment,
    Tags,
    Versions,
    days_of,
    read,
    version_text,
)

FACT = "deployment"
ANYTHING = Tags(None, None)
MONDAY, TUESDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6)


def on(day: date, *projects: int) -> Tags:
    """A fact's data of one day: of these projects, or the platform's."""
    return Tags(FACT, projects or None, (day, day + timedelta(days=1)))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def connection(own_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(own_database_url)
    yield opened
    await opened.close()


async def change(
    connection: asyncpg.Connection, project: int, *days: date, slot: int = 0, fact: str = FACT
) -> None:
    changed_days = [(project, day) for day in days]
    await record(connection, fact, slot, changed_days, [(project, uuid4())])


async def seen(database: Database, tags: Collection[Tags]) -> dict[Tags, str]:
    return dict((await read(database.fetch, tags)).versions)


async def test_change_moves_its_project_and_its_days_alone(
    own_database: Database, connection: asyncpg.Connection
) -> None:
    watched = [
        on(MONDAY, 1),
        on(TUESDAY, 1),
        on(MONDAY, 2),
        on(MONDAY, 1, 2),
        on(MONDAY),
        on(TUESDAY),
        Tags("build", (1,), (MONDAY, FRIDAY)),
        Tags(FACT, (1,)),
        Tags(None, (1,)),
        Tags(None, (2,)),
    ]
    await change(connection, 1, MONDAY, TUESDAY, FRIDAY)
    await change(connection, 2, MONDAY)
    before = await seen(own_database, watched)
    await change(connection, 1, MONDAY, slot=7)
    after = await seen(own_database, watched)
    assert {tags for tags in watched if after[tags] != before[tags]} == {
        on(MONDAY, 1),
        on(MONDAY, 1, 2),
        on(MONDAY),
        Tags(FACT, (1,)),
        Tags(None, (1,)),
    }


async def test_facts_have_counters_of_their_own(
    own_database: Database, connection: asyncpg.Connection
) -> None:
    await change(connection, 1, MONDAY)
    watched = [on(MONDAY, 1), on(MONDAY), Tags(None, (1,))]
    before = await seen(own_database, watched)
    await change(connection, 1, MONDAY, fact="build")
    after = await seen(own_database, watched)
    assert (after[watched[0]], after[watched[1]]) == (before[watched[0]], before[watched[1]])
    assert after[watched[2]] != before[watched[2]]


async def test_change_without_days_moves_no_aggregate(
    own_database: Database, connection: asyncpg.Connection
) -> None:
    await change(connection, 1, MONDAY)
    before = await seen(own_database, [on(MONDAY, 1), Tags(FACT, (1,))])
    await change(connection, 1)
    after = await seen(own_database, [on(MONDAY, 1), Tags(FACT, (1,))])
    assert after[on(MONDAY, 1)] == before[on(MONDAY, 1)]
    assert after[Tags(FACT, (1,))] != before[Tags(FACT, (1,))]


async def test_nothing_changed_records_nothing(
    own_database: Database, connection: asyncpg.Connection
) -> None:
    await record(connection, FACT, 0, [])
    assert (await seen(own_database, [ANYTHING]))[ANYTHING] == ""


async def test_version_stands_for_exactly_what_is_committed(own_database_url: str) -> None:
    """Whatever overlaps and whenever it is read, no two sets of commits share a version."""
    database = await Database.open(own_database_url, pool_size=2)
    chance = random.Random(7)
    writers = [await asyncpg.connect(own_database_url) for _ in range(4)]
    running: dict[int, tuple[Transaction, int, date]] = {}
    watched = [on(MONDAY), on(MONDAY, 1), on(TUESDAY, 1), on(MONDAY, 1, 2), Tags(FACT, (2, 3))]
    committed: dict[Tags, frozenset[int]] = {tags: frozenset() for tags in watched}
    known: dict[tuple[Tags, str], frozenset[int]] = {}
    for step in range(300):
        number = chance.randrange(len(writers))
        if number in running:
            transaction, project, day = running.pop(number)
            await transaction.commit()
            for tags in watched:
                if _concerns(tags, project, day):
                    committed[tags] |= {step}
        else:
            project, day = chance.randrange(1, 6), chance.choice((MONDAY, TUESDAY))
            if project in {held for _, held, _ in running.values()}:
                continue  # it would wait for the other
            transaction = writers[number].transaction()
            await transaction.start()
            await change(writers[number], project, day, slot=number)
            running[number] = transaction, project, day
        for tags, version in (await seen(database, watched)).items():
            assert known.setdefault((tags, version), committed[tags]) == committed[tags]
    assert len(known) > 100
    for writer in writers:
        await writer.close()
    await database.close()


def _concerns(tags: Tags, project: int, day: date) -> bool:
    of_project = tags.project_ids is None or project in tags.project_ids
    return of_project and (tags.days is None or tags.days[0] <= day < tags.days[1])


async def test_version_of_a_snapshot_is_that_of_its_data(
    own_database: Database, connection: asyncpg.Connection
) -> None:
    await change(connection, 1, MONDAY)
    snapshot = await own_database.snapshot()
    before = await read(snapshot.fetch, [on(MONDAY, 1)])
    await change(connection, 1, MONDAY)
    again = await read(snapshot.fetch, [on(MONDAY, 1)])
    snapshot.release()
    assert again == before
    assert (await seen(own_database, [on(MONDAY, 1)])) != before.versions


async def test_recent_reads_are_answered_from_memory(
    own_database: Database, connection: asyncpg.Connection
) -> None:
    clock = Clock()
    versions = Versions(own_database, clock)
    first = await versions.of([on(MONDAY, 1)])
    await change(connection, 1, MONDAY)
    assert await versions.of([on(MONDAY, 1)]) == first
    clock.now += FRESH_SECONDS + 0.01
    later = await versions.of([on(MONDAY, 1)])
    assert later.versions != first.versions
    assert later.as_of > first.as_of


@pytest.mark.parametrize("between", [True, False], ids=["changed", "unchanged"])
async def test_versions_read_apart_are_told_together_only_if_they_were_true_together(
    own_database: Database, connection: asyncpg.Connection, between: bool
) -> None:
    clock = Clock()
    versions = Versions(own_database, clock)
    one, other = on(MONDAY, 1), on(MONDAY, 2)
    early = (await versions.of([one])).versions[one]
    if between:
        await change(connection, 1, MONDAY)
        await change(connection, 2, MONDAY)
    late = (await versions.of([other])).versions[other]
    both = await versions.of([one, other])
    assert both.versions[other] == late
    assert (both.versions[one] == early) is not between
    assert both.versions == (await versions.of([one, other])).versions


async def test_moment_of_remembered_versions_is_the_oldest_read(own_database: Database) -> None:
    clock = Clock()
    versions = Versions(own_database, clock)
    both = await versions.of([on(MONDAY, 1), on(MONDAY, 2)])
    clock.now += FRESH_SECONDS / 2
    versions._remembered[on(MONDAY, 2)].last_as_of += timedelta(seconds=1)
    assert (await versions.of([on(MONDAY, 1), on(MONDAY, 2)])).as_of == both.as_of


async def test_memory_is_bounded(own_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.feed.versions.REMEMBERED_TAGS", 3)
    versions = Versions(own_database, time.monotonic)
    for project in range(1, 8):
        await versions.of([on(MONDAY, project)])
    assert set(versions._remembered) == {on(MONDAY, project) for project in (5, 6, 7)}


async def test_what_is_provisioned_counts_in_the_catalogue(own_database: Database) -> None:
    upserts: list[Callable[[asyncpg.Connection], object]] = [
        lambda connection: dictionaries.upsert_project(connection, "versions-project"),
        lambda connection: dictionaries.upsert_network(connection, "versions-network"),
        lambda connection: dictionaries.upsert_template(
            connection, dictionaries.TemplateFields("versions-template")
        ),
    ]
    found = [await _of_catalogue(own_database)]
    for upsert in upserts:
        async with own_database.transaction() as connection:
            await upsert(connection)  # type: ignore[misc]
        found.append(await _of_catalogue(own_database))
    assert len({moment.versions[CATALOGUE_TAGS] for moment in found}) == 4


async def _of_catalogue(database: Database) -> Moment:
    return await read(database.fetch, [CATALOGUE_TAGS])


async def test_numbers_of_a_database_set_back_are_not_used_again(
    own_database: Database, connection: asyncpg.Connection
) -> None:
    await change(connection, 1, MONDAY)
    tables = ("project_versions", "project_version_days")
    for table in tables:
        await connection.execute(f"create table copy_of_{table} as table {table}")
    await change(connection, 1, MONDAY)
    lost = await seen(own_database, [on(MONDAY, 1), Tags(FACT, (1,))])
    for table in tables:
        await connection.execute(f"truncate {table}")
        await connection.execute(f"insert into {table} table copy_of_{table}")
    await change(connection, 1, MONDAY)
    found = await seen(own_database, [on(MONDAY, 1), Tags(FACT, (1,))])
    assert all(found[tags] != lost[tags] for tags in found)


def test_long_versions_are_short_texts() -> None:
    numbers = dict.fromkeys(range(200), 10**9)
    assert len(version_text(numbers, None)) == 32
    assert version_text(numbers, None) != version_text({**numbers, 7: 1}, None)
    assert version_text({1: 2, 3: 4}, (3, 5)) == "3:4"


def test_days_are_those_that_a_range_touches() -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert days_of(midnight, midnight + second) == (MONDAY, TUESDAY)
    assert days_of(midnight - second, midnight) == (date(2026, 3, 1), MONDAY)
    assert days_of(midnight, midnight + timedelta(days=1, seconds=1)) == (MONDAY, date(2026, 3, 4))
