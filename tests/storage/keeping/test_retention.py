"""Retention on a virtual clock: each kind of row goes when its window ends, and not before."""

import asyncio
import gzip
import json
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from storage.connections.database import Database
from storage.facts.fact import Fact, Floors
from storage.keeping import retention as module
from storage.keeping.archive import Archive
from storage.keeping.leases import lease
from storage.keeping.partitions import detach, ensure_ahead, listing
from storage.keeping.retention import LEASE, Report, enforce
from storage.keeping.windows import Retention
from storage.rollups.repair import Difference
from tests.servers import Databases
from tests.storage.states import differences, succeeded, write

NOW = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)
AGES_DAYS = (400, 130, 60, 4, 1)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


async def stock(database: Database) -> None:
    """A deployment of each age."""
    async with database.transaction() as connection:
        await connection.execute("insert into deployment_series values (1, 2, 2, 2, 0, 0)")
        await connection.execute(
            "insert into projects (project_id, slug, name) values (1, 'a', 'a')"
        )
    await write(database, [succeeded(ago(days)) for days in AGES_DAYS])


@pytest.fixture
async def stocked(own_database: Database) -> Database:
    await stock(own_database)
    return own_database


@pytest.fixture(scope="module")
def module_database_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def enforced(module_database_url: str) -> AsyncIterator[tuple[Database, Report]]:
    """Retention has run once, as it is set out of the box; tests only look at what is left."""
    database = await Database.open(module_database_url)
    await stock(database)
    yield database, await run(database)
    await database.close()


async def run(database: Database, *, holder: str = "a", **changes: Any) -> Report:
    folder = changes.pop("archive_folder", None)
    archive = Archive(folder, event_lines) if folder else None
    report = await enforce(database, Retention(**changes), NOW, holder=holder, archive=archive)
    assert report is not None
    return report


async def ages(database: Database, table: str, column: str = "bucket") -> list[int]:
    """How many days ago the rows of a table were, oldest first."""
    condition = "where attempts > 0" if column == "bucket" else ""
    async with database.connection() as connection:
        rows = await connection.fetch(
            f"select distinct {column} from {table} {condition} order by 1"
        )
    return [round((NOW - row[0]) / timedelta(days=1)) for row in rows]


def event_lines(fact: Fact) -> str:
    """Stands for the wire format, which storage does not know."""
    line = f"jsonb_build_object('fact', '{fact.name}', 'time', event.occurred_at)::text as line"
    return f"select {line} from {{table}} as event order by event.occurred_at"


Enforced = tuple[Database, Report]


async def test_fine_rollups_stay_90_days_and_days_a_year(enforced: Enforced) -> None:
    database, report = enforced
    for table in ("project_hour", "presence_hour", "platform_quarter"):
        assert await ages(database, f"deployment_{table}") == [60, 4, 1]
    for table in ("project", "platform", "presence"):
        kept = await ages(database, f"deployment_{table}_day")
        assert [round(age, -1) for age in kept] == [130, 60, 0, 0]
    assert not report.repaired
    assert not report.kept_back


async def test_minutes_stay_two_days(enforced: Enforced) -> None:
    assert await ages(enforced[0], "deployment_project_minute") == [1]


async def test_events_stay_90_days_and_deployments_as_long_as_they_count(
    enforced: Enforced,
) -> None:
    assert await ages(enforced[0], "deployment_events", "occurred_at") == [60, 4, 1]
    assert await ages(enforced[0], "deployments", "created_at") == [130, 60, 4, 1]


async def test_what_is_kept_still_equals_a_recount(enforced: Enforced) -> None:
    floors = Retention().floors(NOW)
    async with enforced[0].connection() as connection:
        for days in AGES_DAYS[1:]:
            assert await differences(connection, ago(days), floors) == []


async def test_partitions_to_come_are_made(enforced: Enforced) -> None:
    database, report = enforced
    assert report.partitions_created > 0
    async with database.connection() as connection:
        last = (await listing(connection, "deployment_events"))[-1]
        assert await ensure_ahead(connection, NOW) == 0
    assert last.end > NOW + timedelta(days=7)


async def test_certificates_stay_a_year_after_they_expire(own_database: Database) -> None:
    expiries = [None, 400, 100, -10]
    async with own_database.transaction() as connection:
        await connection.executemany(
            "insert into certificates (project_id, certificate_id, status, created_at, finished_at,"
            " not_after) values (1, gen_random_uuid(), 1, $1, $1, $2)",
            [(ago(800), None if days is None else ago(days)) for days in expiries],
        )
    await run(own_database)
    async with own_database.connection() as connection:
        left = await connection.fetch("select not_after from certificates order by 1")
    assert [row["not_after"] for row in left] == [ago(100), ago(-10)]


