"""A database with two tenants' deployments, written by ingest itself."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from access.sealing import Seals
from analytics.run import Analytics
from ingest.intake import Intake
from ingest.normaliser import TimeWindow
from resolvers.context import Services
from storage.connections.database import Database
from storage.dictionaries import Dictionaries, TemplateFields, upsert_network, upsert_template
from storage.keeping.windows import DEFAULT
from tests.schema.platform import ADMIN, NOW, Platform, history
from tests.servers import Databases

SEALS = Seals(["the secret of the settings"])


@pytest.fixture(scope="session")
def platform_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="session")
async def platform(platform_url: str) -> AsyncIterator[Platform]:
    """Shared by tests that only read."""
    async with opened(platform_url) as platform:
        yield platform


@asynccontextmanager
async def opened(platform_url: str) -> AsyncIterator[Platform]:
    statements: list[str] = []
    database = await Database.open(
        platform_url, pool_size=4, on_statement=lambda name, _seconds: statements.append(name)
    )
    await _provision(database)
    dictionaries = Dictionaries(database)
    intake = Intake(database, dictionaries, lambda: NOW)
    await intake.start()
    for result in await intake.record(history(), ADMIN, TimeWindow(None, None)):
        assert result.status == "accepted", result
    analytics = Analytics(database, None, DEFAULT, lambda: NOW)
    services = Services(
        database, dictionaries, analytics, intake, b"a key", lambda: NOW, seals=SEALS
    )
    yield Platform(services, statements)
    await intake.stop()
    await database.close()


async def _provision(database: Database) -> None:
    async with database.transaction() as connection:
        for number in range(1, 13):
            slug = f"template-{number:02}"
            await upsert_template(connection, TemplateFields(slug, name=f"Template {number}"))
        await upsert_network(connection, "hyperion", "Hyperion", 133717)
