"""Kept answers: in the process and in Redis, for a bounded time, and Redis may go away."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.embedded.processes import running
from gateway.embedded.redis import EmbeddedRedis
from storage.cache import MEMORY_SECONDS, Cache, CacheEntry, Memory, SharedCache
from tests.servers import temporary_folder

pytestmark = pytest.mark.alone


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def client(url: str) -> Redis:
    return Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=0.2, socket_connect_timeout=0.2
    )


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    opened = client(redis_url)
    await opened.flushdb()
    yield opened
    await opened.aclose()


async def test_kept_answers_are_found_by_their_keys() -> None:
    cache = Cache(None, Clock())
    await cache.keep({"a": b"1", "b": b"2"})
    found = await cache.find(["a", "b", "c"])
    assert {key: entry.body for key, entry in found.items()} == {"a": b"1", "b": b"2"}


async def test_newer_answer_takes_the_place_of_the_older(redis: Redis) -> None:
    one, other = (Cache(SharedCache(redis, time.monotonic), time.time) for _ in range(2))
    await one.keep({"a": b"old"})
    await one.keep({"a": b"new"})
    assert (await one.find(["a"]))["a"].body == b"new"
    assert (await other.find(["a"]))["a"].body == b"new"


async def test_answers_are_kept_for_an_hour_at_most_and_not_all_dropped_at_once() -> None:
    clock = Clock()
    cache = Cache(None, clock)
    keys = [str(number) for number in range(50)]
    await cache.keep(dict.fromkeys(keys, b"x"))
    clock.now += MEMORY_SECONDS + 1
    assert await cache.find(keys) == {}
    shorter = Cache(None, clock, kept_seconds=100)
    await shorter.keep(dict.fromkeys(keys, b"x"))
    clock.now += 95
    assert 0 < len(await shorter.find(keys)) < len(keys)
    clock.now += 6
    assert await shorter.find(keys) == {}


async def test_memory_answers_for_five_minutes_and_then_redis(redis: Redis) -> None:
    clock = Clock()
    cache = Cache(SharedCache(redis, time.monotonic), clock)
    await cache.keep({"a": b"x"})
    clock.now += MEMORY_SECONDS + 1
    assert (await cache.find(["a"]))["a"].body == b"x"
    await redis.flushdb()
    assert await cache.find(["a"]) == {}


async def test_nothing_outlives_an_hour_in_redis(redis: Redis) -> None:
    await Cache(SharedCache(redis, time.monotonic), time.time).keep({"a": b"x", "b": b"y"})
    lives = {key: await redis.ttl(key) for key in await redis.keys("answers*")}
    assert len(lives) == 2
    assert all(0 < seconds <= 3600 for seconds in lives.values())


async def test_foreign_value_in_redis_is_a_miss(redis: Redis) -> None:
    await redis.set("answers:a", b"short")
    assert await Cache(SharedCache(redis, time.monotonic), time.time).find(["a"]) == {}


async def test_redis_stopped_and_started_again() -> None:
    with temporary_folder() as folder, running(EmbeddedRedis(folder)) as server:
        redis = client(server.url)
        shared = SharedCache(redis, time.monotonic, pause_seconds=0.2)
        await Cache(shared, time.time).keep({"a": b"x"})
        server.stop()
        began = time.monotonic()
        for _ in range(20):
            cache = Cache(shared, time.time)
            assert await cache.find(["a"]) == {}
            await cache.keep({"b": b"y"})
            assert (await cache.find(["b"]))["b"].body == b"y"  # of the process itself
        assert time.monotonic() - began < 2
        server.start()
        await asyncio.sleep(0.3)
        await Cache(shared, time.time).keep({"c": b"z"})
        assert (await Cache(shared, time.time).find(["c"]))["c"].body == b"z"
        await redis.aclose()


def test_memory_stays_within_its_bytes() -> None:
    memory: Memory[CacheEntry] = Memory(limit_bytes=10_000)
    for number in range(100):
        memory.put(str(number), CacheEntry(b"x" * 500, 0.0))
    kept = [number for number in range(100) if memory.get(str(number)) is not None]
    assert kept == list(range(100 - len(kept), 100))
    assert 5 < len(kept) <= 14


def test_small_entries_weigh_what_lies_beside_them() -> None:
    memory: Memory[CacheEntry] = Memory(limit_bytes=10_000, overhead_bytes=1_000)
    for number in range(100):
        memory.put(str(number), CacheEntry(b"", 0.0))
    assert sum(memory.get(str(number)) is not None for number in range(100)) == 9


def test_memory_refuses_what_would_empty_it() -> None:
    memory: Memory[CacheEntry] = Memory(limit_bytes=10_000)
    memory.put("small", CacheEntry(b"x", 0.0))
    memory.put("large", CacheEntry(b"x" * 9_000, 0.0))
    assert memory.get("large") is None
    assert memory.get("small") is not None