async def test_old_changes_leave_the_feed(enforced: Enforced) -> None:
    assert enforced[1].deleted["changes"] == len(AGES_DAYS)


async def test_windows_can_be_set(stocked: Database) -> None:
    await run(stocked, events_days=30, fine_days=150, day_days=100)
    assert await ages(stocked, "deployment_events", "occurred_at") == [4, 1]
    assert await ages(stocked, "deployment_project_hour") == [130, 60, 4, 1]
    assert len(await ages(stocked, "deployment_platform_day")) == 3


async def test_zero_keeps_everything(stocked: Database) -> None:
    report = await run(stocked, events_days=0, fine_days=0, day_days=0, minute_hours=0)
    assert not report.dropped
    assert await ages(stocked, "deployment_project_minute") == list(AGES_DAYS)
    assert await ages(stocked, "deployment_events", "occurred_at") == list(AGES_DAYS)


async def test_wrong_rollup_is_repaired_before_its_evidence_goes(stocked: Database) -> None:
    async with stocked.transaction() as connection:
        await connection.execute(
            "update deployment_project_day set attempts = 7 where bucket = $1",
            ago(130).replace(hour=0, minute=0),
        )
    report = await run(stocked)
    assert report.repaired == [f"deployment {ago(130):%Y-%m-%d}"]
    assert not report.kept_back
    async with stocked.connection() as connection:
        total = "select sum(attempts) from deployment_project_day where cell = 0"
        assert await connection.fetchval(total) == 4


