"""Answers kept as bytes: in the process, then in Redis, with one computation for many askers.

A key carries the version of the data it depends on, so a change makes the old entry unreachable.
Redis being away costs time and nothing else.
"""

import asyncio
import logging
import struct
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from aiocache import RedisCache
from aiocache.serializers import NullSerializer
from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage.internals import share_client
from storage.versions import Tags, Versions

# An answer whose range still takes events is fresh for a second; then it is served once more
# while it is computed anew. Versions make it unreachable as soon as its data changes.
OPEN_FRESH_SECONDS = 1.0
OPEN_STALE_SECONDS = 5.0
CLOSED_SECONDS = 3_600.0
# The last part of its life a closed answer is served while it is computed anew.
CLOSED_FRESH_PART = 0.8
MEMORY_SECONDS = 300.0
MEMORY_BYTES = 32 * 1024 * 1024
REDIS_TIMEOUT_SECONDS = 0.25
REDIS_PAUSE_SECONDS = 2.0
JITTER = 0.1

_HEADER = struct.Struct(">d")
_log = logging.getLogger(__name__)


class Source(StrEnum):
    """Where an answer came from."""

    HIT = "hit"
    STALE = "stale"
    MISS = "miss"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An answer asked for: its canonical key, what it depends on, whether its range is open."""

    key: str
    tags: Tags
    open: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer's bytes, where they came from and their age."""

    body: bytes
    source: Source
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept under a key; ``stored_at`` in seconds of the clock that was handed in."""

    body: bytes
    stored_at: float

    def packed(self) -> bytes:
        return _HEADER.pack(self.stored_at) + self.body

    @staticmethod
    def unpacked(value: bytes) -> "Entry | None":
        if len(value) < _HEADER.size:
            return None
        return Entry(value[_HEADER.size :], _HEADER.unpack_from(value)[0])


Load = Callable[[Sequence[Wanted]], Awaitable[Sequence[bytes]]]


class Bytes(Protocol):
    """What a memory holds."""

    @property
    def body(self) -> bytes: ...


Held = TypeVar("Held", bound=Bytes)


class Memory(Generic[Held]):
    """The most recently used entries of this process, bounded in bytes."""

    def __init__(self, limit_bytes: int = MEMORY_BYTES, overhead_bytes: int = 200) -> None:
        """Beside body and key, each entry is taken to weigh `overhead_bytes`."""
        self._limit_bytes = limit_bytes
        self._overhead_bytes = overhead_bytes
        self._size_bytes = 0
        self._entries: OrderedDict[str, Held] = OrderedDict()

    def get(self, key: str) -> Held | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: str, entry: Held) -> None:
        self._drop(key)
        if len(entry.body) > self._limit_bytes // 8:
            return
        self._entries[key] = entry
        self._size_bytes += self._weight(key, entry)
        while self._size_bytes > self._limit_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size_bytes -= self._weight(key, entry)

    def _weight(self, key: str, entry: Bytes) -> int:
        return len(key) + len(entry.body) + self._overhead_bytes


class Shared:
    """The entries all processes share, in Redis; after a failure it is left alone for a while."""

    def __init__(
        self,
        redis: "Redis",
        monotonic: Callable[[], float],
        pause_seconds: float = REDIS_PAUSE_SECONDS,
        namespace: str = "answers",
    ) -> None:
        self._cache = RedisCache(
            namespace=namespace,
            serializer=NullSerializer(encoding=None),
            timeout=REDIS_TIMEOUT_SECONDS,
        )
        share_client(self._cache, redis)
        self._namespace = namespace
        self._monotonic = monotonic
        self._pause_seconds = pause_seconds
        self._away_until = 0.0

    async def get_many(self, keys: Sequence[str]) -> list[Entry | None]:
        if not keys or self._monotonic() < self._away_until:
            return [None] * len(keys)
        try:
            values = await self._cache.multi_get(list(keys))
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)
            return [None] * len(keys)
        return [None if value is None else Entry.unpacked(value) for value in values]

    async def put_many(self, entries: Sequence[tuple[str, Entry]], seconds: float) -> None:
        if not entries or self._monotonic() < self._away_until:
            return
        try:
            await self._cache.multi_set(
                [(key, entry.packed()) for key, entry in entries], ttl=seconds
            )
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)

    def _pause(self, error: Exception) -> None:
        if self._monotonic() >= self._away_until:  # of many that fail at once, one tells
            name = type(error).__name__
            _log.warning("Redis is away, %s are not shared: %s", self._namespace, name)
        self._away_until = self._monotonic() + self._pause_seconds


class Cache:
    """Answers questions from memory, Redis or the given loader, each question computed once."""

    def __init__(
        self,
        versions: Versions,
        shared: Shared | None,
        clock: Callable[[], float],
        observe: Callable[[Source], None] | None = None,
        closed_seconds: float = CLOSED_SECONDS,
    ) -> None:
        self._versions = versions
        self._closed_seconds = closed_seconds
        self._memory = Memory[Entry]()
        self._shared = shared
        self._clock = clock
        self._observe = observe
        self._flights: dict[str, asyncio.Future[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def through(self, wanted: Sequence[Wanted], load: Load) -> list[Kept]:
        """Answers in the order asked; those not kept are loaded together, by one asker only."""
        if not self._versions.known():
            kept = [Kept(body, Source.MISS, 0.0) for body in await load(wanted)]
        else:
            kept = await self._answer(wanted, load)
        if self._observe is not None:
            for answer in kept:
                self._observe(answer.source)
        return kept

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, wanted: Sequence[Wanted], load: Load) -> list[Kept]:
        keys = [self._key(one) for one in wanted]
        found = await self._look_up(keys, wanted)
        missing = {
            key: one for key, one in zip(keys, wanted, strict=True) if found.get(key) is None
        }
        flights = self._join(missing, load)
        stale = {
            key: one
            for key, one in zip(keys, wanted, strict=True)
            if (entry := found.get(key)) is not None and not self._fresh(entry, key, one)
        }
        self._join(stale, load)
        computed = {key: await asyncio.shield(flight) for key, flight in flights.items()}
        return [self._kept(key, found.get(key), key in stale, computed) for key in keys]

    def _key(self, one: Wanted) -> str:
        """An answer says whether its range is over, so the same question has another one then."""
        return f"{one.key}@{self._versions.of(one.tags)}{'' if one.open else '.'}"

    def _kept(self, key: str, entry: Entry | None, stale: bool, computed: dict[str, bytes]) -> Kept:
        if entry is None:
            return Kept(computed[key], Source.MISS, 0.0)
        age_seconds = max(0.0, self._clock() - entry.stored_at)
        return Kept(entry.body, Source.STALE if stale else Source.HIT, age_seconds)

    async def _look_up(self, keys: Sequence[str], wanted: Sequence[Wanted]) -> dict[str, Entry]:
        """The entries that may still be served, from memory first."""
        asked = dict(zip(keys, wanted, strict=True))
        found = {
            key: entry
            for key, one in asked.items()
            if (entry := self._memory.get(key)) is not None
            and self._servable(entry, one)
            and self._clock() - entry.stored_at <= MEMORY_SECONDS
        }
        rest = [key for key in asked if key not in found]
        if self._shared is not None and rest:
            for key, entry in zip(rest, await self._shared.get_many(rest), strict=True):
                if entry is not None and self._servable(entry, asked[key]):
                    found[key] = entry
                    self._memory.put(key, entry)
        return found

    def _servable(self, entry: Entry, one: Wanted) -> bool:
        limit = OPEN_STALE_SECONDS if one.open else self._closed_seconds
        return self._clock() - entry.stored_at <= limit

    def _fresh(self, entry: Entry, key: str, one: Wanted) -> bool:
        closed_seconds = self._closed_seconds * CLOSED_FRESH_PART
        seconds = OPEN_FRESH_SECONDS if one.open else closed_seconds
        # Spread by key, so that entries stored together are not computed anew together.
        spread = 1 - JITTER * zlib.crc32(key.encode()) / 2**32
        return self._clock() - entry.stored_at <= seconds * spread

    def _join(self, wanted: dict[str, Wanted], load: Load) -> dict[str, asyncio.Future[bytes]]:
        """A future for each question, starting one load for those nobody is computing yet."""
        mine = {key: one for key, one in wanted.items() if key not in self._flights}
        if mine:
            loop = asyncio.get_running_loop()
            for key in mine:
                self._flights[key] = loop.create_future()
            task = asyncio.create_task(self._compute(mine, load))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return {key: self._flights[key] for key in wanted}

    async def _compute(self, wanted: dict[str, Wanted], load: Load) -> None:
        """Load and keep; runs on its own, so that an asker who leaves spoils it for nobody."""
        flights = {key: self._flights[key] for key in wanted}
        try:
            bodies = await load(list(wanted.values()))
        except BaseException as error:
            for key, flight in flights.items():
                del self._flights[key]
                if isinstance(error, Exception):
                    flight.set_exception(error)
                    flight.exception()  # whether anyone still waits is not our concern
                else:
                    flight.cancel()
            if not isinstance(error, Exception):
                raise
            return
        now = self._clock()
        entries = {key: Entry(body, now) for key, body in zip(wanted, bodies, strict=True)}
        for key, entry in entries.items():
            self._memory.put(key, entry)
            del self._flights[key]
            flights[key].set_result(entry.body)
        await self._share(wanted, entries)

    async def _share(self, wanted: dict[str, Wanted], entries: dict[str, Entry]) -> None:
        if self._shared is None:
            return
        for is_open, seconds in ((True, OPEN_STALE_SECONDS), (False, self._closed_seconds)):
            group = [(key, entry) for key, entry in entries.items() if wanted[key].open is is_open]
            await self._shared.put_many(group, seconds)
