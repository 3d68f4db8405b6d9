"""Versions grow with every committed change, and never pass over one that commits late."""

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from storage.database import Database
from storage.versions import LAG_LIMIT_SECONDS, Tags, Versions

RECORD = (
    "insert into changes (project_id, network_id, kind, entity_id)"
    " values ($1, $2, 'deployment', gen_random_uuid())"
)
EVERYTHING = Tags(None, None)


@pytest.fixture
async def database(own_database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(own_database_url, pool_size=3)
    yield opened
    await opened.close()


@pytest.fixture
async def connection(own_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(own_database_url)
    yield opened
    await opened.close()


async def test_change_raises_its_project_network_and_everything(
    database: Database, connection: asyncpg.Connection
) -> None:
    versions = Versions(database, time.monotonic)
    await connection.execute(RECORD, 1, 2)
    await versions.refresh()
    await connection.execute(RECORD, 2, 3)
    await versions.refresh()
    first, second = versions.of(Tags((1,), None)), versions.of(Tags((2,), None))
    assert 0 < first < second
    assert versions.of(Tags(None, (2,))) == first
    assert versions.of(Tags((1, 2), None)) == second == versions.of(EVERYTHING)
    assert versions.of(Tags((3,), None)) == 0


async def test_late_commit_of_an_early_transaction_is_seen(
    database: Database, connection: asyncpg.Connection, own_database_url: str
) -> None:
    versions = Versions(database, time.monotonic)
    slow = await asyncpg.connect(own_database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(RECORD, 1, 2)
    await connection.execute(RECORD, 1, 2)  # drawn later, committed earlier
    await versions.refresh()
    before = versions.of(EVERYTHING)
    await transaction.commit()
    await versions.refresh()
    assert versions.of(EVERYTHING) > before
    await slow.close()


async def test_processes_that_start_at_other_times_agree(
    database: Database, connection: asyncpg.Connection
) -> None:
    early = Versions(database, time.monotonic)
    await early.refresh()
    for project in (1, 2, 1):
        await connection.execute(RECORD, project, 2)
        await early.refresh()
    late = Versions(database, time.monotonic)
    await late.refresh()
    for tags in (EVERYTHING, Tags((1,), None), Tags((2,), None), Tags(None, (2,))):
        assert early.of(tags) == late.of(tags)


async def test_versions_vouch_for_nothing_once_the_feed_is_unread(database: Database) -> None:
    now = 100.0
    versions = Versions(database, lambda: now)
    assert not versions.known()
    await versions.refresh()
    assert versions.known()
    now += LAG_LIMIT_SECONDS + 0.1
    assert not versions.known()


async def test_following_picks_up_changes_by_itself(
    database: Database, connection: asyncpg.Connection
) -> None:
    versions = Versions(database, time.monotonic)
    versions.start()
    await connection.execute(RECORD, 1, 2)
    for _ in range(500):
        if versions.of(EVERYTHING):
            break
        await asyncio.sleep(0.02)
    await versions.stop()
    assert versions.of(EVERYTHING) > 0
