"""A lease has one holder, and a fence that tells a former one."""

import asyncio
from uuid import uuid4

import pytest

from storage.connections.database import Database
from storage.keeping.leases import WRITER_SLOTS, lease, lease_writer_slot, new_holder, release


@pytest.fixture
def name() -> str:
    return uuid4().hex


async def test_lease_has_one_holder_who_may_renew(database: Database, name: str) -> None:
    async with database.connection() as connection:
        fence = await lease(connection, name, "a", 60)
        assert fence is not None
        assert await lease(connection, name, "b", 60) is None
        assert await lease(connection, name, "a", 60) == fence


async def test_processes_that_look_alike_are_two_holders(database: Database, name: str) -> None:
    first, second = new_holder(), new_holder()  # as in containers of one name, each with process 1
    async with database.connection() as connection:
        assert await lease(connection, name, first, 60) is not None
        assert await lease(connection, name, second, 60) is None


async def test_fence_rises_with_each_new_holder(database: Database, name: str) -> None:
    async with database.connection() as connection:
        first = await lease(connection, name, "a", 0.05)
        await asyncio.sleep(0.1)
        second = await lease(connection, name, "b", 60)
        assert first is not None
        assert second == first + 1


async def test_lapsed_holder_that_comes_back_gets_a_new_fence(
    database: Database, name: str
) -> None:
    async with database.connection() as connection:
        first = await lease(connection, name, "a", 0.05)
        await asyncio.sleep(0.1)
        again = await lease(connection, name, "a", 60)
        assert first is not None
        assert again == first + 1


async def test_released_lease_is_free_at_once(database: Database, name: str) -> None:
    async with database.connection() as connection:
        fence = await lease(connection, name, "a", 60)
        assert fence is not None
        await release(connection, name, fence)
        assert await lease(connection, name, "b", 60) == fence + 1
        await release(connection, name, fence)
        assert await lease(connection, name, "c", 60) is None


async def test_race_for_a_lease_has_one_winner(database: Database, name: str) -> None:
    async def take(holder: str) -> int | None:
        async with database.connection() as connection:
            return await lease(connection, name, holder, 60)

    fences = await asyncio.gather(*(take(str(number)) for number in range(8)))
    assert sum(fence is not None for fence in fences) == 1


async def test_writer_slots_are_distinct_and_end(own_database: Database) -> None:
    async with own_database.connection() as connection:
        slots = [
            await lease_writer_slot(connection, f"gateway-{number}", 60)
            for number in range(WRITER_SLOTS)
        ]
        assert slots == list(range(WRITER_SLOTS))
        assert await lease_writer_slot(connection, "one too many", 60) is None
