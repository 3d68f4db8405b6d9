"""A database from before cells comes over with every row, and goes back with every row."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import alembic.command
import asyncpg
import pytest

from gateway.config import migrations
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import SERIES_DIMENSIONS
from storage.keeping import partitions
from storage.keeping.windows import Retention
from storage.rollups.repair import Difference
from tests.servers import Databases
from tests.storage.states import differences

BEFORE = "0008"
NOW = datetime.now(UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
# Of this day only daily roll-ups are left.
LONG_AGO = MIDNIGHT - timedelta(days=200)

_DIMENSIONS = ", ".join(SERIES_DIMENSIONS)
_SUMS = ", ".join(component.name for component in DEPLOYMENTS.components)
_HISTOGRAM = DEPLOYMENTS.histogram.columns
_BOUNDS = ",".join(map(str, DEPLOYMENTS.histogram.thresholds_us()))
_TABLES = {
    "deployment_project_minute": "minute",
    "deployment_project_hour": "hour",
    "deployment_project_day": "day",
    "deployment_platform_quarter": "quarter",
    "deployment_platform_day": "day",
}
_BUCKETS = {"minute": "1 minute", "hour": "1 hour", "day": "1 day", "quarter": "15 minutes"}
_OTHERS = ("deployment_presence_hour", "deployment_presence_day", "deployment_events")

_FACTS = (
    "insert into projects (project_id, slug, name)"
    " select n, 'project-' || n, 'Project' from generate_series(1, 3) as n",
    "insert into series select project, series, 2 + series % 2, 2 + series / 3, 2 + series, 0"
    " from generate_series(1, 3) as project, generate_series(2, 5) as series",
    """insert into deployments (project_id, deployment_id, series_id, status, created_at,
      finished_at, finish_status, duration_us)
    select 1 + n % 3, gen_random_uuid(), 2 + n % 4, n % 6, at,
      case when n % 6 > 1 then at + n % 50 * interval '70 seconds' end,
      case when n % 6 > 1 then least(n % 6, 4) end,
      case when n % 6 in (2, 3, 5) then n % 50 * 70000000::bigint end
    from generate_series(1, 100) as n,
      lateral (select now() - n * interval '8 hours' - interval '1 hour' as at
        union all select now() - n * interval '23 minutes' - interval '1 hour') as times""",
    """insert into deployment_events
      (project_id, occurred_at, event_id, deployment_id, type, actor, attributes)
    select project_id, created_at, gen_random_uuid(), deployment_id, 0, 'ci', '{"a": [1]}'
    from deployments""",
    # Detached by retention, which was ended before it dropped this.
    "create table deployment_events_20200106 (like deployment_events including defaults)",
    """insert into deployment_events_20200106
      (project_id, occurred_at, event_id, deployment_id, type)
    values (1, '2020-01-07Z', gen_random_uuid(), gen_random_uuid(), 3)""",
)

_CONTRIBUTION = f"""
select d.project_id, {_DIMENSIONS}, created_at as at, 1 as attempts, (status = 2)::int as succeeded,
  (status = 3)::int as failed, (status = 4)::int as cancelled, (status = 5)::int as rolled_back,
  0 as finishes, 0 as finishes_succeeded, 0 as finishes_failed, 0 as finishes_cancelled,
  0 as timed, 0 as duration_us, null::int as place
from deployments as d join series using (project_id, series_id)
union all
select d.project_id, {_DIMENSIONS}, finished_at, 0, 0, 0, 0, 0, 1, (finish_status = 2)::int,
  (finish_status = 3)::int, (finish_status = 4)::int, (duration_us is not null)::int,
  coalesce(duration_us, 0), width_bucket(duration_us, '{{{_BOUNDS}}}'::bigint[])
