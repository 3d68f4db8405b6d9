"""Project keys: looked up seldom, refused within seconds of their end, and usable in an outage."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from access import project_keys
from access.credentials import CACHE_SECONDS, STALE_SECONDS
from access.project_keys import ProjectKeys
from access.viewers import Permission
from storage.admin import project_keys as table
from storage.admin.project_keys import KeySettings, ProjectKey
from storage.connections.database import Database
from storage.errors import Forbidden, Unauthenticated, Unavailable
from tests.gateway.rest.sdks import new_key

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Clock:
    """Seconds that pass when a test says so."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, pool_size=2)
    yield database
    await database.close()


async def test_a_revoked_key_is_refused_within_seconds(database: Database) -> None:
    key, clock = await new_key(database), Clock()
    keys = ProjectKeys(database, lambda: NOW, clock)
    assert (await keys.authenticate(key.public_key, key.project_id)).project == key.project
    async with database.transaction() as connection:
        await table.revoke(connection, key.public_key, "ada", NOW)
    clock.seconds += CACHE_SECONDS / 2
    await keys.authenticate(key.public_key, key.project_id)
    clock.seconds += CACHE_SECONDS
    with pytest.raises(Forbidden):
        await keys.authenticate(key.public_key, key.project_id)


async def test_a_new_key_is_taken_within_seconds_of_a_guess(database: Database) -> None:
    key, clock = await new_key(database), Clock()
    keys = ProjectKeys(database, lambda: NOW, clock)
    for public_key, project_id in (("0" * 32, key.project_id), (key.public_key, 1_000_000)):
        with pytest.raises(Unauthenticated):
            await keys.authenticate(public_key, project_id)
    await keys.authenticate(key.public_key, key.project_id)


async def test_a_known_key_is_taken_while_the_database_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, clock = await new_key(database), Clock()
    keys = ProjectKeys(database, lambda: NOW, clock)
    await keys.authenticate(key.public_key, key.project_id)

    async def away(*_arguments: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(table, "find", away)
    clock.seconds += STALE_SECONDS - 1
    await keys.authenticate(key.public_key, key.project_id)
    clock.seconds += 2
    with pytest.raises(Unavailable):
        await keys.authenticate(key.public_key, key.project_id)


async def test_the_last_use_is_stored(database: Database) -> None:
    key = await new_key(database)
    keys = ProjectKeys(database, lambda: NOW, Clock())
    await keys.authenticate(key.public_key, key.project_id)
    await keys.stored.write_uses()
    stored = await table.find(database, key.public_key)
    assert stored is not None
    assert stored.last_used_at == NOW


async def test_a_key_may_record_for_its_project_and_nothing_else(database: Database) -> None:
    key = await new_key(database)
    viewer = project_keys.viewer_of(key)
    assert viewer.project_slugs == {key.project}
    assert [each for each in Permission if viewer.may(each)] == [Permission.RECORD]


async def test_a_project_has_so_many_keys_at_most(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Revoked ones do not count; those revoked first are forgotten."""
    key = await new_key(database)
    monkeypatch.setattr(table, "KEYS_OF_PROJECT_AT_MOST", 2)
    monkeypatch.setattr(table, "REVOKED_AT_MOST", 1)
    made = [more_of(key) for _ in range(4)]
    async with database.transaction() as connection:
        assert [await table.add(connection, one) for one in made[:2]] == [True, False]
        await table.revoke(connection, key.public_key, "ada", NOW)
        assert await table.add(connection, made[2])
        await table.revoke(connection, made[0].public_key, "ada", NOW + timedelta(seconds=1))
        assert await table.add(connection, made[3])
    left = {one.public_key for one in await table.find_of(database, key.project_id)}
    assert left == {made[number].public_key for number in (0, 2, 3)}


async def test_keys_made_at_once_count_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await new_key(database)
    monkeypatch.setattr(table, "KEYS_OF_PROJECT_AT_MOST", 2)

    async def add() -> bool:
        async with database.transaction() as connection:
            return await table.add(connection, more_of(key))

    async with database.transaction() as connection:
        assert await table.add(connection, more_of(key))
        second = asyncio.create_task(add())
        await asyncio.sleep(0.2)
    assert not await second


def more_of(key: ProjectKey) -> ProjectKey:
    """Another key of the same project."""
    settings = KeySettings(name="more", events_per_minute=1)
    return project_keys.make(key.project_id, key.project, settings, by="ada", now=NOW)
