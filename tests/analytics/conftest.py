"""The world of deployments in a database of its own, and analytics over it."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from analytics.run import Analytics
from storage.connections.database import Database
from tests.analytics import world
from tests.analytics.oracle import Deployment
from tests.servers import Databases


@pytest.fixture(scope="session")
def deployments() -> list[Deployment]:
    return world.make_deployments()


@pytest.fixture(scope="session")
def world_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="session")
async def world_database(world_url: str, deployments: list[Deployment]) -> AsyncIterator[Database]:
    connection = await asyncpg.connect(world_url)
    await world.load(connection, deployments)
    await connection.execute("analyze")
    await connection.close()
    database = await Database.open(world_url, pool_size=4)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def analytics(world_database: Database) -> Analytics:
    """Analytics over the stored world, without a cache."""
    return Analytics(world_database, None, world.KEPT, lambda: world.NOW)
