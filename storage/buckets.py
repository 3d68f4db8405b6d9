"""Token buckets shared by all processes in Redis; while it is away each process counts alone.

The arithmetic is the generic cell rate algorithm (ITU-T I.371): of a bucket only the time is kept
at which it will be full again. Taking `cost` moves that time by `cost` steps, and is allowed while
it is at most `capacity` steps away. Everything is in whole microseconds. A time farther away than
that, of a limit that was changed or a clock that was set back, counts as an empty bucket.

Each process remembers when the buckets it took from will be full. It goes on from there when Redis
is lost, and tells Redis with each question, so what was spent meanwhile is spent there too.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage.connections.batches import Batches

SECOND_US = 1_000_000
# Redis that failed is left alone for a while, so that its absence costs nobody a second wait.
PAUSE_SECONDS = 2.0
REMEMBERED = 50_000
# A call to Redis costs this process more than all it asks: requests share one where they meet.
ASKED_TOGETHER = 100

_log = logging.getLogger(__name__)


class Take(NamedTuple):
    """So much to be taken from one bucket: `capacity` tokens, one more every `step_us`."""

    key: str
    step_us: int
    capacity: int
    cost: int = 1


class Level(NamedTuple):
    """A bucket after the decision: tokens left, and microseconds until it is full.

    ``retry_us`` is 0 where the bucket allowed it, else how long until it would.
    """

    remaining: int
    full_us: int
    retry_us: int = 0

    @property
    def allowed(self) -> bool:
        return self.retry_us == 0


def levels(takes: Sequence[Take], full_us: Sequence[int]) -> list[Level]:
    """What each bucket says, given how far away its full state is: all of them, or nothing."""
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
    """How far away the full state of each bucket was, and by this process's clock when."""

    asked_us: int
    full_us: list[int]


class LocalBuckets:
    """What this process knows of the buckets."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._full_at_us: OrderedDict[str, int] = OrderedDict()

    def answer(self, takes: Sequence[Take]) -> Fullness:
        """What is known here at this moment; a hint for Redis, and the answer without it."""
        now_us = int(self._monotonic() * SECOND_US)
        full_us = [
            min(max(0, self._full_at_us.get(take.key, 0) - now_us), take.capacity * take.step_us)
            for take in takes
        ]
        return Fullness(now_us, full_us)

    def remember(self, takes: Sequence[Take], known: Sequence[Level], asked_us: int) -> None:
        """Reckoned from when it was asked: an answer's way back must not put off the refill."""
        for take, level in zip(takes, known, strict=True):
            self._full_at_us[take.key] = asked_us + level.full_us
            self._full_at_us.move_to_end(take.key)
        while len(self._full_at_us) > REMEMBERED:
            self._full_at_us.popitem(last=False)


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
        self._together = Batches(self._ask_redis_together, ASKED_TOGETHER)
        self._away_until = 0.0

    async def take(self, takes: Sequence[Take]) -> list[Level]:
        """Take from all or from none; each key once, and no cost above its capacity."""
        answer = await self._ask_redis(takes) or self._memory.answer(takes)
        known = levels(takes, answer.full_us)
        self._memory.remember(takes, known, answer.asked_us)
        return known

    async def close(self) -> None:
        await self._redis.aclose()

    async def _ask_redis(self, takes: Sequence[Take]) -> Fullness | None:
        return None if self._is_away() else await self._together.ask(takes)

    async def _ask_redis_together(
        self, questions: Sequence[Sequence[Take]]
    ) -> Sequence[Fullness | None]:
        """One call for several requests, each of which is all or nothing by itself."""
        if self._is_away():  # since these began to wait
            return [None] * len(questions)
        hints = [self._memory.answer(takes) for takes in questions]
        arguments = [
            [
                (take.step_us, take.capacity, take.cost, hint_us)
                for take, hint_us in zip(takes, hint.full_us, strict=True)
            ]
            for takes, hint in zip(questions, hints, strict=True)
        ]
        keys = [_key(take) for takes in questions for take in takes]
        try:
            told: bytes = await self._script(keys, [orjson.dumps(arguments)])
        except (RedisError, OSError, TimeoutError) as error:
            self._leave(error)
            return [None] * len(questions)
        full_us = iter(map(int, told.split()))
        return [
            Fullness(hint.asked_us, list(islice(full_us, len(takes))))
            for takes, hint in zip(questions, hints, strict=True)
        ]

    def _is_away(self) -> bool:
        return self._monotonic() < self._away_until

    def _leave(self, error: Exception) -> None:
        if not self._is_away():  # of many that fail at once, one tells
            _log.warning("limits are not counted in redis: %s", type(error).__name__)
            self._on_fallback()
        self._away_until = self._monotonic() + PAUSE_SECONDS


def _key(take: Take) -> str:
    return f"limits:{take.key}"


# Answers, for each bucket, how far away its full state was before: the caller reckons from there.
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
