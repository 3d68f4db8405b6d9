"""A database, its dictionaries, and an intake that writes to it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from access.viewers import Role, Viewer
from ingest.intake import Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries

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


@pytest.fixture
async def intakes(database: Database) -> AsyncIterator[list[Intake]]:
    """Two intakes, as of two processes, with batches so small that deployments span several."""
    pair = [Intake(database, Dictionaries(database), now, batch_events=4) for _ in range(2)]
    for intake in pair:
        await intake.start()
    yield pair
    for intake in pair:
        await intake.stop()
