"""Databases as the storage tests use them."""

from collections.abc import AsyncIterator

import pytest

from storage.connections.database import Database


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """The shared database; tests work on projects and names of their own."""
    database = await Database.open(database_url)
    yield database
    await database.close()


@pytest.fixture
async def own_database(own_database_url: str) -> AsyncIterator[Database]:
    """A database for one test alone."""
    database = await Database.open(own_database_url, pool_size=6)
    yield database
    await database.close()
