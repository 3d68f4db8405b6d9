"""A database, its dictionaries, and an intake that writes to it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from access.viewers import Role, Viewer
from ingest.intake import Intake
from storage.connections.database import Database
from storage.dimensions import Dictionaries

ADMIN = Viewer("admin", frozenset({Role.ADMIN}), frozenset())


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def database(own_database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(own_database_url)
    yield opened
    await opened.close()


@pytest.fixture
def dictionaries(database: Database) -> Dictionaries:
    return Dictionaries(database)


@pytest.fixture
async def intake(database: Database, dictionaries: Dictionaries) -> AsyncIterator[Intake]:
    started = Intake(database, dictionaries, now)
    await started.start()
    yield started
    await started.stop()
