"""R40: the lists people open go through an index, whatever the size of the tables."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.keeping.partitions import ensure_for
from storage.queries import deployments, status_events
from storage.queries.conditions import All
from storage.queries.deployments import Order
from storage.queries.paging import PageRequest
from tests.servers import Databases

PROJECTS = 20
DEPLOYMENTS = 40_000


@dataclass(frozen=True, slots=True)
class Scope:
    project_ids: tuple[int, ...] | None


class Explaining(Database):
    """Runs each read as it is, and keeps the plan it runs by."""

    plan: dict[str, Any]

    async def _read(self, query: SqlQuery, arguments: list[Any]) -> list[Any]:
        async with self.connection() as connection:
            text = f"explain (analyze, format json) {query.text}"
            (self.plan,) = await connection.fetchval(text, *arguments)
        return await super()._read(query, arguments)

    def scans(self) -> list[dict[str, Any]]:
        """Every node of the last plan that read rows of a table."""
        return [
            node for node in nodes(self.plan["Plan"]) if "Relation Name" in node and rows_of(node)
        ]


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def rows_of(node: dict[str, Any]) -> float:
    """How many rows a scan looked at, in all its loops."""
    seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return float(seen * node["Actual Loops"])


@pytest.fixture(scope="module")
def filled_database_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def database(filled_database_url: str) -> AsyncIterator[Explaining]:
    """Eight weeks of deployments of many projects, with two events each."""
    database = await Explaining.open(filled_database_url)
    now = datetime.now(UTC)
    async with database.connection() as connection:
        await ensure_for(connection, [now - timedelta(days=days) for days in (0, 28, 56)], now)
    async with database.transaction(timeout_seconds=120) as connection:
        await connection.execute(
            "insert into deployments (project_id, deployment_id, status, created_at, finished_at)"
            f" select n % {PROJECTS}, gen_random_uuid(), 2, at, at + interval '1 minute'"
            f" from generate_series(1, {DEPLOYMENTS}) as n,"
            f" lateral (select now() - n * interval '56 days' / {DEPLOYMENTS} as at) as created"
        )
        await connection.execute(
            "insert into deployment_events"
            " (project_id, deployment_id, event_id, occurred_at, type)"
            " select project_id, deployment_id, gen_random_uuid(), at, type from deployments,"
            " lateral (values (created_at, 1), (finished_at, 3)) as event(at, type)"
        )
    async with database.connection() as connection:
        await connection.execute("analyze deployments")
        await connection.execute("analyze deployment_events")
    yield database
    await database.close()


def assert_reads_little(database: Explaining, index: str, rows: int) -> None:
    scans = database.scans()
    assert scans
    for scan in scans:
        assert scan["Node Type"] in ("Index Scan", "Index Only Scan"), scan["Node Type"]
        assert index in scan["Index Name"]
    assert sum(map(rows_of, scans)) <= rows


async def test_newest_deployments_of_a_project_come_from_their_index(database: Explaining) -> None:
    scope, request = Scope((7,)), PageRequest(50)
    first = await deployments.find(database, scope, All(), Order(), request)
    assert len(first.rows) == 50
    assert_reads_little(database, "deployments_newest_idx", 51)
    after = PageRequest(50, after=Order().position(first.rows[-1]))
    second = await deployments.find(database, scope, All(), Order(), after)
    assert Order().position(second.rows[0]) < Order().position(first.rows[-1])
    assert_reads_little(database, "deployments_newest_idx", 60)


async def test_newest_deployments_of_all_come_from_their_index(database: Explaining) -> None:
    await deployments.find(database, Scope(None), All(), Order(), PageRequest(50))
    assert_reads_little(database, "deployments_newest_overall_idx", 51)


async def test_newest_deployments_of_several_projects_read_a_page_of_each(
    database: Explaining,
) -> None:
    await deployments.find(database, Scope((3, 7, 9)), All(), Order(), PageRequest(50))
    assert_reads_little(database, "deployments_newest_idx", 3 * 51)


async def test_history_of_a_deployment_comes_from_its_index(database: Explaining) -> None:
    page = await deployments.find(database, Scope((7,)), All(), Order(), PageRequest(50))
    keys = [status_events.key_of(row) for row in page.rows]
    histories = await status_events.latest(database, Scope((7,)), keys, 10)
    assert all(len(events) == 2 for events in histories)
    assert_reads_little(database, "_project_id_deployment_id_", 2 * 50)


async def test_one_deployment_comes_from_its_key(database: Explaining) -> None:
    page = await deployments.find(database, Scope((7,)), All(), Order(), PageRequest(1))
    key = (7, page.rows[0]["deployment_id"])
    assert await deployments.by_keys(database, Scope((7,)), [key])
    assert_reads_little(database, "deployments_pkey", 1)
