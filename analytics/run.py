"""Run: many slices in, their answers out, all of one state of the data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from analytics.answer import Answer
from analytics.answer_cache import AnswerCache, CachedAnswer, decode
from analytics.compile import statement, together
from analytics.merge import Batch, batches, with_equal_extras
from analytics.plan import Horizon, SlicePlan, check_interval, make_plan
from analytics.reading import Row, apart, nothing, numbers_of, read_answer, seen_at
from analytics.shapes import Shape, parameters, shape_of
from analytics.slices import Slice
from analytics.state import OneState
from storage.cache import CacheStatus
from storage.connections.database import Database
from storage.connections.query import Fetch
from storage.errors import GatewayError, Unavailable
from storage.feed.versions import Numbers, Tags, version_text
from storage.keeping.windows import Retention

# So many statements are sent as one. Each set of them is planned anew on each connection, so only
# whole documents, which come again, are worth it.
MAX_TOGETHER = 3

_BEGINNING = datetime.min.replace(tzinfo=UTC)

_Found = dict[Slice, Answer | GatewayError]


@dataclass(slots=True)
class _Read:
    """What one statement has answered, and the versions of the data it saw."""

    found: _Found
    versions: dict[Tags, str]
    as_of: datetime


class Analytics:
    """Answers slices. Without kept answers every one is read from the database."""

    def __init__(
        self,
        database: Database,
        cache: AnswerCache | None,
        retention: Retention,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._cache = cache
        self._retention = retention
        self._clock = clock
        self._flights: dict[tuple[Batch, ...], asyncio.Future[_Read]] = {}

    def state(self, *, optimistic: bool = False) -> OneState:
        """For one operation, whose batches of questions all have answers of one state."""
        return OneState(self._database, optimistic=optimistic)

    async def run_many(self, questions: Sequence[Slice]) -> list[Answer]:
        """The answers in the order asked, of one state; the first failure is raised."""
        state = self.state(optimistic=True)  # one batch alone cannot see the data move
        try:
            answers = []
            for answer in await self.run_each(questions, state):
                if isinstance(answer, GatewayError):
                    raise answer
                answers.append(answer)
            return answers
        finally:
            state.release()

    async def run_each(
        self, questions: Sequence[Slice], state: OneState
    ) -> list[Answer | GatewayError]:
        """The answers in the order asked; a failure takes the place of its own answer alone."""
        now = self._clock()
        refused: dict[Slice, GatewayError] = {}
        for question in dict.fromkeys(questions):
            try:
                check_interval(question, self._retention, now)
            except GatewayError as error:
                refused[question] = error
        asked = with_equal_extras(each for each in questions if each not in refused)
        found = await self._find(list(dict.fromkeys(asked.values())), state)
        return [refused[each] if each in refused else found[asked[each]] for each in questions]

    async def _find(self, questions: Sequence[Slice], state: OneState) -> _Found:
        if not questions:
            return {}
        async with state.turn:
            try:
                entries = await self._cache.find(questions) if self._cache else {}
                if not state.needs_snapshot:
                    found = await self._without_snapshot(questions, entries, state)
                    if found is not None:
                        return found
                return await self._in_snapshot(questions, entries, state)
            except GatewayError as error:
                return dict.fromkeys(questions, error)

    async def _without_snapshot(
        self, questions: Sequence[Slice], entries: Mapping[Slice, CachedAnswer], state: OneState
    ) -> _Found | None:
        """What is of one state by itself: all of it kept, or all of it read by one statement."""
        current: dict[Slice, CachedAnswer] = {}
        if self._cache is not None and entries:
            tags = {question.tags() for question in entries}
            moment = await self._cache.versions.of(tags | state.versions.keys())
            current = _current(entries, moment.versions)
            same = all(moment.versions[tag] == seen for tag, seen in state.versions.items())
            if len(current) == len(questions) and same:
                state.note({tag: moment.versions[tag] for tag in tags}, moment.as_of)
                return await self._from_cache(current, moment.as_of)
        parts = tuple(batches(questions))
        if current or state.versions or not _fit_together(parts):
            return None
        try:
            read = await self._shared(parts)
        except GatewayError as error:
            if len(parts) == 1 or isinstance(error, Unavailable):
                raise
            return None  # one of them fails: in a snapshot it takes none of the others with it
        state.note(read.versions, read.as_of)
        return {**read.found}

    async def _shared(self, parts: tuple[Batch, ...]) -> _Read:
        """Read by one statement, which those share who ask the same meanwhile."""
        if self._cache is None:
            return await self._read(parts, self._database.fetch)
        flight = self._flights.get(parts)
        if flight is None:
            flight = asyncio.ensure_future(self._read(parts, self._database.fetch))
            self._flights[parts] = flight
            flight.add_done_callback(partial(self._landed, parts))
        # Whoever leaves spoils it for nobody.
        return await asyncio.shield(flight)

    def _landed(self, parts: tuple[Batch, ...], flight: asyncio.Future[_Read]) -> None:
        self._flights.pop(parts, None)
        if not flight.cancelled():
            flight.exception()  # asyncio need not complain of it where all have left

    async def _read(self, parts: Sequence[Batch], fetch: Fetch) -> _Read:
        """The answers of all parts by one statement; those that it could give are kept."""
        now = self._clock()
        horizon, retained_from = Horizon.at(self._retention, now), self._retained_from()
        readings = [_reading(part.question, horizon) for part in parts]
        rows = await _rows(readings, fetch)
        read = _Read({}, {}, now)
        for part, reading, found in zip(parts, readings, rows, strict=True):
            if found is None:
                answer = nothing(part.question, reading.plan, now, retained_from)
                read.found.update(part.split(answer))
                continue
            try:
                answer = read_answer(part.question, reading.plan, found, retained_from)
            except GatewayError as error:
                read.found.update(dict.fromkeys(part.members, error))
                continue
            answers, versions = part.split(answer), _versions(part, numbers_of(found))
            read.found.update(answers)
            read.versions.update(versions)
            read.as_of = answer.as_of
            if self._cache is not None:
                self._cache.store(answers, versions)
        if self._cache is not None:
            self._cache.count(hits=0, misses=len(read.found))
        return read

    async def _in_snapshot(
        self, questions: Sequence[Slice], entries: Mapping[Slice, CachedAnswer], state: OneState
    ) -> _Found:
        """Kept answers that are those of the snapshot, and the others read in it."""
        moment = await state.look({question.tags() for question in entries})
        found: _Found = {}
        if moment is not None and (current := _current(entries, moment.versions)):
            found |= await self._from_cache(current, moment.as_of)
        for part in batches([each for each in questions if each not in found]):
            try:
                found |= (await self._read([part], state.fetch)).found
            except GatewayError as error:
                found |= dict.fromkeys(part.members, error)
        return found

    async def _from_cache(self, entries: Mapping[Slice, CachedAnswer], as_of: datetime) -> _Found:
        assert self._cache is not None
        self._cache.count(hits=len(entries), misses=0)
        retained_from, now = self._retained_from(), self._clock()
        age_seconds = max(0.0, (now - as_of).total_seconds())
        return {
            question: replace(
                seen_at(question, answer, as_of, retained_from),
                cache=CacheStatus.HIT,
                age_seconds=age_seconds,
            )
            for question, answer in (await decode(entries.items())).items()
        }

    def _retained_from(self) -> datetime:
        return self._retention.floors(self._clock()).day or _BEGINNING


def _fit_together(parts: Sequence[Batch]) -> bool:
    """Whether one statement can answer all: it has the columns of one fact."""
    return len(parts) <= MAX_TOGETHER and len({part.question.fact for part in parts}) == 1


async def _rows(readings: Sequence[_Reading], fetch: Fetch) -> list[Sequence[Row] | None]:
    """What the statement of all readings gives for each; None for those that read nothing."""
    asked = [reading for reading in readings if reading.shape is not None]
    if len(asked) > 1:
        query = together(tuple(reading.shape for reading in asked if reading.shape is not None))
        given = {str(number): reading.parameters for number, reading in enumerate(asked)}
        found = iter(apart(await fetch(query, **given), len(asked)))
    else:
        found = iter(
            [await fetch(statement(one.shape), **one.parameters) for one in asked if one.shape]
        )
    return [None if reading.shape is None else next(found) for reading in readings]


def _current(
    entries: Mapping[Slice, CachedAnswer], versions: Mapping[Tags, str]
) -> dict[Slice, CachedAnswer]:
    """Those of the entries whose data is still what it was."""
    return {
        question: entry
        for question, entry in entries.items()
        if versions[question.tags()] == entry.version
    }


def _versions(batch: Batch, numbers: Numbers) -> dict[Tags, str]:
    """The version of each member's data, from the numbers of all of them."""
    return {
        tags: version_text(numbers, tags.project_ids)
        for tags in {member.tags() for member in batch.members}
    }


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a slice is read; there is no shape where nothing can match."""

    plan: SlicePlan
    shape: Shape | None
    parameters: Mapping[str, Any]


# A dashboard asks the same slices anew whenever their data changes.
@lru_cache(maxsize=256)
def _reading(question: Slice, horizon: Horizon) -> _Reading:
    plan = make_plan(question, horizon)
    if question.is_empty or not plan.counts:
        return _Reading(plan, None, {})
    shape = shape_of(question, plan)
    return _Reading(plan, shape, parameters(question, plan, shape))
