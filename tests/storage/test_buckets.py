"""Buckets decide alike in Redis and in memory, and go on where the other stopped."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from gateway.embedded.processes import running
from gateway.embedded.redis import EmbeddedRedis
from storage.buckets import (
    PAUSE_SECONDS,
    SECOND_US,
    Buckets,
    Fullness,
    Level,
    LocalBuckets,
    Take,
    levels,
)
from storage.connections.redis import TIMEOUT_SECONDS, open_redis
from tests.servers import temporary_folder

STEP_US = 600_000  # 100 a minute


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = open_redis(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def nowhere() -> AsyncIterator[Redis]:
    """A Redis that has been stopped."""
    with temporary_folder() as folder, running(EmbeddedRedis(folder)) as server:
        url = server.url
    client = open_redis(url)
    yield client
    await client.aclose()


def take(key: str, cost: int = 1, capacity: int = 110) -> Take:
    return Take(key, STEP_US, capacity, cost)


def own_key() -> str:
    return uuid4().hex


@pytest.fixture(params=["redis", "memory"])
def buckets(request: pytest.FixtureRequest, redis: Redis, nowhere: Redis) -> Buckets:
    return Buckets(redis if request.param == "redis" else nowhere)


async def test_burst_passes_exactly_as_many_as_the_bucket_holds(buckets: Buckets) -> None:
    key = own_key()
    found = await asyncio.gather(*(buckets.take([take(key)]) for _ in range(160)))
    decisions = [level for (level,) in found]
    # A slow machine may see one more token come back every 0.6 s meanwhile.
    assert 110 <= sum(level.allowed for level in decisions) <= 113
    refused = [level for level in decisions if not level.allowed]
    assert all(0 < level.retry_us <= STEP_US and level.remaining == 0 for level in refused)


async def test_several_processes_share_one_bucket(redis: Redis) -> None:
    key, processes = own_key(), [Buckets(redis) for _ in range(4)]
    found = [(await processes[turn % 4].take([take(key)]))[0] for turn in range(150)]
    assert 110 <= sum(level.allowed for level in found) <= 120


async def test_without_redis_each_process_counts_for_itself(nowhere: Redis) -> None:
    key, clock = own_key(), Clock()
    processes = [Buckets(nowhere, clock) for _ in range(4)]
    found = [(await processes[turn % 4].take([take(key)]))[0] for turn in range(600)]
    assert sum(level.allowed for level in found) == 4 * 110


async def test_all_are_taken_from_or_none(buckets: Buckets) -> None:
    wide, narrow = own_key(), own_key()
    first, second = await buckets.take([take(wide, 50), take(narrow, 5, capacity=5)])
    assert (first.remaining, second.remaining) == (60, 0)
    first, second = await buckets.take([take(wide, 50), take(narrow, 5, capacity=5)])
    assert (first.allowed, second.allowed) == (True, False)
    assert first.remaining == 60
    (left,) = await buckets.take([take(wide, 60)])
    assert left.allowed


@pytest.mark.parametrize("seed", range(8))
async def test_any_takes_are_decided_like_a_plain_count(buckets: Buckets, seed: int) -> None:
    """With an hour between tokens none comes back, so each decision can be counted by hand."""
    drawn, spent = random.Random(seed), Counter[str]()
    capacities = {own_key(): drawn.randint(1, 9) for _ in range(4)}
    for _ in range(40):
        keys = drawn.sample(sorted(capacities), drawn.randint(1, 4))
        costs = {key: drawn.randint(1, capacities[key]) for key in keys}
        found = await buckets.take(
            [Take(key, 3600 * SECOND_US, capacities[key], costs[key]) for key in keys]
        )
        short = [spent[key] + costs[key] > capacities[key] for key in keys]
        assert [not level.allowed for level in found] == short
        if not any(short):
            spent.update(costs)
        assert [level.remaining for level in found] == [
            capacities[key] - spent[key] for key in keys
        ]


async def test_after_the_time_told_it_is_allowed(buckets: Buckets) -> None:
    bucket = Take(own_key(), 20_000, 3, 3)
    await buckets.take([bucket])
    (refused,) = await buckets.take([bucket])
    await asyncio.sleep(refused.retry_us / SECOND_US)
    (allowed,) = await buckets.take([bucket])
    assert (refused.allowed, allowed.allowed) == (False, True)


async def test_what_was_spent_stays_spent_when_redis_goes_and_comes_back() -> None:
    key, clock = own_key(), Clock()
    with temporary_folder() as folder, running(EmbeddedRedis(folder)) as server:
        client = open_redis(server.url)
        here, there = Buckets(client, clock), Buckets(client)
        for _ in range(30):
            await there.take([take(key)])
            await here.take([take(key)])
        os.kill(server.pid, signal.SIGKILL)
        (level,) = await here.take([take(key, 20)])
        assert 30 <= level.remaining <= 40
        await asyncio.to_thread(server.start)
        clock.now += PAUSE_SECONDS
        # Redis has forgotten all of it, and is told with the question.
        (level,) = await here.take([take(key, 10)])
        assert 20 <= level.remaining <= 40
        (level,) = await Buckets(client).take([take(key, 0)])
        assert 20 <= level.remaining <= 40
        await client.aclose()


async def test_without_redis_a_process_goes_on_from_what_it_knows(nowhere: Redis) -> None:
    clock, fallbacks = Clock(), list[str]()
    buckets = Buckets(nowhere, clock, lambda: fallbacks.append("redis"))
    key = own_key()
    found = [(await buckets.take([take(key)]))[0].allowed for _ in range(115)]
    assert found.count(True) == 110
    assert fallbacks == ["redis"]
    clock.now += 0.6
    assert [(await buckets.take([take(key)]))[0].allowed for _ in range(2)] == [True, False]


async def test_many_at_once_without_redis_pass_exactly_as_many(nowhere: Redis) -> None:
    buckets, key = Buckets(nowhere, Clock()), own_key()
    found = await asyncio.gather(*(buckets.take([take(key)]) for _ in range(160)))
    assert sum(level.allowed for (level,) in found) == 110


@asynccontextmanager
async def hanging() -> AsyncIterator[Redis]:
    """A Redis that takes connections and says nothing."""
    released = asyncio.Event()

    async def listen(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    client = open_redis(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    yield client
    released.set()
    await client.aclose()
    server.close()
    await server.wait_closed()


async def test_burst_under_way_when_redis_is_lost_passes_no_more_than_it_may() -> None:
    async with hanging() as client:
        buckets, key = Buckets(client), own_key()
        found = await asyncio.gather(*(buckets.take([take(key)]) for _ in range(160)))
    assert 110 <= sum(level.allowed for (level,) in found) <= 113


async def test_many_who_wait_for_a_redis_that_hangs_wait_for_it_once() -> None:
    loop = asyncio.get_running_loop()
    async with hanging() as client:
        buckets, began = Buckets(client), loop.time()
        await asyncio.gather(*(buckets.take([take(own_key())]) for _ in range(1000)))
        assert loop.time() - began < 5 * TIMEOUT_SECONDS


async def test_those_who_meet_are_decided_when_redis_has_lost_the_script(redis: Redis) -> None:
    fallbacks: list[str] = []
    buckets, key = Buckets(redis, on_fallback=lambda: fallbacks.append("redis")), own_key()
    found = [await buckets.take([take(key)])]
    await redis.script_flush()
    found += await asyncio.gather(*(buckets.take([take(key)]) for _ in range(120)))
    assert 110 <= sum(level.allowed for (level,) in found) <= 113
    assert fallbacks == []


class Distant(Buckets):
    """Redis' answers take 30 ms to arrive."""

    async def _ask_redis(self, takes: Sequence[Take]) -> Fullness | None:
        answer = await super()._ask_redis(takes)
        await asyncio.sleep(0.03)
        return answer


