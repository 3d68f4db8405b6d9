"""A cache of answers as bytes, in the process and in Redis.

A key stands for the question alone. The reader compares an entry's version with that of the data,
so no outdated entry is served. Without Redis answers are slower, but still right.
"""

import logging
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from aiocache import RedisCache
from aiocache.serializers import NullSerializer
from redis.asyncio import Redis
from redis.exceptions import RedisError

# Bounded because retention deletes rows without changing any version.
KEPT_SECONDS = 3_600.0
MEMORY_SECONDS = 300.0
MEMORY_BYTES = 32 * 1024 * 1024
REDIS_PAUSE_SECONDS = 2.0
JITTER = 0.1

_HEADER = struct.Struct(">d")
_log = logging.getLogger(__name__)


class CacheStatus(StrEnum):
    """Whether an answer was in the cache."""

    HIT = "hit"
    MISS = "miss"


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A cached answer; ``stored_at`` is in seconds by the cache's clock."""

    body: bytes
    stored_at: float

    def packed(self) -> bytes:
        return _HEADER.pack(self.stored_at) + self.body

    @staticmethod
    def unpacked(value: bytes) -> "CacheEntry | None":
        if len(value) < _HEADER.size:
            return None
        return CacheEntry(value[_HEADER.size :], _HEADER.unpack_from(value)[0])


class HasBody(Protocol):
    """An entry whose size is that of its body."""

    @property
    def body(self) -> bytes: ...


EntryT = TypeVar("EntryT", bound=HasBody)


class Memory(Generic[EntryT]):
    """The most recently used entries of this process, limited in bytes."""

    def __init__(self, limit_bytes: int = MEMORY_BYTES, overhead_bytes: int = 200) -> None:
        """An entry counts as its key, its body and `overhead_bytes`."""
        self._limit_bytes = limit_bytes
        self._overhead_bytes = overhead_bytes
        self._size_bytes = 0
        self._entries: OrderedDict[str, EntryT] = OrderedDict()

    def get(self, key: str) -> EntryT | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: str, entry: EntryT) -> None:
        self._drop(key)
        if len(entry.body) > self._limit_bytes // 8:
            return
        self._entries[key] = entry
        self._size_bytes += self._entry_bytes(key, entry)
        while self._size_bytes > self._limit_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size_bytes -= self._entry_bytes(key, entry)

    def _entry_bytes(self, key: str, entry: HasBody) -> int:
        return len(key) + len(entry.body) + self._overhead_bytes


class SharedCache:
    """The entries in Redis, shared by all processes; after a failure it is not called a while."""

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
            timeout=0,  # the client has time-outs; aiocache's would cost a task for each call
        )
        self._cache.client = redis  # aiocache has no argument for it
        self._namespace = namespace
        self._monotonic = monotonic
        self._pause_seconds = pause_seconds
        self._away_until = 0.0

    async def get_many(self, keys: Sequence[str]) -> list[CacheEntry | None]:
        if not keys or self._monotonic() < self._away_until:
            return [None] * len(keys)
        try:
            values = await self._cache.multi_get(list(keys))
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)
            return [None] * len(keys)
        return [None if value is None else CacheEntry.unpacked(value) for value in values]

    async def put_many(self, entries: Sequence[tuple[str, CacheEntry]], seconds: float) -> None:
        if not entries or self._monotonic() < self._away_until:
            return
        try:
            await self._cache.multi_set(
                [(key, entry.packed()) for key, entry in entries], ttl=seconds
            )
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)

    def _pause(self, error: Exception) -> None:
        if self._monotonic() >= self._away_until:  # one log line for many calls that fail together
            name = type(error).__name__
            _log.warning("Redis is away, %s are not shared: %s", self._namespace, name)
        self._away_until = self._monotonic() + self._pause_seconds


class Cache:
    """Entries by key, first in memory and then in Redis."""

    def __init__(
        self,
        shared: SharedCache | None,
        clock: Callable[[], float],
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._kept_seconds = kept_seconds
        self._memory = Memory[CacheEntry]()
        self._shared = shared
        self._clock = clock

    async def find(self, keys: Sequence[str]) -> dict[str, CacheEntry]:
        """The entries of these keys that exist and are not too old."""
        found = {
            key: entry
            for key in keys
            if (entry := self._memory.get(key)) is not None
            and self._age_seconds(entry) <= min(MEMORY_SECONDS, self._servable_seconds(key))
        }
        rest = [key for key in keys if key not in found]
        if self._shared is not None and rest:
            for key, entry in zip(rest, await self._shared.get_many(rest), strict=True):
                if entry and self._age_seconds(entry) <= self._servable_seconds(key):
                    found[key] = entry
                    self._memory.put(key, entry)
        return found

    async def keep(self, bodies: Mapping[str, bytes]) -> None:
        """Store the bodies of new answers by key."""
        now = self._clock()
        entries = [(key, CacheEntry(body, now)) for key, body in bodies.items()]
        for key, entry in entries:
            self._memory.put(key, entry)
        if self._shared is not None:
            await self._shared.put_many(entries, self._kept_seconds)

    def _age_seconds(self, entry: CacheEntry) -> float:
        return self._clock() - entry.stored_at

    def _servable_seconds(self, key: str) -> float:
        # Spread by key, so that entries stored together do not expire together.
        return self._kept_seconds * (1 - JITTER * zlib.crc32(key.encode()) / 2**32)
