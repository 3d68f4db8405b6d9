"""Rows of append facts are dropped by partition, after a recount of the days that they hold."""

import gzip
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.connections.database import Database
from storage.facts import FACTS
from storage.facts.fact import Append, Fact, Floors
from storage.keeping import retention as module
from storage.keeping.archive import Archive
from storage.keeping.partitions import listing
from storage.keeping.retention import Report, enforce
from storage.keeping.windows import Retention
from storage.rollups.repair import Difference
from storage.running import GIVEN_UP_AFTER
from tests.storage.states import add_series, append, differences

NOW = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)
AGES_DAYS = (130, 60, 4, 1)
APPEND_FACTS = [each for each in FACTS.values() if isinstance(each, Append)]
# One for each length of partitions.
APPENDS = {each.partition: each for each in APPEND_FACTS}.values()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture(params=APPENDS, ids=str)
def fact(request: pytest.FixtureRequest) -> Append:
    fact: Append = request.param
    return fact


@pytest.fixture
async def stocked(own_database: Database, fact: Append) -> Database:
    """A row of each age."""
    async with own_database.transaction() as connection:
        await connection.execute(
            "insert into projects (project_id, slug, name) values (1, 'a', 'a')"
        )
    await add_series(own_database, fact)
    await append(own_database, fact, [{"occurred_at": ago(days)} for days in AGES_DAYS])
    return own_database


async def run(database: Database, now: datetime = NOW, **changes: Any) -> Report:
    changes["error_days"] = changes["log_days"] = changes.get("events_days", 90)  # one for all
    report = await enforce(database, Retention(**changes), now, holder="a")
    assert report is not None
    return report


async def rows(database: Database, fact: Append) -> list[int]:
    """The ages of the rows in days, oldest first."""
    async with database.connection() as connection:
        found = await connection.fetch(
            f"select occurred_at from {fact.table.name} order by occurred_at"
        )
    return [(NOW - row[0]).days for row in found]


async def counted(database: Database, fact: Append, grain: str = "day") -> dict[int, int]:
    """The number of rows that the roll-ups of a grain count, by age in days, oldest first."""
    async with database.connection() as connection:
        found = await connection.fetch(
            f"select bucket, sum({fact.leading})::int from {fact.name}_project_{grain}"
            " where cell = 0 group by 1 order by 1"
        )
    return {(NOW.date() - row[0].date()).days: row[1] for row in found}


async def test_rows_go_and_their_days_stay(stocked: Database, fact: Append) -> None:
    report = await run(stocked)
    assert await rows(stocked, fact) == [60, 4, 1]
    assert await counted(stocked, fact, "hour") == {60: 1, 4: 1, 1: 1}
    assert await counted(stocked, fact) == {130: 1, 60: 1, 4: 1, 1: 1}
    assert [name for name in report.dropped if name.startswith(fact.table.name)]
    assert not report.repaired
    assert not report.kept_back
    assert fact.table.name not in report.deleted
    async with stocked.connection() as connection:
        for days in AGES_DAYS[1:]:
            assert not await differences(connection, ago(days), Retention().floors(NOW), fact)


async def test_wrong_day_is_repaired_before_its_rows_go(stocked: Database, fact: Append) -> None:
    async with stocked.transaction() as connection:
        await connection.execute(
            f"update {fact.name}_project_day set {fact.leading} = 7 where bucket < $1", ago(129)
        )
    # The hours are kept longer than the rows, so nothing else has compared the day.
    report = await run(stocked, fine_days=0)
    assert report.repaired == [f"{fact.name} {ago(130):%Y-%m-%d}"]
    assert await counted(stocked, fact) == {130: 1, 60: 1, 4: 1, 1: 1}
    assert await rows(stocked, fact) == [60, 4, 1]


