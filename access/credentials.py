"""Stored credentials: looked up seldom, usable in an outage, and marked when they are used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from storage.background import repeating
from storage.connections.database import Connection, Database
from storage.errors import GatewayError, Unavailable
from storage.recent import Recent

# They are looked up again after this time, so a change holds everywhere within five seconds.
CACHE_SECONDS = 4.0
# While the database is unavailable, what was looked up within this time is accepted.
STALE_SECONDS = 60.0
CACHED = 10_000
USE_WRITTEN_SECONDS = 30.0

KeyT = TypeVar("KeyT", bound=Hashable)  # what a client sends
IdT = TypeVar("IdT")  # the key of the table
FoundT = TypeVar("FoundT")


@dataclass(frozen=True, slots=True)
class _Lookup(Generic[FoundT]):
    """The result of a look-up, or None if there is no such credential."""

    found: FoundT | None
    read_at: float


class StoredCredentials(Generic[KeyT, IdT, FoundT]):
    """The credentials of a table, which `find` reads and `mark_used` updates."""

    def __init__(
        self,
        database: Database,
        monotonic: Callable[[], float],
        find: Callable[[KeyT], Awaitable[FoundT | None]],
        mark_used: Callable[[Connection, Mapping[IdT, datetime]], Awaitable[None]],
    ) -> None:
        self._database = database
        self._monotonic = monotonic
        self._find = find
        self._mark_used = mark_used
        self._accepted = Recent[KeyT, _Lookup[FoundT]](CACHED)
        # Separate, so that guesses do not displace credentials in use.
        self._refused = Recent[KeyT, _Lookup[FoundT]](CACHED)
        self._used: dict[IdT, datetime] = {}

    def known(self, key: KeyT) -> FoundT | None:
        """Returns what this process found the last time, however long ago."""
        lookup = self._accepted.get(key)
        return lookup.found if lookup else None

    def use(self, id: IdT, at: datetime) -> None:
        """Notes a use."""
        self._used[id] = at

    async def write_uses(self) -> None:
        """Stores when credentials were used; later if the database is unavailable."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            async with self._database.connection() as connection:
                await self._mark_used(connection, used)
        except (GatewayError, OSError):
            self._used = {**used, **self._used}

    async def follow(self) -> None:
        """Stores the uses from time to time, and once more when cancelled."""
        await repeating(USE_WRITTEN_SECONDS, self.write_uses)

    async def look_up(self, key: KeyT) -> FoundT | None:
        """Returns the credential, or None if there is none; raises Unavailable."""
        now = self._monotonic()
        cached = self._accepted.get(key) or self._refused.get(key)
        if cached is not None and now - cached.read_at < CACHE_SECONDS:
            return cached.found
        try:
            found = await self._find(key)
        except Unavailable:
            if cached is not None and now - cached.read_at < STALE_SECONDS:
                return cached.found
            raise
        cache, other = self._accepted, self._refused
        if found is None:
            cache, other = other, cache
        cache[key] = _Lookup(found, now)
        other.pop(key, None)
        return found
