"""The change feed: listeners hear of each commit, and readers pass over none."""

import asyncio
import random
from datetime import date
from itertools import pairwise
from uuid import UUID

import asyncpg
import pytest

from storage import dictionaries
from storage.background import running
from storage.connections.database import Database
from storage.errors import Unavailable
from storage.feed import feed
from storage.feed.counters import record
from storage.feed.feed import Feed

pytestmark = pytest.mark.alone

FACT = "deployment"
DAY = date(2026, 3, 2)


async def change(
    connection: asyncpg.Connection, project: int, *entities: int, slot: int = 0, fact: str = FACT
) -> None:
    changed = [(project, UUID(int=entity)) for entity in entities]
    await record(connection, fact, slot, [(project, DAY)], changed)


async def committed(database: Database, project: int, *entities: int, fact: str = FACT) -> None:
    async with database.transaction() as connection:
        await change(connection, project, *entities, fact=fact)


async def since(
    database: Database, position: feed.FeedPosition, projects: list[int] | None, limit: int = 100
) -> tuple[list[tuple[int, UUID]] | None, feed.FeedPosition]:
    async with database.connection() as connection:
        return await feed.entities_since(connection, FACT, position, projects, limit)


async def current_position(
    database: Database, projects: list[int] | None = None
) -> feed.FeedPosition:
    async with database.connection() as connection:
        return await feed.current_position(connection, FACT, projects)


async def test_entities_are_told_once_and_each_projects_in_order(own_database: Database) -> None:
    await committed(own_database, 1, 9)
    position = await current_position(own_database)
    await committed(own_database, 1, 3)
    await committed(own_database, 2, 5)
    await committed(own_database, 1, 2, 3)
    changed, position = await since(own_database, position, None)
    assert changed == [(1, UUID(int=3)), (1, UUID(int=2)), (2, UUID(int=5))]
    assert (await since(own_database, position, None))[0] == []


async def test_only_the_projects_asked_for_are_told(own_database: Database) -> None:
    position = await current_position(own_database, [1])
    await committed(own_database, 1, 1)
    await committed(own_database, 2, 2)
    assert (await since(own_database, position, [1]))[0] == [(1, UUID(int=1))]


async def test_project_that_is_new_is_told_from_its_beginning(own_database: Database) -> None:
    await committed(own_database, 1, 1)
    position = await current_position(own_database)
    await committed(own_database, 8, 4)
    assert (await since(own_database, position, None))[0] == [(8, UUID(int=4))]


async def test_reader_is_told_where_there_are_too_many(own_database: Database) -> None:
    position = await current_position(own_database)
    await committed(own_database, 1, 1, 2, 3)
    changed, after = await since(own_database, position, [1], limit=3)
    assert changed is None
    await committed(own_database, 1, 4)
    assert (await since(own_database, after, [1]))[0] == [(1, UUID(int=4))]


async def test_reader_is_told_where_the_feed_was_set_back(own_database: Database) -> None:
    await committed(own_database, 1, 1)
    ahead = feed.FeedPosition({1: 2**62})  # of a database that was restored from a copy since
    changed, position = await since(own_database, ahead, [1])
    assert changed is None
    await committed(own_database, 1, 2)
    assert (await since(own_database, position, [1]))[0] == [(1, UUID(int=2))]


async def test_nothing_is_passed_over_whatever_order_transactions_end_in(
    own_database_url: str, own_database: Database
) -> None:
    chance = random.Random(3)
    writers = [await asyncpg.connect(own_database_url) for _ in range(4)]
    running: dict[int, tuple[asyncpg.transaction.Transaction, int]] = {}
    position = await current_position(own_database)
    written: set[tuple[int, UUID]] = set()
    seen: list[tuple[int, UUID]] = []
    for step in range(200):
        number = chance.randrange(len(writers))
        if number in running:
            transaction, _ = running.pop(number)
            await transaction.commit()
        else:
            project = chance.randrange(1, 6)
            if project in {held for _, held in running.values()}:
                continue  # it would wait for the other
            transaction = writers[number].transaction()
            await transaction.start()
            await change(writers[number], project, step, slot=number)
            written.add((project, UUID(int=step)))
            running[number] = transaction, project
        if chance.random() < 0.3:
            changed, position = await since(own_database, position, None)
            seen += changed or []
    for transaction, _ in running.values():
        await transaction.commit()
    changed, _ = await since(own_database, position, None)
    seen += changed or []
    assert len(seen) == len(set(seen))
    assert set(seen) == written
    for writer in writers:
        await writer.close()


async def test_listener_hears_of_what_is_committed_afterwards(own_database: Database) -> None:
    watching = Feed(own_database)
    await committed(own_database, 1, 1)
    async with watching.listening() as listener:
        await committed(own_database, 2, 2)
        await watching.look()
        assert await asyncio.wait_for(listener.wait(), 1) == frozenset({2})
        await watching.look()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listener.wait(), 0.05)


async def test_listener_of_some_facts_hears_of_no_others(own_database: Database) -> None:
    watching = Feed(own_database)
    async with watching.listening(FACT, "build") as some, watching.listening() as every:
        await committed(own_database, 1, fact="api_call")
        await watching.look()
        assert await asyncio.wait_for(every.wait(), 1) == frozenset({1})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(some.wait(), 0.3)
        await committed(own_database, 2, fact="build")
        await watching.look()
        assert await asyncio.wait_for(some.wait(), 1) == frozenset({2})
        some.notify(None)
        assert await asyncio.wait_for(some.wait(), 2) is None


async def test_listener_gathers_changes_and_returns_once_a_second(own_database: Database) -> None:
    watching, clock = Feed(own_database), asyncio.get_running_loop().time
    returned: list[float] = []
    async with watching.listening() as listener:
        async with asyncio.timeout(10):
            while len(returned) < 3:
                listener.notify([(1, FACT)])
                listener.notify([(2, FACT)])
                assert await listener.wait() == frozenset({1, 2})
                returned.append(clock())
    assert all(after - before >= 0.99 for before, after in pairwise(returned))


async def test_listener_hears_of_what_was_committed_while_nobody_listened_to_others(
    own_database: Database,
) -> None:
    watching = Feed(own_database)
    async with watching.listening():
        pass
    await committed(own_database, 3, 1)
    async with watching.listening() as listener:
        await committed(own_database, 4, 1)
        await watching.look()
        assert await asyncio.wait_for(listener.wait(), 1) == frozenset({4})


async def test_change_of_the_catalogue_concerns_everybody(own_database: Database) -> None:
    watching = Feed(own_database)
    async with watching.listening() as listener:
        async with own_database.transaction() as connection:
            await dictionaries.upsert_network(connection, "feed-network")
        await watching.look()
        assert await asyncio.wait_for(listener.wait(), 1) is None


async def test_change_is_heard_of_after_a_failure(
    own_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Feed(own_database)
    async with watching.listening() as listener:
        await committed(own_database, 1, 1)
        with monkeypatch.context() as patched:
            patched.setattr(own_database, "connection", _unavailable)
            with pytest.raises(Unavailable):
                await watching.look()
        await watching.look()
        assert await asyncio.wait_for(listener.wait(), 1) == frozenset({1})


def _unavailable() -> None:
    raise Unavailable("The database cannot be reached")


async def test_follower_looks_by_itself_while_somebody_listens(own_database: Database) -> None:
    watching = Feed(own_database)
    async with running(watching.follow(), "feed"), watching.listening() as listener:
        await committed(own_database, 1, 1)
        assert await asyncio.wait_for(listener.wait(), 5) == frozenset({1})
