"""An overview reads a row per bucket, however many series its project has."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from access.scopes import Scope
from analytics.compile import statement
from analytics.periods import Range
from analytics.plan import Horizon, make_plan
from analytics.shapes import parameters, shape_of
from analytics.slices import Filter
from storage.connections.database import Database
from storage.dimensions import NETWORK, Dimension
from storage.facts.deployments import DEPLOYMENTS
from storage.keeping.windows import Retention
from storage.rollups.contribution import contribution_rows, counted_rows, rollup_insert
from storage.rollups.tables import rows_of
from tests.analytics.questions import question
from tests.servers import Databases

NOW = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)
FIRST = datetime(2031, 6, 1, tzinfo=UTC)
DAYS, NETWORKS, SERIES, PROJECTS = 30, 6, 240, 3

_SERIES = f"""
insert into deployment_series
select project, n + 1, 2 + n % 2, 2 + n % {NETWORKS}, 2 + n / {NETWORKS}, 2
from generate_series(1, {PROJECTS}) as project, generate_series(1, {SERIES}) as n
"""
_DEPLOYMENTS = f"""
insert into deployments (project_id, deployment_id, series_id, status, created_at, finished_at,
  finish_status, duration_us)
select project_id, gen_random_uuid(), series_id, 2, at, at + interval '1 minute', 2, 60000000
from deployment_series, lateral
  (select $1::timestamptz + day * interval '1 day' + interval '1 hour' as at
    from generate_series(0, {DAYS - 1}) as day) as times
"""


@pytest.fixture(scope="module")
def busy_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def busy(busy_url: str) -> AsyncIterator[Database]:
    """Projects whose every series deploys on every day."""
    database = await Database.open(busy_url, pool_size=2, statement_timeout_seconds=120)
    contribution = contribution_rows(DEPLOYMENTS, "(select 1 as sign, * from deployments)")
    counted = f"contribution as ({contribution}), counted as ({counted_rows(DEPLOYMENTS)})"
    async with database.connection() as connection:
        await connection.execute(_SERIES)
        await connection.execute(_DEPLOYMENTS, FIRST)
        for rows in rows_of(DEPLOYMENTS):
            if rows.width > timedelta(minutes=1):
                insert = rollup_insert(DEPLOYMENTS, rows, "0", "true")
                await connection.execute(f"with {counted} {insert}")
        await connection.execute("analyze")
    yield database
    await database.close()


async def rows_read(database: Database, by: Sequence[Dimension], filter: Filter) -> int:
    """The most that one scan of a roll-up looked at."""
    month = Range(FIRST, FIRST + timedelta(days=DAYS))
    asked = question(month, Scope.of((2,)), filter=filter, group_by=by, distinct=False)
    plan = make_plan(asked, Horizon.at(Retention(), NOW))
    shape = shape_of(asked, plan)
    query = statement(shape)
    arguments = query.arguments(parameters(asked, plan, shape))
    async with database.connection() as connection:
        text = f"explain (analyze, buffers, format json) {query.text}"
        (found,) = await connection.fetchval(text, *arguments)
    counts = [
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        for node in _nodes(found["Plan"])
        if node.get("Relation Name") == "deployment_project_day"
    ]
    return int(max(counts))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


@pytest.mark.parametrize(
    ("by", "filter", "rows"),
    [
        ((), Filter(), DAYS),
        ((NETWORK,), Filter(), DAYS * NETWORKS),
        ((), Filter.of({NETWORK: (3,)}), DAYS * NETWORKS),
    ],
)
async def test_rows_read_are_those_of_the_smallest_cell(
    busy: Database, by: Sequence[Dimension], filter: Filter, rows: int
) -> None:
    assert 0 < await rows_read(busy, by, filter) <= rows