async def test_rows_of_a_day_that_stays_wrong_are_kept(
    stocked: Database, fact: Append, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def differ(
        _connection: object, asked: Fact, day: date, _floors: Floors
    ) -> Sequence[Difference]:
        wrong = asked is fact and day == ago(130).date()
        return [Difference(f"{fact.name}_project_day", "facts", {})] if wrong else []

    with monkeypatch.context() as patched:
        patched.setattr(module, "recount_day", differ)
        report = await run(stocked, fine_days=0)
    assert report.kept_back == [f"{fact.name} {ago(130):%Y-%m-%d}"]
    assert await rows(stocked, fact) == [130, 60, 4, 1]
    assert not (await run(stocked)).kept_back
    assert await rows(stocked, fact) == [60, 4, 1]


@pytest.mark.parametrize("fact", [each for each in APPEND_FACTS if each.content.tables], ids=str)
async def test_what_is_beside_kept_back_rows_stays_with_them(
    stocked: Database, fact: Append, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also beside later rows, which are kept back too; it goes when they go."""

    async def oldest() -> set[datetime]:
        """The starts of the oldest partitions of the rows, and of what is beside them."""
        async with stocked.connection() as connection:
            tables = (fact.table.name, *fact.content.tables)
            return {(await listing(connection, name))[0].start for name in tables}

    async def differ(
        _connection: object, asked: Fact, day: date, _floors: Floors
    ) -> Sequence[Difference]:
        wrong = asked is fact and day == ago(130).date()
        return [Difference(f"{fact.name}_project_day", "facts", {})] if wrong else []

    await append(stocked, fact, [{"occurred_at": ago(days)} for days in (200, 95)])
    with monkeypatch.context() as patched:
        patched.setattr(module, "recount_day", differ)
        await run(stocked, events_days=50, fine_days=0)
    (start,) = await oldest()
    assert ago(200) < start <= ago(130)
    await run(stocked, events_days=50, fine_days=0)
    (start,) = await oldest()
    assert ago(95) < start


async def test_row_of_a_dropped_day_leaves_what_was_counted(
    stocked: Database, fact: Append
) -> None:
    await run(stocked)
    await append(stocked, fact, [{"occurred_at": ago(130)}])
    report = await run(stocked)
    assert not report.repaired
    assert await rows(stocked, fact) == [60, 4, 1]
    assert await counted(stocked, fact) == {130: 2, 60: 1, 4: 1, 1: 1}


async def test_days_may_go_before_their_rows(stocked: Database, fact: Append) -> None:
    await run(stocked, events_days=0, day_days=100)
    assert await rows(stocked, fact) == [130, 60, 4, 1]
    report = await run(stocked, events_days=50, day_days=50, fine_days=50)
    assert not report.repaired
    assert await counted(stocked, fact) == {4: 1, 1: 1}


async def test_day_after_day_nothing_needs_repair(stocked: Database, fact: Append) -> None:
    await append(stocked, fact, [{"occurred_at": ago(days)} for days in range(78, 92)])
    for day in range(14):
        report = await run(stocked, NOW + timedelta(days=day))
        assert not report.repaired
        assert not report.kept_back
    assert sum((await counted(stocked, fact)).values()) == 14 + len(AGES_DAYS)


async def test_archive_of_a_partition_that_came_back_is_a_second_file(
    stocked: Database, fact: Append, tmp_path: Path
) -> None:
    archive = Archive(tmp_path, lambda _fact: "select external_id as line from {table}")
    texts = {}
    for name in ("first", "late"):
        await append(stocked, fact, [{"occurred_at": ago(129), "external_id": name}])
        report = await enforce(
            stocked, Retention(error_days=90, log_days=90), NOW, holder="a", archive=archive
        )
        assert report is not None
        file = next(path for path in report.archived if fact.table.name in path.name)
        texts[name] = file.name, gzip.decompress(file.read_bytes()).decode()
    (first, _), (late, _) = texts.values()
    assert late == first.replace(".ndjson", ".2.ndjson")
    assert all(name in text for name, (_, text) in texts.items())


async def test_starts_of_projects_that_fell_silent_go(own_database: Database) -> None:
    async with own_database.transaction() as connection:
        await connection.execute(
            "insert into running_invocations"
            " (project_id, pair_id, at, series_id, started, ended)"
            " select 1, gen_random_uuid(), at, 1, true, false"
            " from unnest($1::timestamptz[]) as given(at)",
            [NOW - GIVEN_UP_AFTER - timedelta(seconds=1), NOW - timedelta(seconds=1)],
        )
    report = await run(own_database)
    assert report.deleted == {"running_invocations": 1}


async def test_the_counts_of_texts_go_with_the_lines(own_database: Database) -> None:
    days = [ago(age).replace(hour=0, minute=0, second=0) for age in (2, 29, 32, 89)]
    async with own_database.transaction() as connection:
        await connection.execute(
            "insert into projects (project_id, slug, name) values (1, 'a', 'a')"
        )
        await connection.execute(
            "insert into log_days select 1, day, true, 7 from unnest($1::timestamptz[]) as day",
            days,
        )
    assert await enforce(own_database, Retention(log_days=30), NOW, holder="a")
    async with own_database.connection() as connection:
        left = await connection.fetch("select day from log_days order by day desc")
    assert [row["day"] for row in left] == days[:2]
