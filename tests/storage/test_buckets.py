"""Buckets decide alike in Redis, in Postgres and in memory, and go on where another stopped."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from gateway.embedded.processes import running
from gateway.embedded.redis import EmbeddedRedis
from gateway.services import REDIS_TIMEOUT_SECONDS, open_redis
from storage.buckets import SECOND_US, Answer, Buckets, Level, Memory, Take, forget_full, levels
from storage.database import Database
from tests.servers import temporary_folder

STEP_US = 600_000  # 100 a minute


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, pool_size=4)
    yield opened
    await opened.close()


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


@pytest.fixture(params=["redis", "postgres"])
def buckets(
    request: pytest.FixtureRequest, redis: Redis, nowhere: Redis, database: Database
) -> Buckets:
    return Buckets(redis if request.param == "redis" else nowhere, database)


async def test_burst_passes_exactly_as_many_as_the_bucket_holds(buckets: Buckets) -> None:
    key = own_key()
    found = await asyncio.gather(*(buckets.take([take(key)]) for _ in range(160)))
    decisions = [level for (level,) in found]
    # A slow machine may see one more token come back every 0.6 s meanwhile.
    assert 110 <= sum(level.allowed for level in decisions) <= 113
    refused = [level for level in decisions if not level.allowed]
    assert all(0 < level.retry_us <= STEP_US and level.remaining == 0 for level in refused)


async def test_several_processes_share_one_bucket(
    redis: Redis, nowhere: Redis, database: Database
) -> None:
    for store in (redis, nowhere):
        key = own_key()
        processes = [Buckets(store, database) for _ in range(4)]
        found = [(await processes[turn % 4].take([take(key)]))[0] for turn in range(150)]
        assert 110 <= sum(level.allowed for level in found) <= 120


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


async def test_who_waits_for_postgres_asks_with_what_is_known_when_its_turn_comes(
    nowhere: Redis, database: Database
) -> None:
    """A bucket that others took from meanwhile is not fuller for those who waited."""
    buckets, key = Buckets(nowhere, database), own_key()
    await buckets.take([take(own_key())])  # Redis is known to be away
    async with buckets._turn:
        waiting = asyncio.create_task(buckets.take([take(key)]))
        await asyncio.sleep(0)
        bucket = [take(key, 110)]
        buckets._memory.remember(
            bucket, levels(bucket, [0]), buckets._memory.answer(bucket).asked_us
        )
    (level,) = await waiting
    assert not level.allowed


async def test_after_the_time_told_it_is_allowed(buckets: Buckets) -> None:
    bucket = Take(own_key(), 20_000, 3, 3)
    await buckets.take([bucket])
    (refused,) = await buckets.take([bucket])
    await asyncio.sleep(refused.retry_us / SECOND_US)
    (allowed,) = await buckets.take([bucket])
    assert (refused.allowed, allowed.allowed) == (False, True)


async def test_what_was_spent_in_redis_is_spent_in_postgres_too(
    redis: Redis, database: Database
) -> None:
    key = own_key()
    with temporary_folder() as folder, running(EmbeddedRedis(folder)) as server:
        client = open_redis(server.url)
        here, there = Buckets(client, database), Buckets(client, database)
        for _ in range(30):
            await here.take([take(key)])
            await there.take([take(key)])
        await asyncio.to_thread(server.stop)
        (level,) = await there.take([take(key)])
        assert 48 <= level.remaining <= 52
        (level,) = await here.take([take(key)])
        assert 47 <= level.remaining <= 51
        await client.aclose()


async def test_without_any_store_a_process_goes_on_from_what_it_knows(nowhere: Redis) -> None:
    clock = Clock()
    fallbacks: list[str] = []
    closed = await Database.open("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    buckets = Buckets(nowhere, closed, clock, fallbacks.append)
    key = own_key()
    found = [(await buckets.take([take(key)]))[0].allowed for _ in range(115)]
    assert found.count(True) == 110
    assert fallbacks == ["redis", "postgres"]
    clock.now += 0.6
    assert [(await buckets.take([take(key)]))[0].allowed for _ in range(2)] == [True, False]
    await closed.close()


async def test_many_at_once_without_any_store_pass_exactly_as_many(nowhere: Redis) -> None:
    closed = await Database.open("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    buckets = Buckets(nowhere, closed, Clock())
    key = own_key()
    found = await asyncio.gather(*(buckets.take([take(key)]) for _ in range(160)))
    assert sum(level.allowed for (level,) in found) == 110
    await closed.close()


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


async def test_burst_under_way_when_the_stores_are_lost_passes_no_more_than_it_may() -> None:
    away = await Database.open("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    async with hanging() as client:
        buckets, key = Buckets(client, away), own_key()
        found = await asyncio.gather(*(buckets.take([take(key)]) for _ in range(160)))
    assert 110 <= sum(level.allowed for (level,) in found) <= 113
    await away.close()


async def test_many_who_wait_for_a_redis_that_hangs_wait_for_it_once() -> None:
    away = await Database.open("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    loop = asyncio.get_running_loop()
    async with hanging() as client:
        buckets, began = Buckets(client, away), loop.time()
        await asyncio.gather(*(buckets.take([take(own_key())]) for _ in range(1000)))
        assert loop.time() - began < 5 * REDIS_TIMEOUT_SECONDS
    await away.close()


async def test_those_who_meet_are_decided_when_redis_has_lost_the_script(
    redis: Redis, database: Database
) -> None:
    fallbacks: list[str] = []
    buckets, key = Buckets(redis, database, on_fallback=fallbacks.append), own_key()
    found = [await buckets.take([take(key)])]
    await redis.script_flush()
    found += await asyncio.gather(*(buckets.take([take(key)]) for _ in range(120)))
    assert 110 <= sum(level.allowed for (level,) in found) <= 113
    assert fallbacks == []


class Distant(Buckets):
    """Its stores' answers take 30 ms to arrive."""

    async def _ask_redis(self, takes: Sequence[Take]) -> Answer | None:
        answer = await super()._ask_redis(takes)
        await asyncio.sleep(0.03)
        return answer


