"""Runs many slices at once; all answers of an operation are of one state of the data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from analytics.answer import Answer
from analytics.answer_cache import AnswerCache, CachedAnswer, decode
from analytics.compile import statement, together
from analytics.merge import Batch, batches, with_equal_extras
from analytics.plan import Horizon, SlicePlan, check_interval, make_plan
from analytics.reading import Row, empty_answer, numbers_of, read_answer, rows_by_slice, seen_at
from analytics.shapes import Shape, parameters, shape_of
from analytics.slices import Slice
from analytics.state import OneState
from storage.cache import CacheStatus
from storage.connections.database import Database
from storage.connections.query import Fetch
from storage.errors import GatewayError, Unavailable
from storage.facts.fact import Floors
from storage.feed.versions import Numbers, Tags, version_text
from storage.keeping.windows import Retention

# At most so many batches are sent as one statement. Each connection plans each combination anew,
# which pays only for whole documents that are sent again and again.
MAX_TOGETHER = 3

_Results = dict[Slice, Answer | GatewayError]


@dataclass(slots=True)
class _Read:
    """The results of one statement, and the versions of the data it read."""

    results: _Results
    versions: dict[Tags, str]
    as_of: datetime


class Analytics:
    """Answers slices from the cache or the database; without a cache, from the database only."""

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
        self._running: dict[tuple[Batch, ...], asyncio.Future[_Read]] = {}

    def state(self, *, optimistic: bool = False) -> OneState:
        """Returns the state that all answers of one operation share."""
        return OneState(self._database, optimistic=optimistic)

    @property
    def floors(self) -> Floors:
        """The earliest buckets that are still stored."""
        return self._horizon().floors

    async def run_each(
        self, questions: Sequence[Slice], state: OneState
    ) -> list[Answer | GatewayError]:
        """Returns an answer or an error for each slice, in order."""
        horizon = self._horizon()
        refused: _Results = {}
        for question in dict.fromkeys(questions):
            try:
                check_interval(question, horizon)
            except GatewayError as error:
                refused[question] = error
        extended = with_equal_extras(question for question in questions if question not in refused)
        results = await self._run(list(dict.fromkeys(extended.values())), state)
        return [
            refused[question] if question in refused else results[extended[question]]
            for question in questions
        ]

    async def _run(self, questions: Sequence[Slice], state: OneState) -> _Results:
        if not questions:
            return {}
        async with state.turn:
            try:
                entries = await self._cache.find(questions) if self._cache else {}
                if not state.needs_snapshot:
                    results = await self._without_snapshot(questions, entries, state)
                    if results is not None:
                        return results
                return await self._in_snapshot(questions, entries, state)
            except GatewayError as error:
                return dict.fromkeys(questions, error)

    async def _without_snapshot(
        self, questions: Sequence[Slice], entries: Mapping[Slice, CachedAnswer], state: OneState
    ) -> _Results | None:
        """Returns results that are of one state without a snapshot, or None.

        They are when all come from the cache at one version, or all from one statement.
        """
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
            read = await self._read_shared(parts)
        except GatewayError as error:
            if len(parts) == 1 or isinstance(error, Unavailable):
                raise
            return None  # in a snapshot each batch is a statement, and fails alone
        state.note(read.versions, read.as_of)
        return {**read.results}

    async def _read_shared(self, parts: tuple[Batch, ...]) -> _Read:
        """Reads batches by one statement; concurrent callers with equal ones share a result."""
        if self._cache is None:
            return await self._read(parts, self._database.fetch)
        running = self._running.get(parts)
        if running is None:
            running = asyncio.ensure_future(self._read(parts, self._database.fetch))
            self._running[parts] = running
            running.add_done_callback(partial(self._finish, parts))
        return await asyncio.shield(running)  # a cancelled caller leaves it to the others

    def _finish(self, parts: tuple[Batch, ...], running: asyncio.Future[_Read]) -> None:
        self._running.pop(parts, None)
        if not running.cancelled():
            running.exception()  # keeps asyncio from logging it if all callers were cancelled

    async def _read(self, parts: Sequence[Batch], fetch: Fetch) -> _Read:
        """Reads batches by one statement, and stores their answers in the cache."""
        now, horizon = self._clock(), self._horizon()
        readings = [_reading(part.question, horizon) for part in parts]
        read = _Read({}, {}, now)
        for part, reading, rows in zip(parts, readings, await _rows(readings, fetch), strict=True):
            if rows is None:
                answer = empty_answer(part.question, reading.plan, now, horizon.days)
                read.results.update(part.split(answer))
                continue
            try:
                answer = read_answer(part.question, reading.plan, rows, horizon.days)
            except GatewayError as error:
                read.results.update(dict.fromkeys(part.members, error))
                continue
            answers, versions = part.split(answer), _versions(part, numbers_of(rows))
            read.results.update(answers)
            read.versions.update(versions)
            read.as_of = answer.as_of
            if self._cache is not None:
                self._cache.store(answers, versions)
        if self._cache is not None:
            self._cache.count(hits=0, misses=len(read.results))
        return read

    async def _in_snapshot(
        self, questions: Sequence[Slice], entries: Mapping[Slice, CachedAnswer], state: OneState
    ) -> _Results:
        """Uses the cached answers that are current in the snapshot, and reads the others there."""
        moment = await state.look({question.tags() for question in entries})
        results: _Results = {}
        if moment is not None and (current := _current(entries, moment.versions)):
            results |= await self._from_cache(current, moment.as_of)
        for part in batches([question for question in questions if question not in results]):
            try:
                results |= (await self._read([part], state.fetch)).results
            except GatewayError as error:
                results |= dict.fromkeys(part.members, error)
        return results

    async def _from_cache(self, entries: Mapping[Slice, CachedAnswer], as_of: datetime) -> _Results:
        assert self._cache is not None
        self._cache.count(hits=len(entries), misses=0)
        stored_days, now = self._horizon().days, self._clock()
        age_seconds = max(0.0, (now - as_of).total_seconds())
        return {
            question: replace(
                seen_at(question, answer, as_of, stored_days),
                cache=CacheStatus.HIT,
                age_seconds=age_seconds,
            )
            for question, answer in (await decode(entries.items())).items()
        }

    def _horizon(self) -> Horizon:
        return Horizon.at(self._retention, self._clock())


def _fit_together(parts: Sequence[Batch]) -> bool:
    """Whether one statement can answer all batches: they are few, and of one fact."""
    return len(parts) <= MAX_TOGETHER and len({part.question.fact for part in parts}) == 1


async def _rows(readings: Sequence[_Reading], fetch: Fetch) -> list[Sequence[Row] | None]:
    """Runs one statement; returns each reading's rows, None for one without a statement."""
    shapes = tuple(reading.shape for reading in readings if reading.shape is not None)
    values = [reading.parameters for reading in readings if reading.shape is not None]
    rows: Sequence[Sequence[Row]] = ()
    if len(shapes) == 1:
        rows = [await fetch(statement(shapes[0]), **values[0])]
    elif shapes:
        numbered = {str(number): given for number, given in enumerate(values)}
        rows = rows_by_slice(await fetch(together(shapes), **numbered), len(shapes))
    found = iter(rows)
    return [None if reading.shape is None else next(found) for reading in readings]


def _current(
    entries: Mapping[Slice, CachedAnswer], versions: Mapping[Tags, str]
) -> dict[Slice, CachedAnswer]:
    """Returns the entries whose data has not changed."""
    return {
        question: entry
        for question, entry in entries.items()
        if versions[question.tags()] == entry.version
    }


def _versions(batch: Batch, numbers: Numbers) -> dict[Tags, str]:
    """Returns the data version of each member, from the counters read for the batch."""
    return {
        tags: version_text(numbers, tags.project_ids)
        for tags in {member.tags() for member in batch.members}
    }


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a slice is read; without a shape if nothing can match."""

    plan: SlicePlan
    shape: Shape | None
    parameters: Mapping[str, Any]


# A dashboard sends the same slices again whenever their data changes.
@lru_cache(maxsize=256)
def _reading(question: Slice, horizon: Horizon) -> _Reading:
    plan = make_plan(question, horizon)
    if question.is_empty or not plan.counts:
        return _Reading(plan, None, {})
    shape = shape_of(question, plan)
    return _Reading(plan, shape, parameters(question, plan, shape))
