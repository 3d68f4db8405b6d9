"""The evaluator over a database of its own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from ingest.intake import Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from tests.alerts.engine import Engine


@pytest.fixture
async def engine(own_database_url: str) -> AsyncIterator[Engine]:
    database = await Database.open(own_database_url)
    intake = Intake(database, Dictionaries(database), lambda: datetime.now(UTC))
    await intake.start()
    yield Engine(database, intake)
    await intake.stop()
    await database.close()
