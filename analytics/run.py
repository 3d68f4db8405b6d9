"""Run: many slices in, their answers out, from the cache or by as few statements as possible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from analytics.answer import Answer
from analytics.compile import statement
from analytics.merge import Batch, batches, with_equal_extras
from analytics.plan import Horizon, Plan, check_interval, make_plan
from analytics.reading import nothing, read_answer
from analytics.shapes import parameters, shape_of
from analytics.slices import Slice
from storage.cache import Cache, Kept, Source, Wanted
from storage.database import Database, Query
from storage.errors import GatewayError, InvalidInput, LimitExceeded
from storage.windows import Retention

# To write or read so much takes about a millisecond.
LARGE_BYTES = 64 * 1024

_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Analytics:
    """Answers slices. Without a cache every answer is read from the database."""

    def __init__(
        self,
        database: Database,
        cache: Cache | None,
        retention: Retention,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._cache = cache
        self._retention = retention
        self._clock = clock

    async def run_many(self, questions: Sequence[Slice]) -> list[Answer]:
        """The answers in the order asked; the first failure is raised."""
        answers = []
        for answer in await self.run_each(questions):
            if isinstance(answer, GatewayError):
                raise answer
            answers.append(answer)
        return answers

    async def run_each(self, questions: Sequence[Slice]) -> list[Answer | GatewayError]:
        """Like run_many, but a failure takes the place of its own answer and of no other."""
        now = self._clock()
        refused: dict[Slice, GatewayError] = {}
        for question in dict.fromkeys(questions):
            try:
                check_interval(question, self._retention, now)
            except GatewayError as error:
                refused[question] = error
        asked = with_equal_extras(each for each in questions if each not in refused)
        wanted = list(dict.fromkeys(asked.values()))
        found = await self._find(wanted, now)
        return [refused[each] if each in refused else found[asked[each]] for each in questions]

    async def _find(
        self, questions: Sequence[Slice], now: datetime
    ) -> dict[Slice, Answer | GatewayError]:
        if self._cache is None:
            return await self._compute(questions, now)
        computed: dict[Slice, Answer | GatewayError] = {}
        try:
            return {**await self._through(self._cache, questions, computed)}
        except (InvalidInput, LimitExceeded):
            # One of them cannot be answered: find out which, without the others suffering.
            left = [question for question in questions if question not in computed]
            return computed | await self._compute(left, now)
        except GatewayError as error:
            return dict.fromkeys(questions, error)

    async def _through(
        self,
        cache: Cache,
        questions: Sequence[Slice],
        computed: dict[Slice, Answer | GatewayError],
    ) -> dict[Slice, Answer]:
        """Ask the cache, which asks back for what it has not; that is put into `computed`."""
        now = self._clock()
        by_key = {question.key(): question for question in questions}

        async def load(missing: Sequence[Wanted]) -> list[bytes]:
            some = [by_key[each.key] for each in missing]
            computed.update(await self._compute(some, self._clock()))
            return [await _encoded(computed[question]) for question in some]

        wanted = [
            Wanted(key, question.tags(), open=question.range.end > now)
            for key, question in by_key.items()
        ]
        kept = await cache.through(wanted, load)
        return {
            question: replace(
                await _decoded(one, computed.get(question)),
                kept=one.source,
                age_seconds=one.age_seconds,
            )
            for question, one in zip(by_key.values(), kept, strict=True)
        }

    async def _compute(
        self, questions: Sequence[Slice], now: datetime
    ) -> dict[Slice, Answer | GatewayError]:
        """Merge, run all statements at once, and split."""
        plans = batches(questions)
        if len(plans) == 1:
            return await self._answer(plans[0], now)
        answers = await asyncio.gather(*(self._answer(batch, now) for batch in plans))
        return {question: answer for each in answers for question, answer in each.items()}

    async def _answer(self, batch: Batch, now: datetime) -> dict[Slice, Answer | GatewayError]:
        try:
            return {**batch.split(await self._run(batch.question, now))}
        except GatewayError as error:
            return dict.fromkeys(batch.members, error)

    async def _run(self, question: Slice, now: datetime) -> Answer:
        horizon = Horizon.at(self._retention, now)
        kept_from = horizon.floors.day or _BEGINNING
        reading = _reading(question, horizon)
        if reading.query is None:
            return nothing(question, reading.plan, now, kept_from)
        rows = await self._database.fetch(reading.query, **reading.parameters)
        return read_answer(question, reading.plan, rows, kept_from)


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a slice is read; there is no query where nothing can match."""

    plan: Plan
    query: Query | None
    parameters: Mapping[str, Any]


# A dashboard asks the same slices anew whenever their data changes.
@lru_cache(maxsize=256)
def _reading(question: Slice, horizon: Horizon) -> _Reading:
    plan = make_plan(question, horizon)
    if question.is_empty or not plan.counts:
        return _Reading(plan, None, {})
    shape = shape_of(question, plan)
    return _Reading(plan, statement(shape), parameters(question, plan, shape))


async def _encoded(answer: Answer | GatewayError) -> bytes:
    if isinstance(answer, GatewayError):
        raise answer
    body = answer.to_bytes()
    await _give_way(body)
    return body


async def _decoded(one: Kept, computed: Answer | GatewayError | None) -> Answer:
    """The answer of these bytes; one that was computed just now is not read again."""
    if one.source is Source.MISS and isinstance(computed, Answer):
        return computed
    await _give_way(one.body)
    return Answer.from_bytes(one.body)


async def _give_way(body: bytes) -> None:
    """Let others have their turn between two answers that take milliseconds each."""
    if len(body) > LARGE_BYTES:
        await asyncio.sleep(0)
