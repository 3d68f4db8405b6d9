"""A server that ends in the middle of an answer: the driver's own errors go no further."""

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from storage.connections.lending import Borrowed, Lending
from storage.connections.query import SqlQuery
from storage.connections.snapshot import Snapshot
from storage.errors import Unavailable

QUERY = SqlQuery("broken", text("select 1"))


class Broken:
    """A connection that knows not what the server's last bytes were."""

    def __init__(self) -> None:
        self.is_terminated = False

    async def execute(self, *_: Any, **__: Any) -> None:
        raise asyncpg.InternalClientError("got result for unknown protocol state")

    def terminate(self) -> None:
        self.is_terminated = True

    def is_closed(self) -> bool:
        return self.is_terminated


class Pool:
    """Lends one broken connection, and cannot reset it either."""

    def __init__(self) -> None:
        self.connection = Broken()
        self.returned = 0

    async def acquire(self, **_: Any) -> Broken:
        return self.connection

    async def release(self, connection: Broken, **_: Any) -> None:
        self.returned += 1
        if not connection.is_terminated:
            await connection.execute()

    async def expire_connections(self) -> None: ...


async def test_a_snapshot_gives_a_broken_connection_back() -> None:
    connection, given = Broken(), list[tuple[Any, bool]]()

    async def run(*_: Any) -> list[asyncpg.Record]:
        raise Unavailable("The database cannot be reached")

    async def give_back(returned: Any, healthy: bool) -> None:
        given.append((returned, healthy))

    snapshot = Snapshot(connection, run, give_back)
    with pytest.raises(Unavailable):
        await snapshot.fetch(QUERY)
    snapshot.release()
    (ending,) = [task for task in asyncio.all_tasks() if task.get_name() == "snapshot-end"]
    await ending
    assert given == [(connection, False)]
    assert connection.is_terminated


async def test_what_a_caller_met_is_raised_and_the_connection_ends() -> None:
    pool = Pool()
    with pytest.raises(Unavailable, match="away"):
        async with Borrowed(Lending(pool)):
            raise Unavailable("away")
    assert pool.connection.is_terminated
    assert pool.returned == 1


async def test_one_that_broke_while_kept_aside_keeps_no_other_from_its_pool() -> None:
    pool = Pool()
    lending = Lending(pool)
    for _ in range(2):
        await lending.release(Broken(), healthy=True)
    await lending.expire()
    assert pool.returned == 2
