"""Versions grow with every committed change, and never pass over one that commits late."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import pytest
from asyncpg.transaction import Transaction

from storage import dimensions
from storage.database import Database
from storage.errors import Unavailable
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
    nothing = versions.of(Tags((3,), None))
    assert len({first, second, nothing}) == 3
    assert versions.of(Tags(None, (2,))) == first
    assert versions.of(Tags((1, 2), None)) == second == versions.of(EVERYTHING)


class Failing:
    """A database whose connections fail once: at the statement with this number, or at the end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.left: int | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Failing"]:
        async with self._database.connection() as self._connection:
            yield self
            self._fail_if_due()

    async def fetch(self, *statement: Any) -> Any:
        self._fail_if_due()
        return await self._connection.fetch(*statement)

    def _fail_if_due(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Unavailable("The connection was lost.")


@pytest.mark.parametrize("statements", [1, 2])
async def test_change_that_was_read_before_a_failure_is_told_all_the_same(
    database: Database, connection: asyncpg.Connection, statements: int
) -> None:
    """First where the feed is read on, then where it is begun anew."""
    failing = Failing(database)
    versions = Versions(cast(Database, failing), time.monotonic)
    await versions.refresh()
    before = versions.of(EVERYTHING)
    if statements == 2:
        versions._cursor = 2**62
        await versions.refresh()  # it is begun anew by the next
    with versions.listening() as listener:
        await connection.execute(RECORD, 1, 2)
        failing.left = 1
        with pytest.raises(Unavailable):
            await versions.refresh()
        await versions.refresh()
        assert versions.known()
        assert versions.of(EVERYTHING) != before
        assert 1 in (await asyncio.wait_for(listener.wait(), 1) or {1})


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
    await versions.refresh()
    assert versions.of(EVERYTHING) == before
    await transaction.commit()
    await versions.refresh()
    assert versions.of(EVERYTHING) != before
    await slow.close()


async def test_transaction_that_runs_on_hides_no_commit(
    database: Database, connection: asyncpg.Connection, own_database_url: str
) -> None:
    versions = Versions(database, time.monotonic)
    slow = await asyncpg.connect(own_database_url)
    async with slow.transaction():
        await slow.execute(RECORD, 7, 7)
        await versions.refresh()
        before = versions.of(Tags((1,), None))
        await connection.execute(RECORD, 1, 2)
        await versions.refresh()
        assert versions.of(Tags((1,), None)) != before
        assert versions.known()
    await slow.close()


async def test_version_stands_for_exactly_what_is_committed(
    database: Database, own_database_url: str
) -> None:
    """Whatever overlaps and whenever followers read, no two sets of commits share a version."""
    chance = random.Random(7)
    writers = [await asyncpg.connect(own_database_url) for _ in range(4)]
    running: dict[int, tuple[Transaction, int]] = {}
    followers = [Versions(database, time.monotonic) for _ in range(2)]
    committed: dict[Tags, frozenset[int]] = {
        tags: frozenset() for tags in (EVERYTHING, Tags((1,), None), Tags((1, 2), None))
    }
    seen: dict[tuple[Tags, str], frozenset[int]] = {}
    for step in range(300):
        number = chance.randrange(len(writers))
        if number in running:
            transaction, project = running.pop(number)
            await transaction.commit()
            for tags, commits in committed.items():
                if tags.project_ids is None or project in tags.project_ids:
                    committed[tags] = commits | {step}
        else:
            transaction, project = writers[number].transaction(), chance.randrange(1, 4)
            await transaction.start()
            await writers[number].execute(RECORD, project, 2)
            running[number] = transaction, project
        asked = [each for each in followers if chance.random() < 0.5]
        for follower in asked:
            await follower.refresh()
        for tags, commits in committed.items():
            for version in {follower.of(tags) for follower in asked}:
                assert seen.setdefault((tags, version), commits) == commits
    for writer in writers:
        await writer.close()


async def test_feed_that_ran_ahead_is_taken_up_at_its_end(
    database: Database, connection: asyncpg.Connection
) -> None:
    versions = Versions(database, time.monotonic, rows_at_most=10)
    await connection.execute(RECORD, 1, 2)
    for _ in range(15):
        await connection.execute(RECORD, 2, 2)
    await versions.refresh()
    assert versions.known()
    before = {project: versions.of(Tags((project,), None)) for project in (1, 2, 3)}
    async with connection.transaction():  # all in one transaction: there is no half of it
        for project in (1, *[2] * 15):
            await connection.execute(RECORD, project, 2)
    await versions.refresh()
    await versions.refresh()
    assert versions.known()
    for project in (1, 2):
        assert versions.of(Tags((project,), None)) != before[project]


async def test_more_unsettled_changes_than_are_read_vouch_for_nothing(
    database: Database, connection: asyncpg.Connection, own_database_url: str
) -> None:
    versions = Versions(database, time.monotonic, rows_at_most=10)
    slow = await asyncpg.connect(own_database_url)
    async with slow.transaction():
        await slow.execute(RECORD, 7, 7)
        for _ in range(15):
            await connection.execute(RECORD, 1, 2)
        await versions.refresh()
        assert not versions.known()
    await versions.refresh()
    assert versions.known()
    await slow.close()


async def test_database_set_back_is_followed_from_its_new_place(
    database: Database, connection: asyncpg.Connection
) -> None:
    """A copy restored elsewhere counts its transactions from a smaller number."""
    versions = Versions(database, time.monotonic)
    await versions.refresh()
    versions._cursor = 2**62
    await versions.refresh()
    before = versions.of(EVERYTHING)
    await connection.execute(RECORD, 1, 2)
    await versions.refresh()
    await versions.refresh()
    assert versions.of(EVERYTHING) != before


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
    await versions.refresh()
    before = versions.of(EVERYTHING)
    versions.start()
    await connection.execute(RECORD, 1, 2)
    for _ in range(500):
        if versions.of(EVERYTHING) != before:
            break
        await asyncio.sleep(0.02)
    await versions.stop()
    assert versions.of(EVERYTHING) != before


async def test_what_is_said_about_a_name_is_a_change_of_the_catalogue(
    database: Database, connection: asyncpg.Connection
) -> None:
    versions = Versions(database, time.monotonic)
    catalogue = Tags((dimensions.CATALOGUE,), None)
    await versions.refresh()
    seen = {versions.of(catalogue)}
    await dimensions.upsert_project(connection, "catalogued", "Catalogued")
    await versions.refresh()
    seen.add(versions.of(catalogue))
    await dimensions.upsert_network(connection, "catalogued", "Catalogued")
    await versions.refresh()
    seen.add(versions.of(catalogue))
    await dimensions.upsert_template(connection, dimensions.Template("catalogued"))
    await versions.refresh()
    seen.add(versions.of(catalogue))
    assert len(seen) == 4
