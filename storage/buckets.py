"""Token buckets shared by all processes in Redis; during an outage each process counts alone.

The arithmetic is the generic cell rate algorithm (ITU-T I.371). A bucket is stored as the time at
which it will be full again. Taking `cost` tokens moves that time by `cost` steps, and is allowed
while it is at most `capacity` steps away. All times are whole microseconds. A time farther away
than that, after a change of the limit or of the clock, counts as an empty bucket.

Each process remembers when the buckets it took from will be full. It continues from there when
Redis is lost, and sends these times with each call, so that Redis learns what was spent meanwhile.
"""

import logging
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage.connections.batches import Batches
from storage.recent import Recent

SECOND_US = 1_000_000
# After a failure Redis is not called for a while, so that few requests wait for a time-out.
PAUSE_SECONDS = 2.0
# The most buckets that a process remembers.
REMEMBERED = 50_000
# The most requests that share a call to Redis, since the call costs more than its work.
REQUESTS_PER_CALL = 100

_log = logging.getLogger(__name__)


class Take(NamedTuple):
    """A request for `cost` tokens of a bucket of `capacity`, which gains one every `step_us`."""

    key: str
    step_us: int
    capacity: int
    cost: int = 1


class Level(NamedTuple):
    """A bucket after the decision: tokens left, and microseconds until it is full.

    ``retry_us`` is 0 if the bucket had enough tokens, else the time until it will.
    """

    remaining: int
    full_us: int
    retry_us: int = 0

    @property
    def allowed(self) -> bool:
        return self.retry_us == 0


def levels(takes: Sequence[Take], full_us: Sequence[int]) -> list[Level]:
    """Decide the takes, all or none, given the time until each bucket is full."""
    allowed = all(
        full + take.cost * take.step_us <= take.capacity * take.step_us
        for take, full in zip(takes, full_us, strict=True)
    )
    return [_level(take, full, allowed) for take, full in zip(takes, full_us, strict=True)]


def _level(take: Take, full_us: int, all_allowed: bool) -> Level:
    needed_us = full_us + take.cost * take.step_us
    room_us = take.capacity * take.step_us
    after_us = needed_us if all_allowed else full_us
    remaining = max(0, (room_us - after_us) // take.step_us)
    return Level(remaining, after_us, max(0, needed_us - room_us) if not all_allowed else 0)


class Fullness(NamedTuple):
    """The time until each bucket is full, as of `now_us` by this process's clock."""

    now_us: int
    full_us: list[int]


class LocalBuckets:
    """The buckets as far as this process knows them."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._full_at_us = Recent[str, int](REMEMBERED)

    def fullness(self, takes: Sequence[Take]) -> Fullness:
        """The state known here: a hint for Redis, and the answer without it."""
        now_us = int(self._monotonic() * SECOND_US)
        full_us = [
            min(max(0, self._full_at_us.get(take.key, 0) - now_us), take.capacity * take.step_us)
            for take in takes
        ]
        return Fullness(now_us, full_us)

    def remember(self, takes: Sequence[Take], known: Sequence[Level], now_us: int) -> None:
        """Store levels as of `now_us`, before the call: its duration must not delay the refill."""
        for take, level in zip(takes, known, strict=True):
            self._full_at_us[take.key] = now_us + level.full_us


class Buckets:
    """Takes from several buckets at once, all or nothing."""

    def __init__(
        self,
        redis: Redis,
        monotonic: Callable[[], float] = time.monotonic,
        on_fallback: Callable[[], None] = lambda: None,
    ) -> None:
        self._memory = LocalBuckets(monotonic)
        self._monotonic = monotonic
        self._on_fallback = on_fallback
        self._redis = redis
        self._script: Any = redis.register_script(_SCRIPT)
        self._batches = Batches(self._call_redis, REQUESTS_PER_CALL)
        self._away_until = 0.0

    async def take(self, takes: Sequence[Take]) -> list[Level]:
        """Take from all buckets or from none; keys must differ and no cost exceed its capacity."""
        state = await self._ask_redis(takes) or self._memory.fullness(takes)
        known = levels(takes, state.full_us)
        self._memory.remember(takes, known, state.now_us)
        return known

    async def close(self) -> None:
        await self._redis.aclose()

    async def _ask_redis(self, takes: Sequence[Take]) -> Fullness | None:
        return None if self._is_away() else await self._batches.ask(takes)

    async def _call_redis(self, requests: Sequence[Sequence[Take]]) -> Sequence[Fullness | None]:
        """Send several requests in one call; each of them takes all or nothing."""
        if self._is_away():  # since these requests began to wait
            return [None] * len(requests)
        hints = [self._memory.fullness(takes) for takes in requests]
        arguments = [
            [
                (take.step_us, take.capacity, take.cost, hint_us)
                for take, hint_us in zip(takes, hint.full_us, strict=True)
            ]
            for takes, hint in zip(requests, hints, strict=True)
        ]
        keys = [f"limits:{take.key}" for takes in requests for take in takes]
        try:
            reply: bytes = await self._script(keys, [orjson.dumps(arguments)])
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(error)
            return [None] * len(requests)
        full_us = iter(map(int, reply.split()))
        return [
            Fullness(hint.now_us, list(islice(full_us, len(takes))))
            for takes, hint in zip(requests, hints, strict=True)
        ]

    def _is_away(self) -> bool:
        return self._monotonic() < self._away_until

    def _pause(self, error: Exception) -> None:
        if not self._is_away():  # one log line for many calls that fail together
            _log.warning("limits are not counted in redis: %s", type(error).__name__)
            self._on_fallback()
        self._away_until = self._monotonic() + PAUSE_SECONDS


# Returns the time until each bucket was full, before the take; `levels` decides again from these.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer, last = {}, 0
for _, takes in ipairs(cjson.decode(ARGV[1])) do
  local before, cut, allowed = {}, {}, true
  for i, take in ipairs(takes) do
    local step, capacity, cost, hint = unpack(take)
    local kept = (redis.call('GET', KEYS[last + i]) or now) - now
    local full = math.min(math.max(kept, hint, 0), capacity * step)
    cut[i] = kept > full
    before[i] = string.format('%.0f', full)
    allowed = allowed and full + cost * step <= capacity * step
  end
  for i, take in ipairs(takes) do
    local full = before[i] + (allowed and take[3] * take[1] or 0)
    if full > 0 and (allowed or cut[i]) then
      local at = string.format('%.0f', now + full)
      redis.call('SET', KEYS[last + i], at, 'PX', math.ceil(full / 1000))
    end
    answer[last + i] = before[i]
  end
  last = last + #takes
end
return table.concat(answer, ' ')
"""
