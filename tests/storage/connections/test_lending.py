"""Connections that are handed on past the driver's pool, against real Postgres."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from storage.connections.lending import Lending

pytestmark = pytest.mark.alone


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    opened = await asyncpg.create_pool(database_url, min_size=0, max_size=2)
    yield opened
    opened.terminate()


async def test_what_ended_well_is_lent_again_at_once(pool: asyncpg.Pool) -> None:
    lending = Lending(pool)
    first = await lending.acquire()
    await lending.release(first, healthy=True)
    assert pool.get_idle_size() == 0
    assert await lending.acquire() is first
    await lending.release(first, healthy=True)
    await lending.close(1)


async def test_what_went_wrong_goes_through_the_pool(pool: asyncpg.Pool) -> None:
    lending = Lending(pool)
    await lending.release(await lending.acquire(), healthy=False)
    assert pool.get_idle_size() == 1
    await lending.close(1)


async def test_those_who_wait_are_served_first(pool: asyncpg.Pool) -> None:
    lending = Lending(pool)
    held = [await lending.acquire(), await lending.acquire()]
    waiting = asyncio.create_task(lending.acquire())
    await asyncio.sleep(0.05)
    await lending.release(held[0], healthy=True)
    served = await asyncio.wait_for(waiting, 1)
    for connection in (held[1], served):
        await lending.release(connection, healthy=True)
    await lending.close(1)


async def test_state_tells_who_has_a_connection_and_who_waits(pool: asyncpg.Pool) -> None:
    lending = Lending(pool)
    held = [await lending.acquire(), await lending.acquire()]
    waiting = asyncio.create_task(lending.acquire())
    await asyncio.sleep(0.05)
    full = lending.state()
    assert (full.limit, full.in_use, full.idle, full.waiting) == (2, 2, 0, 1)
    assert full.is_full
    await lending.release(held[0], healthy=True)
    for connection in (held[1], await waiting):
        await lending.release(connection, healthy=True)
    free = lending.state()
    assert (free.in_use, free.idle, free.waiting, free.waits) == (0, 2, 0, 3)
    assert not free.is_full
    assert free.waited_seconds >= 0.04
    await lending.close(1)


async def test_one_that_broke_while_kept_aside_is_not_lent(
    pool: asyncpg.Pool, database_url: str
) -> None:
    lending = Lending(pool)
    first = await lending.acquire()
    broken = first.get_server_pid()
    await lending.release(first, healthy=True)
    other = await asyncpg.connect(database_url)
    await other.execute("select pg_terminate_backend($1)", broken)
    await other.close()
    await asyncio.sleep(0.2)
    second = await lending.acquire()
    assert await second.fetchval("select 1") == 1
    assert second.get_server_pid() != broken
    await lending.release(second, healthy=True)
    await lending.close(1)


async def test_what_is_kept_aside_goes_back_after_a_while(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.connections.lending._ASIDE_SECONDS", 0.05)
    lending = Lending(pool)
    await lending.release(await lending.acquire(), healthy=True)
    assert pool.get_idle_size() == 0
    await asyncio.sleep(0.2)
    assert pool.get_idle_size() == 1
    await lending.close(1)


async def test_after_the_server_has_gone_none_that_is_older_is_lent(pool: asyncpg.Pool) -> None:
    lending = Lending(pool)
    first = await lending.acquire()
    older = first.get_server_pid()
    await lending.release(first, healthy=True)
    await lending.expire()
    second = await lending.acquire()
    assert second.get_server_pid() != older
    await lending.release(second, healthy=True)
    await lending.close(1)


async def test_none_is_forgotten_where_returning_them_is_cut_off(pool: asyncpg.Pool) -> None:
    lending = Lending(pool)
    both = [await lending.acquire(), await lending.acquire()]
    for connection in both:
        await lending.release(connection, healthy=True)
    returning = asyncio.create_task(lending.expire())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    returning.cancel()
    await asyncio.gather(returning, return_exceptions=True)
    async with asyncio.timeout(2):
        again = [await lending.acquire(), await lending.acquire()]
    for connection in again:
        await lending.release(connection, healthy=True)
    await lending.close(1)
