"""Kept answers: one computation for many askers, current versions only, and Redis may go away."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.embedded.processes import running
from gateway.embedded.redis import EmbeddedRedis
from storage.cache import (
    MEMORY_SECONDS,
    OPEN_FRESH_SECONDS,
    OPEN_STALE_SECONDS,
    Cache,
    Entry,
    Memory,
    Shared,
    Source,
    Wanted,
)
from storage.versions import Tags
from tests.servers import temporary_folder

EVERYTHING = Tags(None, None)


class Feed:
    """Versions that a test sets."""

    def __init__(self) -> None:
        self.version = 1
        self.is_known = True

    def known(self) -> bool:
        return self.is_known

    def of(self, _tags: Tags) -> int:
        return self.version


@dataclass
class Loader:
    """Counts what it is asked to load; each answer says which load it came from."""

    seconds: float = 0.0
    error: Exception | None = None
    asked: list[list[str]] = field(default_factory=list)

    async def __call__(self, wanted: Sequence[Wanted]) -> list[bytes]:
        self.asked.append([one.key for one in wanted])
        number = len(self.asked)
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return [f"{one.key} {number}".encode() for one in wanted]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def question(key: str, *, is_open: bool = False) -> Wanted:
    return Wanted(key, EVERYTHING, is_open)


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


async def settle() -> None:
    """Let what runs in the background come to an end."""
    await asyncio.sleep(0.05)


async def test_many_askers_share_one_load() -> None:
    cache, load = Cache(Feed(), None, Clock()), Loader(seconds=0.01)  # type: ignore[arg-type]
    answers = await asyncio.gather(*(cache.through([question("a")], load) for _ in range(50)))
    assert load.asked == [["a"]]
    assert {answer[0].body for answer in answers} == {b"a 1"}


async def test_only_what_is_missing_is_loaded() -> None:
    cache, load = Cache(Feed(), None, Clock()), Loader()  # type: ignore[arg-type]
    await cache.through([question("a")], load)
    answers = await cache.through([question("b"), question("a")], load)
    assert load.asked == [["a"], ["b"]]
    assert [(answer.body, answer.source) for answer in answers] == [
        (b"b 2", Source.MISS),
        (b"a 1", Source.HIT),
    ]


async def test_change_makes_old_answer_unreachable() -> None:
    feed = Feed()
    cache, load = Cache(feed, None, Clock()), Loader()  # type: ignore[arg-type]
    await cache.through([question("a")], load)
    feed.version = 2
    [answer] = await cache.through([question("a")], load)
    assert answer.body == b"a 2"


async def test_unreadable_feed_bypasses_the_cache() -> None:
    feed = Feed()
    cache, load = Cache(feed, None, Clock()), Loader()  # type: ignore[arg-type]
    await cache.through([question("a")], load)
    feed.is_known = False
    [answer] = await cache.through([question("a")], load)
    assert (answer.body, answer.source) == (b"a 2", Source.MISS)


async def test_open_answer_turns_stale_and_is_computed_anew() -> None:
    clock = Clock()
    cache, load = Cache(Feed(), None, clock), Loader()  # type: ignore[arg-type]
    await cache.through([question("a", is_open=True)], load)
    clock.now += OPEN_FRESH_SECONDS + 0.1
    [stale] = await cache.through([question("a", is_open=True)], load)
    await settle()
    [fresh] = await cache.through([question("a", is_open=True)], load)
    assert (stale.body, stale.source) == (b"a 1", Source.STALE)
    assert stale.age_seconds == pytest.approx(OPEN_FRESH_SECONDS + 0.1)
    assert (fresh.body, fresh.source) == (b"a 2", Source.HIT)


async def test_open_answer_past_its_time_is_not_served() -> None:
    clock = Clock()
    cache, load = Cache(Feed(), None, clock), Loader()  # type: ignore[arg-type]
    await cache.through([question("a", is_open=True)], load)
    clock.now += OPEN_STALE_SECONDS + 0.1
    [answer] = await cache.through([question("a", is_open=True)], load)
    assert (answer.body, answer.source) == (b"a 2", Source.MISS)


async def test_answer_kept_while_its_range_was_open_is_not_served_once_it_is_over() -> None:
    cache, load = Cache(Feed(), None, Clock()), Loader()  # type: ignore[arg-type]
    await cache.through([question("a", is_open=True)], load)
    [answer] = await cache.through([question("a")], load)
    assert (answer.body, answer.source) == (b"a 2", Source.MISS)


async def test_memory_answers_for_five_minutes_at_most() -> None:
    """R102, E4: without a change; a change makes the answer unreachable at once."""
    feed, clock = Feed(), Clock()
    cache, load = Cache(feed, None, clock), Loader()  # type: ignore[arg-type]
    assert MEMORY_SECONDS == 300
    seen = []
    for seconds in (0, 299, 2, 1):
        clock.now += seconds
        [answer] = await cache.through([question("a")], load)
        seen.append((answer.body, answer.source))
    assert seen == [
        (b"a 1", Source.MISS),
        (b"a 1", Source.HIT),
        (b"a 2", Source.MISS),
        (b"a 2", Source.HIT),
    ]
    feed.version = 2
    [answer] = await cache.through([question("a")], load)
    assert (answer.body, answer.source) == (b"a 3", Source.MISS)


async def test_failed_load_reaches_all_askers_and_is_not_kept() -> None:
    cache, load = Cache(Feed(), None, Clock()), Loader(0.01, ValueError("no"))  # type: ignore[arg-type]
    asked = [cache.through([question("a")], load) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError] * 3
    load.error = None
    [answer] = await cache.through([question("a")], load)
    assert answer.body == b"a 2"


async def test_leaving_asker_spoils_it_for_nobody() -> None:
    cache, load = Cache(Feed(), None, Clock()), Loader(seconds=0.05)  # type: ignore[arg-type]
    leaving = asyncio.create_task(cache.through([question("a")], load))
    await asyncio.sleep(0.01)
    staying = asyncio.create_task(cache.through([question("a")], load))
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert (await staying)[0].body == b"a 1"
    assert load.asked == [["a"]]


async def test_processes_share_answers_through_redis(redis: Redis) -> None:
    load = Loader()
    one, other = (Cache(Feed(), Shared(redis, time.monotonic), time.time) for _ in range(2))  # type: ignore[arg-type]
    await one.through([question("a"), question("b", is_open=True)], load)
    await settle()
    answers = await other.through([question("a"), question("b", is_open=True)], load)
    assert len(load.asked) == 1
    assert [answer.source for answer in answers] == [Source.HIT, Source.HIT]


async def test_nothing_outlives_an_hour_in_redis(redis: Redis) -> None:
    cache = Cache(Feed(), Shared(redis, time.monotonic), time.time)  # type: ignore[arg-type]
    await cache.through([question("a"), question("b", is_open=True)], Loader())
    await settle()
    lives = {key: await redis.ttl(key) for key in await redis.keys("answers*")}
    assert len(lives) == 2
    assert all(0 < seconds <= 3600 for seconds in lives.values())


async def test_foreign_value_in_redis_is_a_miss(redis: Redis) -> None:
    cache, load = Cache(Feed(), Shared(redis, time.monotonic), time.time), Loader()  # type: ignore[arg-type]
    await redis.set("answers:a@1", b"short")
    [answer] = await cache.through([question("a")], load)
    assert (answer.body, answer.source) == (b"a 1", Source.MISS)


async def test_redis_stopped_and_started_again() -> None:
    load = Loader()
    with temporary_folder() as folder, running(EmbeddedRedis(folder)) as server:
        redis = client(server.url)
        shared = Shared(redis, time.monotonic, pause_seconds=0.2)
        await Cache(Feed(), shared, time.time).through([question("a")], load)  # type: ignore[arg-type]
        server.stop()
        began = time.monotonic()
        for number in range(20):
            cache = Cache(Feed(), shared, time.time)  # type: ignore[arg-type]
            [answer] = await cache.through([question("b")], load)
            assert answer.body == f"b {number + 2}".encode()
        assert time.monotonic() - began < 2
        server.start()
        await asyncio.sleep(0.3)
        await Cache(Feed(), shared, time.time).through([question("c")], load)  # type: ignore[arg-type]
        await settle()
        loads = len(load.asked)
        [answer] = await Cache(Feed(), shared, time.time).through([question("c")], load)  # type: ignore[arg-type]
        assert (answer.source, len(load.asked)) == (Source.HIT, loads)
        await redis.aclose()


def test_memory_stays_within_its_bytes() -> None:
    memory: Memory[Entry] = Memory(limit_bytes=10_000)
    for number in range(100):
        memory.put(str(number), Entry(b"x" * 500, 0.0))
    kept = [number for number in range(100) if memory.get(str(number)) is not None]
    assert kept == list(range(100 - len(kept), 100))
    assert 5 < len(kept) <= 14


def test_small_entries_weigh_what_lies_beside_them() -> None:
    memory: Memory[Entry] = Memory(limit_bytes=10_000, overhead_bytes=1_000)
    for number in range(100):
        memory.put(str(number), Entry(b"", 0.0))
    assert sum(memory.get(str(number)) is not None for number in range(100)) == 9


def test_memory_refuses_what_would_empty_it() -> None:
    memory: Memory[Entry] = Memory(limit_bytes=10_000)
    memory.put("small", Entry(b"x", 0.0))
    memory.put("large", Entry(b"x" * 9_000, 0.0))
    assert memory.get("large") is None
    assert memory.get("small") is not None