async def test_asking_again_and_again_does_not_put_off_what_comes_back(
    redis: Redis, database: Database
) -> None:
    buckets = Distant(redis, database)
    bucket = Take(own_key(), 300_000, 1)
    await buckets.take([bucket])
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not (await buckets.take([bucket]))[0].allowed:
        assert loop.time() - began < 2
    assert loop.time() - began < 0.6


async def test_keys_in_redis_end_when_the_bucket_is_full(redis: Redis, database: Database) -> None:
    key = own_key()
    await Buckets(redis, database).take([take(key, 10)])
    left_ms = await redis.pttl(f"limits:{key}")
    assert 5_000 < left_ms <= 6_000


@pytest.mark.parametrize("store", ["redis", "postgres", "memory"])
async def test_a_limit_that_is_raised_lets_go_of_what_the_old_one_held_back(
    store: str, redis: Redis, nowhere: Redis, database: Database
) -> None:
    """So does a clock that is set back: nobody waits for longer than an empty bucket takes."""
    away = await Database.open("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    buckets = Buckets(
        redis if store == "redis" else nowhere, away if store == "memory" else database
    )
    key = own_key()
    (spent,) = await buckets.take([Take(key, 3600 * SECOND_US, 2, 2)])
    (refused,) = await buckets.take([Take(key, 10_000, 100)])
    assert (spent.allowed, refused.allowed) == (True, False)
    assert refused.retry_us <= 10_000
    await asyncio.sleep(0.05)
    (allowed,) = await buckets.take([Take(key, 10_000, 100)])
    assert allowed.allowed
    await away.close()


class Forgetful:
    """A database in which full buckets are forgotten in the midst of each transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Forgetful"]:
        async with self._database.transaction() as self._session:
            yield self

    async def execute(self, *statement: Any) -> None:
        await self._session.execute(*statement)
        async with self._database.connection() as other:
            await forget_full(other, datetime.now(UTC) + timedelta(seconds=1))

    async def fetch(self, *statement: Any) -> Any:
        return await self._session.fetch(*statement)


async def test_buckets_are_taken_from_while_full_ones_are_forgotten(
    nowhere: Redis, database: Database
) -> None:
    buckets, key = Buckets(nowhere, cast(Database, Forgetful(database))), own_key()
    for _ in range(3):
        (level,) = await buckets.take([Take(key, 1, 10)])
        assert level.allowed


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
    clock, memory = Clock(), Memory()
    memory = Memory(clock)
    clock.now = 0.0
    passed: list[tuple[int, int]] = []
    now_us = 0
    for pause_us, cost in steps:
        now_us += pause_us
        clock.now = now_us / SECOND_US
        bucket = [Take("key", step_us, capacity, cost)]
        answer = memory.answer(bucket)
        known = levels(bucket, answer.full_us)
        memory.remember(bucket, known, answer.asked_us)
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
