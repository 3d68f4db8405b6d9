"""The change feed skips nothing, however transactions overlap."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from storage import feed
from storage.database import Connection, Database


async def change(connection: Connection, number: int) -> None:
    await connection.execute(
        "insert into changes (project_id, network_id, kind, entity_id)"
        " values (1, 2, 'deployment', $1)",
        UUID(int=number),
    )


async def test_reader_beside_many_writers_sees_every_change_once(own_database: Database) -> None:
    numbers = iter(range(300))
    seen: list[int] = []
    async with own_database.connection() as connection:
        place = await feed.here(connection)

    async def write() -> None:
        for number in numbers:
            async with own_database.transaction() as connection:
                await change(connection, number)
                await asyncio.sleep(random.uniform(0, 0.01))

    writing = asyncio.gather(*(write() for _ in range(5)))
    while not writing.done() or len(seen) < 300:
        async with own_database.connection() as connection:
            changed, place = await feed.entities_since(connection, place, None)
        seen += [entity.int for _project, entity in changed or ()]
        assert len(seen) <= 300
    await writing
    assert sorted(seen) == list(range(300))


async def test_purge_deletes_old_changes_in_small_steps(own_database: Database) -> None:
    async with own_database.transaction() as connection:
        await connection.execute(
            "insert into changes (project_id, network_id, kind, entity_id, recorded_at)"
            " select 1, 2, 'deployment', $1, now() - hours * interval '1 hour'"
            " from generate_series(1, 10) as hours",
            uuid4(),
        )
        cutoff = datetime.now(UTC) - timedelta(hours=4.5)
        first = await feed.purge(connection, cutoff, limit=8)
        rest = await feed.purge(connection, cutoff)
        assert (first + rest, await feed.purge(connection, cutoff)) == (6, 0)
        assert await connection.fetchval("select count(*) from changes") == 4


async def committed(database: Database, *numbers: int) -> None:
    for number in numbers:
        async with database.transaction() as connection:
            await change(connection, number)


async def test_whoever_wants_each_change_is_told_where_there_are_too_many(
    own_database: Database,
) -> None:
    async with own_database.connection() as connection:
        place = await feed.here(connection)
        await committed(own_database, 1, 2, 3)
        changed, _ = await feed.entities_since(connection, place, [1], limit=4)
        assert changed == [(1, UUID(int=1)), (1, UUID(int=2)), (1, UUID(int=3))]
        assert (await feed.entities_since(connection, place, [1], limit=3))[0] is None


async def test_whoever_wants_each_change_is_told_where_the_feed_was_set_back(
    own_database: Database,
) -> None:
    async with own_database.connection() as connection:
        here = await feed.here(connection)
        ahead = feed.Place(here.since + 1000)  # of a database that was restored from a copy since
        await committed(own_database, 1)
        changed, place = await feed.entities_since(connection, ahead, [1])
        assert changed is None
        await committed(own_database, 2)
        changed, _ = await feed.entities_since(connection, place, [1])
        assert changed is not None
        assert (1, UUID(int=2)) in changed
