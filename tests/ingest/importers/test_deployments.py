"""Sets of deployments in a real database: the counts of the files, however often imported."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingest.bulk import Target
from ingest.importers import IMPORTERS, Imported, Options, govuk
from storage.connections.database import Database
from storage.errors import InvalidInput
from storage.facts import FACTS
from storage.facts.lifecycle import Status
from storage.keeping.windows import DEFAULT, Retention
from storage.rollups.repair import recount_day
from tests.ingest.conftest import now
from tests.ingest.importers.counting import (
    DATA,
    devlake_statuses,
    govuk_rolled_back,
    govuk_updates,
    utc,
)

FOREVER = Retention(events_days=0, fine_days=0, day_days=0)
SHIFTED = Options(shift_to_now=True)
DAY = timedelta(days=1)


@pytest.fixture
def target(own_database_url: str) -> Target:
    return Target(own_database_url, now(), FOREVER)


async def fetch(database: Database, query: str, *arguments: Any) -> list[Any]:
    async with database.connection() as connection:
        return list(await connection.fetch(query, *arguments))


async def rollups(database: Database, grain: str) -> Counter[tuple[str, str, str]]:
    """Attempts per project, environment and month."""
    rows = await fetch(
        database,
        "select slug, environments.name, to_char(bucket, 'YYYY-MM'), sum(attempts)::int"
        f" from deployment_project_{grain} join environments using (environment_id)"
        " join projects using (project_id) where cell = 2 group by 1, 2, 3",
    )
    return Counter({(slug, environment, month): count for slug, environment, month, count in rows})


def direct() -> Counter[tuple[str, str, str]]:
    return Counter(
        (row["app"], row["environment"], row["committed_at"][:7]) for row in govuk_updates()
    )


async def statuses(database: Database) -> Counter[tuple[str, str]]:
    rows = await fetch(database, "select environment, status from deployments")
    return Counter((row["environment"], Status(row["status"]).name) for row in rows)


def briefly(imported: Imported) -> tuple[int, int, int]:
    return imported.accepted, imported.duplicates, len(imported.problems)


async def test_govuk_counts_are_those_of_the_files(target: Target, database: Database) -> None:
    imported = await IMPORTERS["govuk"].run(DATA, target)

    assert briefly(imported) == (670, 0, 0)
    assert await rollups(database, "day") == await rollups(database, "hour") == direct()
    rolled_back = govuk_rolled_back()
    counted = await statuses(database)
    assert {place: counted[place, "ROLLED_BACK"] for place in rolled_back} == rolled_back
    assert counted.total() == len(govuk_updates())
    (timed,) = await fetch(
        database, "select sum(timed), sum(finishes) from deployment_project_day where cell = 0"
    )
    assert tuple(timed) == (0, 329)


async def test_govuk_totals_are_those_of_the_files(target: Target) -> None:
    (totals,) = (await IMPORTERS["govuk"].run(DATA, target)).totals

    updates = govuk_updates()
    times = [utc(row["committed_at"]) for row in updates]
    assert (totals.count, totals.projects) == (len(updates), 3)
    assert totals.by_dimension == {"environment": Counter(row["environment"] for row in updates)}
    assert totals.by_status == {"succeeded": 317, "rolled_back": 12}
    assert (totals.first, totals.last) == (min(times), max(times))


async def test_devlake_counts_are_those_of_the_files(target: Target, database: Database) -> None:
    imported = await IMPORTERS["devlake"].run(DATA, target)

    assert briefly(imported) == (190, 0, 0)
    assert await statuses(database) == devlake_statuses()
    (sums,) = await fetch(
        database,
        "select sum(timed), sum(duration_us), sum(attempts) from deployment_project_day"
        " where cell = 0",
    )
    assert tuple(sums) == (27, 2_023_814_940, 134)


async def test_interrupted_import_goes_on_with_the_same_totals(
    target: Target, database: Database
) -> None:
    options = Options(batch_events=100)

    def interrupt(done: int, _total: int) -> None:
        if done >= 300:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await IMPORTERS["govuk"].run(DATA, target, options, interrupt)
    stored = (await fetch(database, "select count(*) from deployment_events"))[0][0]
    imported = await IMPORTERS["govuk"].run(DATA, target, options)

    assert stored == 300
    assert briefly(imported) == (370, 300, 0)
    assert await rollups(database, "day") == direct()


async def test_progress_counts_up_to_all_events(target: Target) -> None:
    shown: list[tuple[int, int]] = []
    options = Options(batch_events=300)
    await IMPORTERS["govuk"].run(DATA, target, options, lambda *step: shown.append(step))
    assert shown == [(0, 670), (300, 670), (600, 670), (670, 670)]


async def test_shift_brings_the_last_event_to_today(target: Target, database: Database) -> None:
    imported = await IMPORTERS["govuk"].run(DATA, target, SHIFTED)

    (row,) = await fetch(
        database, "select min(occurred_at), max(occurred_at) from deployment_events"
    )
    first, last = row
    assert target.now - DAY < last <= target.now
    moved = imported.moved_days * DAY
    assert first - moved == min(utc(row["committed_at"]) for row in govuk_updates())
    assert (await rollups(database, "day")).total() == 329


async def test_resumed_shift_is_the_same_days_later(target: Target, database: Database) -> None:
    first = await IMPORTERS["govuk"].run(DATA, target, SHIFTED)
    later = Target(target.database_url, target.now + 3 * DAY, FOREVER)
    second = await IMPORTERS["govuk"].run(DATA, later, SHIFTED)

    assert briefly(second) == (0, 670, 0)
    assert second.moved_days == first.moved_days > 0


@pytest.mark.parametrize(("first", "second"), [(Options(), SHIFTED), (SHIFTED, Options())])
async def test_set_is_not_imported_a_second_time_with_other_times(
    target: Target, database: Database, first: Options, second: Options
) -> None:
    await IMPORTERS["govuk"].run(DATA, target, first)
    with pytest.raises(InvalidInput, match="in the database already"):
        await IMPORTERS["govuk"].run(DATA, target, second)
    assert (await statuses(database)).total() == 329


async def test_deployments_beyond_retention_are_reported_and_in_no_rollup(
    own_database_url: str, database: Database
) -> None:
    at = datetime(2025, 7, 1, tzinfo=UTC)  # 90 days after 2025-04-02, the day after the last
    imported = await IMPORTERS["govuk"].run(DATA, Target(own_database_url, at, DEFAULT))

    (totals,) = imported.totals
    floor = DEFAULT.floors(at).fine
    assert floor is not None
    early = sum(utc(row["committed_at"]) < floor for row in govuk_updates())
    assert (totals.without_days, totals.without_hours) == (0, early)
    assert (await rollups(database, "day")).total() == 329
    assert (await rollups(database, "hour")).total() == 329 - early > 0

    much_later = Target(own_database_url, at + 400 * DAY, DEFAULT)
    again = await IMPORTERS["govuk"].run(DATA, much_later)
    assert [totals.without_days for totals in again.totals] == [329]


async def test_every_day_equals_its_recount(target: Target, database: Database) -> None:
    await IMPORTERS["devlake"].run(DATA, target)
    days = await fetch(database, "select distinct created_at::date as day from deployments")
    floors = FOREVER.floors(target.now)
    async with database.connection() as connection:
        for row in days[::5]:
            assert not await recount_day(connection, FACTS["deployment"], row["day"], floors)


async def test_rejected_event_is_reported_with_its_line(tmp_path: Path, target: Target) -> None:
    folder = tmp_path / "deployments"
    folder.mkdir()
    for path in (DATA / "deployments").iterdir():
        text = path.read_text().replace("signon,staging", f"{'x' * 201},staging", 1)
        (folder / path.name).write_text(text)
    imported = await IMPORTERS["govuk"].run(tmp_path, target)

    line = next(
        number
        for number, row in enumerate(govuk_updates(), start=2)
        if (row["app"], row["environment"]) == ("signon", "staging")
    )
    assert {item.location for item in imported.problems} == {f"{Path(govuk.UPDATES).name}:{line}"}
    assert all("longer than 200" in item.message for item in imported.problems)
    assert [totals.count for totals in imported.totals] == [328]
