"""Loaders: many keys, one statement, rows in the order of the keys."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from access.scopes import Scope
from analytics.run import Analytics
from dataloaders.loaders import Loaders
from storage.connections.database import Database
from storage.dictionaries import upsert_project
from storage.dimensions import PROJECT
from storage.facts.deployments import DEPLOYMENTS
from storage.keeping.windows import DEFAULT
from storage.queries.keyed import Newest
from tests.servers import Databases


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
def statements() -> list[str]:
    return []


@pytest.fixture(scope="module")
async def database(url: str, statements: list[str]) -> AsyncIterator[Database]:
    opened = await Database.open(url, on_statement=lambda name, _seconds: statements.append(name))
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def ids(database: Database) -> list[int]:
    async with database.transaction() as connection:
        return [await upsert_project(connection, f"project-{number}") for number in range(5)]


def loaders(database: Database, scope: Scope) -> Loaders:
    analytics = Analytics(database, None, DEFAULT, lambda: datetime.now(UTC))
    return Loaders(database, analytics, scope)


async def test_keys_of_one_moment_are_one_statement(
    database: Database, ids: list[int], statements: list[str]
) -> None:
    loader = loaders(database, Scope.everything()).provisioned(PROJECT)
    statements.clear()
    rows = await asyncio.gather(*(loader.load(id) for id in [*ids[::-1], ids[0]]))
    assert [row["project_id"] for row in rows if row] == [*ids[::-1], ids[0]]
    assert statements == ["projects_by_project_id"]


async def test_a_missing_row_is_none_in_its_place(database: Database, ids: list[int]) -> None:
    rows = (
        await loaders(database, Scope.everything()).provisioned(PROJECT).load_many([ids[0], 10**9])
    )
    assert [row is None for row in rows] == [False, True]


async def test_a_row_out_of_scope_is_missing(database: Database, ids: list[int]) -> None:
    few = loaders(database, Scope.of(ids[:1]))
    rows = await few.provisioned(PROJECT).load_many(ids)
    assert [row is None for row in rows] == [False, True, True, True, True]
    rows = await few.provisioned(PROJECT, "slug").load_many(["project-0", "project-1"])
    assert [row is None for row in rows] == [False, True]


async def test_an_empty_scope_asks_nothing(
    database: Database, ids: list[int], statements: list[str]
) -> None:
    nothing = loaders(database, Scope.of([]))
    statements.clear()
    assert await nothing.provisioned(PROJECT).load(ids[0]) is None
    newest = nothing.newest(Newest(DEPLOYMENTS, DEPLOYMENTS.key, 1))
    assert await newest.load((ids[0], uuid4())) is None
    assert statements == []


async def test_each_request_has_its_own_memory(
    database: Database, ids: list[int], statements: list[str]
) -> None:
    statements.clear()
    for _ in range(2):
        loader = loaders(database, Scope.everything()).provisioned(PROJECT)
        await loader.load(ids[0])
        await loader.load(ids[0])
    assert statements == ["projects_by_project_id"] * 2
