"""Token buckets shared by all processes: in Redis, else in Postgres, else in this process alone.

The arithmetic is the generic cell rate algorithm (ITU-T I.371): of a bucket only the time is kept
at which it will be full again. Taking `cost` moves that time by `cost` steps, and is allowed while
it is at most `capacity` steps away. Everything is in whole microseconds. A time farther away than
that, of a limit that was changed or a clock that was set back, counts as an empty bucket.

Each process remembers when the buckets it took from will be full. Where the store of the others is
lost, that memory goes with the question, so the next store goes on where the last one stopped.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import BigInteger, Column, Table, Text

from storage.batches import Batches
from storage.database import Connection, Database
from storage.errors import GatewayError
from storage.metadata import metadata

SECOND_US = 1_000_000
# A store that failed is left alone for a while, so that its absence costs nobody a second wait.
PAUSE_SECONDS = 2.0
DATABASE_SECONDS = 1.0
# One after the other, as they would wait for the same rows anyway; if more wait, memory decides.
WAITING_AT_MOST = 200
REMEMBERED = 50_000
# A call to Redis costs this process more than all it asks: requests share one where they meet.
ASKED_TOGETHER = 100

_log = logging.getLogger(__name__)

rate_buckets = Table(
    "rate_buckets",
    metadata,
    Column("key", Text, primary_key=True),
    Column("full_at_us", BigInteger, nullable=False),
    prefixes=["unlogged"],
)


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


class Answer(NamedTuple):
    """How far away the full state of each bucket was, and by this process's clock when."""

    asked_us: int
    full_us: list[int]


class Memory:
    """What this process knows of the buckets; by itself a store for one process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._full_at_us: OrderedDict[str, int] = OrderedDict()

    def answer(self, takes: Sequence[Take]) -> Answer:
        """What is known here at this moment; a hint for a store, and the answer without one."""
        now_us = int(self._monotonic() * SECOND_US)
        full_us = [
            min(max(0, self._full_at_us.get(take.key, 0) - now_us), take.capacity * take.step_us)
            for take in takes
        ]
        return Answer(now_us, full_us)

    def remember(self, takes: Sequence[Take], known: Sequence[Level], asked_us: int) -> None:
        """Reckoned from when it was asked: an answer's way back must not put off the refill."""
        for take, level in zip(takes, known, strict=True):
            self._full_at_us[take.key] = asked_us + level.full_us
            self._full_at_us.move_to_end(take.key)
        while len(self._full_at_us) > REMEMBERED:
            self._full_at_us.popitem(last=False)


class Buckets:
    """Takes from several buckets at once, all or nothing, in the first store that answers."""

    def __init__(
        self,
        redis: Redis,
        database: Database,
        monotonic: Callable[[], float] = time.monotonic,
        on_fallback: Callable[[str], None] = lambda _store: None,
    ) -> None:
        self._memory = Memory(monotonic)
        self._monotonic = monotonic
        self._on_fallback = on_fallback
        self._redis = redis
        self._script: Any = redis.register_script(_SCRIPT)
        self._together = Batches(self._ask_redis_together, ASKED_TOGETHER)
        self._database = database
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._away_until = {"redis": 0.0, "postgres": 0.0}

    async def take(self, takes: Sequence[Take]) -> list[Level]:
        """Take from all or from none; each key once, and no cost above its capacity."""
        answer = (
            await self._ask_redis(takes)
            or await self._ask_database(takes)
            or self._memory.answer(takes)
        )
        known = levels(takes, answer.full_us)
        self._memory.remember(takes, known, answer.asked_us)
        return known

    async def close(self) -> None:
        await self._redis.aclose()

    async def _ask_redis(self, takes: Sequence[Take]) -> Answer | None:
        return None if self._is_away("redis") else await self._together.ask(takes)

    async def _ask_redis_together(
        self, questions: Sequence[Sequence[Take]]
    ) -> Sequence[Answer | None]:
        """One call for several requests, each of which is all or nothing by itself."""
        if self._is_away("redis"):  # since these began to wait
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
            self._leave("redis", error)
            return [None] * len(questions)
        full_us = iter(map(int, told.split()))
        return [
            Answer(hint.asked_us, list(islice(full_us, len(takes))))
            for takes, hint in zip(questions, hints, strict=True)
        ]

    async def _ask_database(self, takes: Sequence[Take]) -> Answer | None:
        if self._is_away("postgres") or self._waiting >= WAITING_AT_MOST:
            return None
        self._waiting += 1
        try:
            async with self._turn:
                return await self._ask_in_turn(takes)
        finally:
            self._waiting -= 1

    async def _ask_in_turn(self, takes: Sequence[Take]) -> Answer | None:
        if self._is_away("postgres"):  # since it was the turn of another
            return None
        hints = self._memory.answer(takes)  # others have taken while this one waited
        arguments = (
            [take.key for take in takes],
            [take.step_us for take in takes],
            [take.capacity for take in takes],
            [take.cost for take in takes],
            hints.full_us,
        )
        try:
            async with asyncio.timeout(DATABASE_SECONDS), self._database.transaction() as session:
                await session.execute(_MAKE_ROWS, sorted(arguments[0]))
                rows = await session.fetch(_TAKE, *arguments)
        except (GatewayError, OSError, TimeoutError) as error:
            self._leave("postgres", error)
            return None
        by_key = {row["key"]: int(row["full_us"]) for row in rows}
        return Answer(hints.asked_us, [by_key[take.key] for take in takes])

    def _is_away(self, store: str) -> bool:
        return self._monotonic() < self._away_until[store]

    def _leave(self, store: str, error: Exception) -> None:
        if not self._is_away(store):  # of many that fail at once, one tells
            _log.warning("limits are not counted in %s: %s", store, type(error).__name__)
            self._on_fallback(store)
        self._away_until[store] = self._monotonic() + PAUSE_SECONDS


async def forget_full(connection: Connection, now: datetime) -> None:
    """Delete what says no more than no row at all, but for what is being taken from."""
    await connection.execute(_FORGET, int(now.timestamp() * SECOND_US))


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

# Locks what is there already, so that it is not forgotten before it is taken from.
_MAKE_ROWS = """
insert into rate_buckets as kept (key, full_at_us)
select key, 0 from unnest($1::text[]) as given(key)
on conflict (key) do update set full_at_us = kept.full_at_us
"""

_FORGET = """
delete from rate_buckets where key in (
  select key from rate_buckets where full_at_us < $1 for update skip locked)
"""

_TAKE = """
with given as (
  select * from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    as given(key, step_us, capacity, cost, hint_us)),
locked as materialized (
  select key, full_at_us from rate_buckets where key in (select key from given)
  order by key for update),
clock as materialized (
  select (extract(epoch from clock_timestamp()) * 1000000)::bigint as now_us
  from (select count(*) from locked) as waited),
before as materialized (
  select key, step_us, capacity, cost, now_us,
    least(greatest(full_at_us - now_us, hint_us, 0), capacity::numeric * step_us)::bigint
      as full_us
  from locked join given using (key) cross join clock),
decided as materialized (
  select bool_and(full_us + cost * step_us <= capacity::numeric * step_us) as allowed from before),
taken as (
  update rate_buckets
  set full_at_us = now_us + full_us + case when allowed then cost * step_us else 0 end
  from before cross join decided
  where rate_buckets.key = before.key and (allowed or full_at_us > now_us + full_us))
select key, full_us from before
"""
