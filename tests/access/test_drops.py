"""Counts of dropped events are exact, also when the database is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from access import drops as module
from access.drops import Category, Drops, Reason
from storage.admin import dropped_events
from storage.admin.project_keys import ProjectKey
from storage.background import running
from storage.connections.database import Connection, Database
from storage.errors import Unavailable
from tests.gateway.rest.sdks import new_key

NOW = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, pool_size=2)
    yield database
    await database.close()


class Flaky:
    """A database that is away as long as it is told."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.is_away = True

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        await asyncio.sleep(0)
        if self.is_away:
            raise Unavailable("away")
        async with self.database.transaction() as connection:
            yield connection


def drops_on(database: Any) -> Drops:
    return Drops(database, lambda: NOW, lambda _category, _reason, _events: None)


async def counted(database: Database, key: ProjectKey) -> dict[str, int]:
    rows = await dropped_events.find(database, key.project_id, NOW.date())
    return {f"{row.category} {row.reason}": row.events for row in rows}


async def test_counts_add_up_over_writes_and_outages(database: Database) -> None:
    key = await new_key(database)
    flaky = Flaky(database)
    drops = drops_on(flaky)
    for _ in range(3):
        drops.add(key, Category.ERROR, Reason.KEY_BUDGET)
        await drops.write()
    drops.add(key, Category.LOG, Reason.NOT_USED, 5)
    flaky.is_away = False
    await drops.write()
    drops.add(key, Category.ERROR, Reason.KEY_BUDGET, 4)
    await drops.write()
    await drops.write()
    assert await counted(database, key) == {"error key_budget": 7, "log not_used": 5}


async def test_two_processes_count_together(database: Database) -> None:
    key = await new_key(database)
    several = [drops_on(database) for _ in range(2)]
    for drops in several * 5:
        drops.add(key, Category.ERROR, Reason.DUPLICATE)
        drops.add(key, Category.SESSION, Reason.NOT_USED)
    await asyncio.gather(*(drops.write() for drops in several))
    assert await counted(database, key) == {"error duplicate": 10, "session not_used": 10}


async def test_a_stop_loses_no_count(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITTEN_SECONDS", 0.0)
    key = await new_key(database)
    total = 0
    for pauses in range(1, 12):
        drops = drops_on(database)
        async with running(drops.follow(), "drops"):
            for _ in range(5):
                drops.add(key, Category.ERROR, Reason.DUPLICATE)
                total += 1
                for _ in range(pauses):
                    await asyncio.sleep(0)
    assert await counted(database, key) == {"error duplicate": total}