async def test_asking_again_and_again_does_not_put_off_what_comes_back(redis: Redis) -> None:
    buckets = Distant(redis)
    bucket = Take(own_key(), 300_000, 1)
    await buckets.take([bucket])
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not (await buckets.take([bucket]))[0].allowed:
        assert loop.time() - began < 2
    assert loop.time() - began < 0.6


async def test_keys_in_redis_end_when_the_bucket_is_full(redis: Redis) -> None:
    key = own_key()
    await Buckets(redis).take([take(key, 10)])
    left_ms = await redis.pttl(f"limits:{key}")
    assert 5_000 < left_ms <= 6_000


async def test_a_limit_that_is_raised_lets_go_of_what_the_old_one_held_back(
    buckets: Buckets,
) -> None:
    """So does a clock that is set back: nobody waits for longer than an empty bucket takes."""
    key = own_key()
    (spent,) = await buckets.take([Take(key, 3600 * SECOND_US, 2, 2)])
    (refused,) = await buckets.take([Take(key, 10_000, 100)])
    assert (spent.allowed, refused.allowed) == (True, False)
    assert refused.retry_us <= 10_000
    await asyncio.sleep(0.05)
    (allowed,) = await buckets.take([Take(key, 10_000, 100)])
    assert allowed.allowed


async def test_the_widest_limit_fits_into_each_store(buckets: Buckets) -> None:
    """A hundred years' worth of one token a day."""
    bucket = Take(own_key(), 86_400 * SECOND_US, 36_601, 12_000)
    for taken in (12_000, 24_000, 36_000):
        (level,) = await buckets.take([bucket])
        assert level.remaining == 36_601 - taken
    (level,) = await buckets.take([bucket])
    assert not level.allowed


@given(
    st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 8)), max_size=60),
    st.integers(1, 2_000_000),
    st.integers(8, 30),
)
def test_no_window_lets_more_through_than_capacity_and_refill(
    steps: list[tuple[int, int]], step_us: int, capacity: int
) -> None:
    """Against a recount of every window between two decisions."""
    clock, memory = Clock(), LocalBuckets()
    memory = LocalBuckets(clock)
    clock.now = 0.0
    passed: list[tuple[int, int]] = []
    now_us = 0
    for pause_us, cost in steps:
        now_us += pause_us
        clock.now = now_us / SECOND_US
        bucket = [Take("key", step_us, capacity, cost)]
        answer = memory.fullness(bucket)
        known = levels(bucket, answer.full_us)
        memory.remember(bucket, known, answer.now_us)
        if known[0].allowed:
            passed.append((now_us, cost))
        else:
            later = levels(bucket, [max(0, known[0].full_us - known[0].retry_us)])
            assert later[0].allowed
    for first in range(len(passed)):
        total = 0
        for at_us, cost in passed[first:]:
            total += cost
            # A microsecond of rounding for each decision.
            span_us = at_us - passed[first][0] + len(passed)
            assert total <= capacity + span_us / step_us


def test_level_tells_whole_tokens() -> None:
    assert levels([Take("k", 10, 5, 2)], [25]) == [Level(0, 45)]
    assert levels([Take("k", 10, 5, 3)], [25]) == [Level(2, 25, 5)]
