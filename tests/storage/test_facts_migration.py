"""A database from before facts comes over with every row, counts what is queued, and goes back."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import alembic.command
import asyncpg
import pytest

from gateway.config import migrations
from storage.keeping.windows import Retention
from storage.rollups.repair import Difference
from tests.servers import Databases
from tests.storage.before_cells import NOW, OTHERS, TABLES, fill, run
from tests.storage.states import differences

BEFORE = "0009"
AFTER = "0010"
Rows = dict[str, set[frozenset[tuple[str, Any]]]]

_LATER = (
    """update deployments set state_at = coalesce(finished_at, created_at) +
      case when status = 5 then interval '5 minutes' else '0' end""",
    "update deployments set rolled_back_at = state_at where status = 5",
    # Reported after its end, which a state does not show.
    """insert into deployment_events (project_id, occurred_at, event_id, deployment_id, type)
    select project_id, created_at + interval '2 hours', gen_random_uuid(), deployment_id, 2
    from deployments where status = 2""",
    # Detached by retention, which was ended before it dropped these.
    "alter table deployment_events detach partition deployment_events_202001",
    """create table deployment_project_minute_20200106
      (like deployment_project_minute including defaults)""",
)


def dump(url: str, series: str) -> Rows:
    tables = {table: table for table in (*TABLES, *OTHERS, "deployments", "projects")}
    tables |= {"series": series}
    return {
        name: {_frozen(row) for row in run(url, f"select * from {table}")}
        for name, table in tables.items()
    }


def _frozen(row: asyncpg.Record) -> frozenset[tuple[str, Any]]:
    return frozenset(row.items())


def without(rows: Rows, *columns: str) -> Rows:
    return {
        table: {frozenset(item for item in row if item[0] not in columns) for row in every}
        for table, every in rows.items()
    }


@pytest.fixture(scope="module")
def old_url(databases: Databases) -> Iterator[str]:
    with databases.fresh(empty=True) as url:
        fill(url)
        migrations.upgrade(url, BEFORE)
        run(url, *_LATER)
        yield url


@pytest.fixture(scope="module")
def was(old_url: str) -> Rows:
    return dump(old_url, "series")


@pytest.fixture(scope="module")
def url(old_url: str, was: Rows) -> str:
    assert all(was.values())
    migrations.upgrade(old_url, AFTER)
    return old_url


def test_nothing_is_lost_and_ids_stay(url: str, was: Rows) -> None:
    now = without(dump(url, "deployment_series"), "queued", "updated_at")
    assert now == without(was, "rolled_back_at")


def test_every_cell_of_every_day_equals_a_recount(url: str) -> None:
    migrations.upgrade(url)

    async def recount() -> list[Difference]:
        connection = await asyncpg.connect(url)
        found = []
        for days in range(36):
            at = NOW - timedelta(days=days)
            found += await differences(connection, at, Retention().floors(NOW))
        await connection.close()
        return found

    assert asyncio.run(recount()) == []


def test_queued_deployments_are_counted_once_in_each_cell(url: str) -> None:
    (expected,) = run(url, "select count(*) from deployments where status = 0")[0]
    for table in ("deployment_project_hour", "deployment_project_day", "deployment_platform_day"):
        rows = run(url, f"select sum(queued) from {table} group by cell")
        assert [row[0] for row in rows] == [expected] * 4, table


def test_deployments_know_when_they_were_last_reported_on(url: str) -> None:
    events = run(url, "select deployment_id, max(occurred_at) from deployment_events group by 1")
    latest: dict[Any, datetime] = {row[0]: row[1] for row in events}
    for row in run(url, "select * from deployments"):
        times = [row["created_at"], row["finished_at"], row["state_at"]]
        times.append(latest.get(row["deployment_id"]))
        assert row["updated_at"] == max(filter(None, times))


def test_second_upgrade_changes_nothing_and_downgrade_brings_all_back(url: str, was: Rows) -> None:
    now = dump(url, "deployment_series")
    migrations.upgrade(url)
    assert dump(url, "deployment_series") == now
    alembic.command.downgrade(migrations.config(url), BEFORE)
    assert dump(url, "series") == was
    migrations.upgrade(url)
    assert dump(url, "deployment_series") == now
