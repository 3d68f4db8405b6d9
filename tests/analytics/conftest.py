"""The world, rows of every fact in a database of its own, and analytics over it."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from analytics.run import Analytics
from storage.connections.database import Database
from storage.facts import FACTS
from tests.analytics import world
from tests.analytics.world import World
from tests.servers import Databases


@pytest.fixture(scope="session")
def worlds() -> dict[str, World]:
    """The rows of each fact, by its name."""
    return {name: world.make_rows(fact) for name, fact in FACTS.items()}


@pytest.fixture(scope="session")
def deployments(worlds: dict[str, World]) -> World:
    return worlds["deployment"]


@pytest.fixture(scope="session")
def world_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="session")
async def world_database(world_url: str, worlds: dict[str, World]) -> AsyncIterator[Database]:
    connection = await asyncpg.connect(world_url)
    await world.load(connection, worlds)
    await connection.execute("analyze")
    await connection.close()
    database = await Database.open(world_url, pool_size=4)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def analytics(world_database: Database) -> Analytics:
    """Analytics over the stored world, without a cache."""
    return Analytics(world_database, None, world.KEPT, lambda: world.NOW)
