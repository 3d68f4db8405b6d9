"""What workers agree on while the database is away: one outage, told once, kept in Redis.

Without Redis each has what it knows by itself; then it is told more often, and never not at all.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(component="alerts")

KEY = "alerts:outage"
# Longer than any outage, and after its end so long that all workers have seen it.
KEPT_SECONDS = 30 * 86_400
KEPT_AFTER_END_SECONDS = 3_600
# An outage that nobody was told of is renewed each time a worker sees it. This is longer than a
# worker takes from one look to the next, also where its message is not taken; and shorter than an
# outage lasts before it is told, so that the next one never finds the one before.
UNTOLD_SECONDS = 28.0
# Less than from one look of a worker to the next, so that one that fails goes on by itself.
TURN_SECONDS = 4.0

# Replaces what was read by something else, unless another worker was faster; returns what is there.
_REPLACE = """
local found = redis.call('get', KEYS[1]) or ''
if found ~= ARGV[1] then return found end
redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3])
return ARGV[2]
"""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the database does not answer; ``told_at`` once somebody knows of it."""

    since: datetime
    episode: UUID
    told_at: datetime | None = None
    is_over: bool = False

    def lasts(self, since: datetime) -> bool:
        """Whether it may be the outage that another worker sees since then.

        If not, that worker has reached the database after somebody was told of this one.
        """
        return not self.is_over and (self.told_at is None or self.told_at >= since)


_OUTAGE: TypeAdapter[Outage] = TypeAdapter(Outage)


class Outages:
    """The outage that all workers see."""

    def __init__(self, redis: Redis | None) -> None:
        self._redis = redis

    async def agree(self, own: Outage) -> Outage:
        """Returns the outage that another worker has found before, or else this one.

        One that nobody was told of is kept for `UNTOLD_SECONDS` from now on.
        """
        if self._redis is None:
            return own
        before = await _asked(self._redis.get(KEY))
        found = _read(before)
        if found is not None and found.lasts(own.since):
            if found.told_at is not None:
                return found
            own = found
        given = before or b"", _OUTAGE.dump_json(own), round(UNTOLD_SECONDS * 1_000)
        return _read(await _asked(self._redis.eval(_REPLACE, 1, KEY, *given))) or own

    async def known(self) -> Outage | None:
        """Returns the last outage, which may be over; None if there is none, or no Redis."""
        return None if self._redis is None else _read(await _asked(self._redis.get(KEY)))

    async def is_turn(self, outage: Outage) -> bool:
        """Whether this worker tries to tell now, while others wait for what becomes of it."""
        if self._redis is None:
            return True
        key, milliseconds = f"{KEY}:{outage.episode}", round(TURN_SECONDS * 1_000)
        try:
            return bool(await self._redis.set(key, 1, px=milliseconds, nx=True))
        except (RedisError, OSError, TimeoutError):
            return True

    async def told(self, outage: Outage, at: datetime) -> None:
        """Notes that somebody was told of an outage."""
        await self._set(replace(outage, told_at=at), KEPT_SECONDS)

    async def over(self, outage: Outage) -> None:
        """Notes that somebody was told of the end of an outage."""
        await self._set(replace(outage, is_over=True), KEPT_AFTER_END_SECONDS)

    async def _set(self, outage: Outage, seconds: int) -> None:
        if self._redis is not None:
            await _asked(self._redis.set(KEY, _OUTAGE.dump_json(outage), ex=seconds))


async def _asked(asked: Awaitable[Any]) -> bytes | None:
    """The answer of Redis, where it is some text; None without one, or without Redis."""
    try:
        found = await asked
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("outage_not_shared", reason=type(error).__name__)
        return None
    return found if isinstance(found, bytes) else None


def _read(text: bytes | None) -> Outage | None:
    try:
        return _OUTAGE.validate_json(text) if text else None
    except ValidationError:
        return None