from deployments as d join series using (project_id, series_id) where finished_at is not null
"""


def _old_rollup(table: str, grain: str, dimensions: str = _DIMENSIONS) -> str:
    """What the code of that time kept: finest rows, and over the platform a total of all."""
    owner = "project_id" if "project" in table else "(project_id % 2)::smallint"
    key = "project_id" if "project" in table else "slot"
    histogram = [] if grain == "minute" else list(enumerate(_HISTOGRAM))
    columns = ", ".join([key, "bucket", _DIMENSIONS, _SUMS, *(name for _, name in histogram)])
    sums = [f"sum({component.name})" for component in DEPLOYMENTS.components]
    sums += [f"nullif(count(*) filter (where place = {n}), 0)" for n, _ in histogram]
    floor = MIDNIGHT - timedelta(days={"minute": 2}.get(grain, 90))
    return (
        f"insert into {table} ({columns}) select {owner},"
        f" date_bin('{_BUCKETS[grain]}', at, '2000-01-01Z'), {dimensions}, {', '.join(sums)}"
        f" from ({_CONTRIBUTION}) as c where at >= '{floor}' group by 1, 2, 3, 4, 5, 6"
    )


def _old_presence(grain: str) -> str:
    return (
        f"insert into deployment_presence_{grain} select date_bin('1 {grain}', at, '2000-01-01Z'),"
        f" network_id, project_id, sum(attempts) from ({_CONTRIBUTION}) as c group by 1, 2, 3"
        " having sum(attempts) > 0"
    )


_LONG_AGO = (
    f"""insert into deployment_project_day (project_id, bucket, {_DIMENSIONS}, attempts, finishes,
      timed, duration_us, h7, h9) values
    (1, '{LONG_AGO}', 2, 2, 2, 0, 5, 4, 4, {2**62}, 3, 1), (1, '{LONG_AGO}', 2, 2, 3, 0, 1, 1, 1,
      {2**62}, 1, null), (1, '{LONG_AGO}', 2, 3, 2, 0, 2, 2, 2, {2**62}, null, 2)""",
    f"""insert into deployment_platform_day (bucket, {_DIMENSIONS}, slot, attempts, h7) values
    ('{LONG_AGO}', 2, 2, 2, 0, 0, 5, 3), ('{LONG_AGO}', 2, 3, 2, 0, 1, 3, null),
    ('{LONG_AGO}', -1, -1, -1, -1, 0, 5, 3), ('{LONG_AGO}', -1, -1, -1, -1, 1, 3, null)""",
)


def run(url: str, *statements: str) -> list[asyncpg.Record]:
    """Run the statements; the rows of the last one."""

    async def work() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            rows: list[asyncpg.Record] = []
            for statement in statements:
                rows = await connection.fetch(statement)
            return rows
        finally:
            await connection.close()

    return asyncio.run(work())


def dump(url: str) -> dict[str, set[frozenset[tuple[str, Any]]]]:
    """Every row of every table that changes."""
    return {
        table: {frozenset(row.items()) for row in run(url, f"select * from {table}")}
        for table in (*_TABLES, *_OTHERS)
    }


@pytest.fixture(scope="module")
def old_url(databases: Databases) -> Iterator[str]:
    with databases.fresh(empty=True) as url:
        migrations.upgrade(url, BEFORE)
        totals = ", ".join(["-1"] * 4)
        run(
            url,
            *_FACTS,
            *(_old_rollup(table, grain) for table, grain in _TABLES.items()),
            *(_old_rollup(t, grain, totals) for t, grain in _TABLES.items() if "platform" in t),
            _old_presence("hour"),
            _old_presence("day"),
            *_LONG_AGO,
        )
        yield url


@pytest.fixture(scope="module")
def was(old_url: str) -> dict[str, set[frozenset[tuple[str, Any]]]]:
    return dump(old_url)


@pytest.fixture(scope="module")
def url(old_url: str, was: object) -> str:
    assert was
    migrations.upgrade(old_url)
    alembic.command.check(migrations.config(old_url))
    return old_url


def test_every_cell_of_every_day_equals_a_recount(url: str) -> None:
    async def recount() -> list[Difference]:
        connection = await asyncpg.connect(url)
        found = []
        for days in range(36):
            at = NOW - timedelta(days=days)
            found += await differences(connection, at, Retention().floors(NOW))
        await connection.close()
        return found

    assert asyncio.run(recount()) == []


def test_days_without_facts_have_their_cells_from_the_finest_rows(url: str) -> None:
    projects = run(
        url,
        "select cell, network_id, template_id, attempts, duration_us, h7, h9"
        f" from deployment_project_day where bucket = '{LONG_AGO}' order by 1, 2, 3",
    )
    assert [tuple(row) for row in projects] == [
        (0, -1, -1, 8, 3 * 2**62, 4, 3),
        (1, 2, -1, 6, 2 * 2**62, 4, 1),
        (1, 3, -1, 2, 2**62, None, 2),
        (2, 2, 2, 5, 2**62, 3, 1),
        (2, 2, 3, 1, 2**62, 1, None),
        (2, 3, 2, 2, 2**62, None, 2),
        (3, -1, -1, 8, 3 * 2**62, 4, 3),
    ]
    platform = run(
        url,
        "select cell, network_id, slot, attempts, h7"
        f" from deployment_platform_day where bucket = '{LONG_AGO}' order by 1, 2, 3",
    )
    assert [tuple(row) for row in platform] == [
        (0, -1, 0, 5, 3),
        (0, -1, 1, 3, None),
        (1, 2, 0, 5, 3),
        (1, 3, 1, 3, None),
        (2, 2, 0, 5, 3),
        (2, 3, 1, 3, None),
        (3, -1, 0, 5, 3),
        (3, -1, 1, 3, None),
    ]


def test_finest_rows_events_and_presence_are_all_there(
    url: str, was: dict[str, set[frozenset[tuple[str, Any]]]]
) -> None:
    now = dump(url)
    for table in _OTHERS:
        assert was[table] <= now[table], table
    left_detached = now["deployment_events"] - was["deployment_events"]
    assert [dict(row)["type"] for row in left_detached] == [3]
    for table in _TABLES:
        finest = {
            frozenset((name, value) for name, value in row if name in dict(old))
            for row in now[table]
            if ("cell", 2) in row
            for old in [next(iter(was[table]))]
        }
        assert finest == {row for row in was[table] if ("network_id", -1) not in row}, table


def test_partitions_are_few_and_named_as_new_ones_are(url: str) -> None:
    async def look() -> tuple[int, int]:
        connection = await asyncpg.connect(url)
        made = await partitions.ensure_ahead(connection, NOW)
        total = sum((await partitions.counts(connection)).values())
        await connection.close()
        return made, total

    assert asyncio.run(look()) == (0, len(run(url, _PARTITIONS)))
    assert len(run(url, _PARTITIONS)) < 30


_PARTITIONS = (
    "select from pg_class where relispartition and relkind = 'r'"
    " and relname ~ '^deployment_(events_[0-9]{6}|project_minute_[0-9]{8})$'"
)


def test_downgrade_brings_every_row_back(
    url: str, was: dict[str, set[frozenset[tuple[str, Any]]]]
) -> None:
    alembic.command.downgrade(migrations.config(url), BEFORE)
    now = dump(url)
    assert was.pop("deployment_events") <= now.pop("deployment_events")
    for table, rows in was.items():
        assert rows == now[table], table
    migrations.upgrade(url)
    alembic.command.check(migrations.config(url))