async def test_rollup_that_cannot_be_repaired_is_kept(
    stocked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def differ(
        _connection: object, _fact: Fact, day: date, floors: Floors
    ) -> Sequence[Difference]:
        kept = floors.day is None or day >= floors.day.date()
        return [Difference("deployment_project_day", "facts", {})] if kept else []

    monkeypatch.setattr(module, "recount_day", differ)
    report = await run(stocked)
    assert report.kept_back == [f"deployment {ago(130):%Y-%m-%d}"]
    assert 130 in await ages(stocked, "deployment_project_hour")


async def test_events_are_archived_before_they_go(stocked: Database, tmp_path: Path) -> None:
    report = await run(stocked, archive_folder=tmp_path / "archive")
    lines = [
        json.loads(line)
        for file in sorted(report.archived)
        for line in gzip.decompress(file.read_bytes()).splitlines()
    ]
    assert lines == [
        {"fact": "deployment", "time": f"{ago(days):%Y-%m-%dT%H:%M:%S+00:00}"}
        for days in (400, 130)
    ]
    assert not [name for name in os.listdir(tmp_path / "archive") if name.endswith(".part")]


async def test_partition_left_detached_by_a_crash_is_archived_too(
    stocked: Database, tmp_path: Path
) -> None:
    async with stocked.connection() as connection:
        await detach(connection, (await listing(connection, "deployment_events"))[-1])
        left = await connection.fetchval(
            "select count(*) from pg_class where relname like 'deployment_events_2%'"
            " and relkind = 'r' and not relispartition"
        )
    assert left == 1
    report = await run(stocked, archive_folder=tmp_path)
    assert len([path for path in report.archived if "2031" in path.name]) >= 1
    assert (await run(stocked, archive_folder=tmp_path)).archived == []


async def test_failed_archive_drops_nothing(stocked: Database, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(FileExistsError):
        await run(stocked, archive_folder=in_the_way)
    report = await run(stocked, archive_folder=tmp_path / "archive")
    times = [
        json.loads(line)["time"]
        for file in report.archived
        for line in gzip.decompress(file.read_bytes()).splitlines()
    ]
    assert len(times) == 2


async def test_deletes_go_in_small_batches(
    stocked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 10)
    monkeypatch.setattr(module, "_PROJECTS_AT_ONCE", 1)
    async with stocked.transaction() as connection:
        await connection.execute(
            "insert into projects (project_id, slug, name) values (2, 'b', 'b')"
        )
        await connection.execute(
            "insert into deployment_series select 2, n, n, 2, 0, 0 from generate_series(2, 36) as n"
        )
    await write(stocked, [succeeded(ago(399), project_id=2, series_id=n) for n in range(2, 37)])
    report = await run(stocked)
    assert report.deleted["deployments"] == 36
    assert report.deleted["deployment_project_hour"] == 4 + 4 + 35 + 1 + 1 + 35
    assert await ages(stocked, "deployment_project_hour") == [60, 4, 1]
    assert await ages(stocked, "deployments", "created_at") == [130, 60, 4, 1]


async def test_hours_that_the_platform_knows_no_more_go_too(stocked: Database) -> None:
    async with stocked.transaction() as connection:
        await connection.execute(
            "delete from deployment_platform_quarter where bucket < $1", ago(300)
        )
    await run(stocked)
    assert await ages(stocked, "deployment_project_hour") == [60, 4, 1]


async def test_one_worker_at_a_time(stocked: Database) -> None:
    async with stocked.transaction() as connection:
        assert await lease(connection, LEASE, "b", 60)
    assert await enforce(stocked, Retention(), NOW, holder="a") is None
    assert await enforce(stocked, Retention(), NOW, holder="b") is not None
    assert await enforce(stocked, Retention(), NOW, holder="a") is not None


async def test_day_after_day_nothing_needs_repair(own_database: Database) -> None:
    await stock(own_database)
    await write(own_database, [succeeded(ago(days)) for days in range(78, 92)])
    repaired = []
    for day in range(14):
        now = NOW + timedelta(days=day)
        report = await enforce(own_database, Retention(), now, holder="a")
        assert report is not None
        repaired += report.repaired
        assert not report.kept_back
    assert not repaired
    assert max(await ages(own_database, "deployment_project_hour")) < 91 - 13 + 1


async def test_little_is_read_where_little_has_passed(own_database_url: str) -> None:
    """What there is to delete lies at the end of an index, however large the table."""
    connection = await asyncpg.connect(own_database_url)
    for statement in _MANY_ROWS:
        await connection.execute(statement, NOW)
    await connection.execute("analyze")
    await connection.close()
    before = await rows_read_in_sequence(own_database_url)
    database = await Database.open(own_database_url)
    report = await run(database)
    await database.close()
    assert report.deleted["changes"] == 100
    assert report.deleted["audit_log"] == 100
    assert report.deleted["deployment_project_hour"] == 5 * 328
    assert await rows_read_in_sequence(own_database_url) == before


async def rows_read_in_sequence(url: str) -> dict[str, int]:
    """How many rows of the large tables were read without an index by sessions that have ended."""
    connection = await asyncpg.connect(url)
    # Each session tells what it has read as it ends.
    while await connection.fetchval(_OTHER_SESSIONS):  # noqa: ASYNC110 - the database signals nothing
        await asyncio.sleep(0.05)
    rows = await connection.fetch(
        "select relname, seq_tup_read from pg_stat_user_tables"
        " where relname in ('audit_log', 'changes', 'deployments', 'deployment_platform_quarter',"
        " 'deployment_project_hour')"
    )
    await connection.close()
    return dict(rows)


_OTHER_SESSIONS = """select count(*) from pg_stat_activity where datname = current_database()
and backend_type = 'client backend' and pid <> pg_backend_pid()"""

_MANY_ROWS = (
    """insert into changes (recorded_at, project_id, fact, number, entity_id)
    select $1::timestamptz - interval '1 hour' * case when number <= 100 then 30 else 20 end,
      1, 'deployment', number, gen_random_uuid() from generate_series(1, 20000) as number""",
    """insert into audit_log
      (recorded_at, subject, action, outcome, times, request_id, address, details)
    select $1::timestamptz - interval '1 day' * case when number <= 100 then 400 else 20 end,
      'someone', 'x', 'ok', 1, '', '', '{}' from generate_series(1, 20000) as number""",
    """insert into deployments (project_id, deployment_id, status, created_at)
    select 1, gen_random_uuid(), 0, $1::timestamptz - interval '1 minute' * number
    from generate_series(1, 20000) as number""",
    """insert into deployment_platform_quarter
      (cell, bucket, environment_id, network_id, template_id, framework_id, slot)
    select 0, date_trunc('hour', $1::timestamptz) - interval '15 minutes' * number,
      -1, -1, -1, -1, 0
    from generate_series(1, 8700) as number""",
    """insert into deployment_project_hour
      (project_id, cell, bucket, environment_id, network_id, template_id, framework_id)
    select project, 0, date_trunc('hour', $1::timestamptz) - interval '1 hour' * number,
      -1, -1, -1, -1
    from generate_series(1, 5) as project, generate_series(1, 2500) as number""",
    """insert into projects (project_id, slug, name)
    select n, 'project-' || n, 'Project' from generate_series(1, 5) as n
    where $1::timestamptz is not null""",
)
