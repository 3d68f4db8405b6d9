"""Plans: lists and histories are read by their indexes, not by reading everything."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import DateTime, bindparam, true

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Age
from storage.keeping.partitions import ensure_for
from storage.queries import facts, keyed
from storage.queries.ages import rows_of_age
from storage.queries.facts import RowsShape
from storage.queries.joins import PLAIN, Reading
from storage.queries.paging import PageRequest
from storage.queries.rows import Order
from storage.queries.scoping import ScopeSize, key_values
from tests.servers import Databases

# The end of what is stored: late in a month, so that no partition has only a few rows of one day.
NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
PROJECTS = list(range(1, 41))
LINKED = Reading(project=True, template=True, status_events=3)
NEWEST, OLDEST = Order("created_at"), Order("created_at", descending=False)


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def database(url: str) -> AsyncIterator[Database]:
    opened = await Database.open(url)
    async with opened.connection() as connection:
        await ensure_for(
            connection, DEPLOYMENTS, [NOW - timedelta(days=days) for days in (6, 40, 80)], NOW
        )
        await connection.execute(
            """insert into deployments (project_id, deployment_id, status, created_at, finished_at)
            select n % 40 + 1, gen_random_uuid(), 2, $1::timestamptz - n * interval '1 minute',
                $1::timestamptz - n * interval '1 minute' + interval '30 seconds'
            from generate_series(1, 20000) as n""",
            NOW,
        )
        await connection.execute(
            """insert into deployment_events
                (project_id, occurred_at, event_id, deployment_id, type)
            select project_id, created_at, gen_random_uuid(), deployment_id, 1 from deployments
            where created_at > $1::timestamptz - interval '6 days'""",
            NOW,
        )
        await connection.execute(
            "insert into projects (slug, name) select n, n from generate_series(1, 40) as n"
        )
        await connection.execute("analyze")
    yield opened
    await opened.close()


async def plan(database: Database, query: SqlQuery, **values: Any) -> str:
    async with database.connection() as connection:
        await connection.execute("set plan_cache_mode = force_generic_plan")
        try:
            rows = await connection.fetch(
                f"explain (analyze, costs off) {query.text}", *query.arguments(values)
            )
        finally:
            await connection.execute("reset plan_cache_mode")
    return "\n".join(row[0] for row in rows)


def read_whole(text: str) -> bool:
    """Whether a table with rows in it was read from end to end."""
    return any(
        "Seq Scan on deployment" in line and "never executed" not in line and "rows=0" not in line
        for line in text.splitlines()
    )


@pytest.mark.parametrize(
    "order", [NEWEST, Order("created_at", descending=False), Order("finished_at")]
)
@pytest.mark.parametrize("scope_size", [ScopeSize.FEW, ScopeSize.EVERYTHING])
async def test_a_page_is_read_by_index(
    database: Database, order: Order, scope_size: ScopeSize
) -> None:
    position = (NOW - timedelta(days=2), 3, UUID(int=0))
    request = PageRequest(50, after=position)
    query = facts._find(request.shape, PLAIN, scope_size, RowsShape(DEPLOYMENTS, order))
    scope = {} if scope_size is ScopeSize.EVERYTHING else {"scope": [1, 2, 3]}
    text = await plan(database, query, **scope, **request.parameters())
    assert not read_whole(text), text
    assert "Index Scan" in text


@pytest.mark.parametrize("scope", [[1, 2, 3], None])
async def test_what_runs_is_read_without_what_has_ended(
    database: Database, scope: list[int] | None
) -> None:
    """Of all that a range has created, only the few rows that had not finished by its end."""
    project, parameters = DEPLOYMENTS.table.c.project_id, {} if scope is None else {"scope": scope}
    visible = true() if scope is None else any_of(project, "scope")
    start, end = (bindparam(name, type_=DateTime(timezone=True)) for name in ("start", "end"))
    query = SqlQuery("ages", rows_of_age(DEPLOYMENTS, Age.RUNNING, visible, start, end))
    text = await plan(database, query, start=NOW - timedelta(days=9), end=NOW, **parameters)
    assert not read_whole(text), text
    assert text.count("deployments_finished") == 2, text
    assert "deployments_newest" not in text, text


async def test_an_id_is_looked_up_by_key_in_each_project(database: Database) -> None:
    query = keyed._by_id(ScopeSize.EVERYTHING, DEPLOYMENTS, PLAIN)
    text = await plan(database, query, id=UUID(int=1))
    assert not read_whole(text), text


async def test_latest_of_each_project_is_read_by_index(database: Database) -> None:
    query = keyed._newest(ScopeSize.EVERYTHING, DEPLOYMENTS, ("project_id",), PLAIN)
    text = await plan(database, query, key0=PROJECTS, first=5)
    assert not read_whole(text), text


async def test_entities_with_their_links_are_read_by_key(database: Database) -> None:
    """R40: and of their events only partitions since their creation are opened."""
    newest = facts._find(
        PageRequest(50).shape, PLAIN, ScopeSize.EVERYTHING, RowsShape(DEPLOYMENTS, NEWEST)
    )
    rows = await database.fetch(newest, size=50)
    query = keyed._newest(ScopeSize.EVERYTHING, DEPLOYMENTS, DEPLOYMENTS.key, LINKED.shape)
    keys = key_values([(row["project_id"], row["deployment_id"]) for row in rows])
    text = await plan(database, query, **keys, first=1, **LINKED.parameters())
    assert not read_whole(text), text
    assert "deployments_pkey" in text, text
    assert "never executed" in text, text


@pytest.mark.parametrize("scope_size", [ScopeSize.FEW, ScopeSize.EVERYTHING])
async def test_a_page_with_its_links_is_read_by_index(
    database: Database, scope_size: ScopeSize
) -> None:
    request, reading = PageRequest(50), LINKED
    rows = RowsShape(DEPLOYMENTS, NEWEST)
    query = facts._find(request.shape, reading.shape, scope_size, rows)
    scope = {} if scope_size is ScopeSize.EVERYTHING else {"scope": [1, 2, 3]}
    text = await plan(database, query, **scope, **request.parameters(), **reading.parameters())
    assert not read_whole(text), text
    assert "never executed" in text, text  # of older partitions of events
