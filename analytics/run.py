"""Run: many slices in, their answers out, all of one state of the data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from analytics.answer import Answer
from analytics.compile import statement
from analytics.kept import Entry, KeptAnswers, decoded
from analytics.merge import Batch, batches, with_equal_extras
from analytics.plan import Horizon, Plan, check_interval, make_plan
from analytics.reading import nothing, numbers_of, read_answer, seen_at
from analytics.shapes import parameters, shape_of
from analytics.slices import Slice
from analytics.state import OneState
from storage.cache import Source
from storage.database import Database
from storage.errors import GatewayError
from storage.query import Fetch, Query
from storage.versions import Numbers, Tags, version_text
from storage.windows import Retention

_BEGINNING = datetime.min.replace(tzinfo=UTC)

_Found = dict[Slice, Answer | GatewayError]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one statement has answered, and the versions of the data it saw."""

    answers: Mapping[Slice, Answer]
    versions: Mapping[Tags, str]
    as_of: datetime


class Analytics:
    """Answers slices. Without kept answers every one is read from the database."""

    def __init__(
        self,
        database: Database,
        kept: KeptAnswers | None,
        retention: Retention,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._kept = kept
        self._retention = retention
        self._clock = clock
        self._flights: dict[Batch, asyncio.Future[_Part]] = {}

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
                entries = await self._kept.find(questions) if self._kept else {}
                if not state.needs_snapshot:
                    found = await self._without_snapshot(questions, entries, state)
                    if found is not None:
                        return found
                return await self._in_snapshot(questions, entries, state)
            except GatewayError as error:
                return dict.fromkeys(questions, error)

    async def _without_snapshot(
        self, questions: Sequence[Slice], entries: Mapping[Slice, Entry], state: OneState
    ) -> _Found | None:
        """What is of one state by itself: all of it kept, or all of it read by one statement."""
        current: dict[Slice, Entry] = {}
        if self._kept is not None and entries:
            tags = {question.tags() for question in entries}
            moment = await self._kept.versions.of(tags | state.versions.keys())
            current = _current(entries, moment.versions)
            same = all(moment.versions[tag] == seen for tag, seen in state.versions.items())
            if len(current) == len(questions) and same:
                state.note({tag: moment.versions[tag] for tag in tags}, moment.as_of)
                return await self._of_kept(current, moment.as_of)
        if current or state.versions:
            return None
        alone = batches(questions)
        return await self._alone(alone[0], state) if len(alone) == 1 else None

    async def _alone(self, batch: Batch, state: OneState) -> _Found:
        """The batch read by one statement, which those share who ask for it meanwhile."""
        if self._kept is None:
            part = await self._part(batch, self._database.fetch)
        else:
            flight = self._flights.get(batch)
            if flight is None:
                flight = asyncio.ensure_future(self._part(batch, self._database.fetch))
                self._flights[batch] = flight
                flight.add_done_callback(lambda _done: self._flights.pop(batch, None))
            # Whoever leaves spoils it for nobody.
            part = await asyncio.shield(flight)
        state.note(part.versions, part.as_of)
        return {**part.answers}

    async def _part(self, batch: Batch, fetch: Fetch) -> _Part:
        """The answers of a batch, which are kept, and the versions its statement saw."""
        answer, numbers = await self._run(batch.question, fetch)
        answers = batch.split(answer)
        versions = {} if numbers is None else _versions(batch, numbers)
        if self._kept is not None:
            self._kept.count(hits=0, misses=len(answers))
            if versions:
                self._kept.keep(answers, versions)
        return _Part(answers, versions, answer.as_of)

    async def _in_snapshot(
        self, questions: Sequence[Slice], entries: Mapping[Slice, Entry], state: OneState
    ) -> _Found:
        """Kept answers that are those of the snapshot, and the others read in it."""
        moment = await state.look({question.tags() for question in entries})
        found: _Found = {}
        if moment is not None and (current := _current(entries, moment.versions)):
            found |= await self._of_kept(current, moment.as_of)
        for batch in batches([each for each in questions if each not in found]):
            try:
                found |= (await self._part(batch, state.fetch)).answers
            except GatewayError as error:
                found |= dict.fromkeys(batch.members, error)
        return found

    async def _of_kept(self, entries: Mapping[Slice, Entry], as_of: datetime) -> _Found:
        assert self._kept is not None
        self._kept.count(hits=len(entries), misses=0)
        kept_from, now = self._kept_from(), self._clock()
        age_seconds = max(0.0, (now - as_of).total_seconds())
        return {
            question: replace(
                seen_at(question, answer, as_of, kept_from),
                kept=Source.HIT,
                age_seconds=age_seconds,
            )
            for question, answer in (await decoded(entries.items())).items()
        }

    def _kept_from(self) -> datetime:
        return self._retention.floors(self._clock()).day or _BEGINNING

    async def _run(self, question: Slice, fetch: Fetch) -> tuple[Answer, Numbers | None]:
        """The answer, and its data's counters as the statement saw them, if there was one."""
        now = self._clock()
        horizon = Horizon.at(self._retention, now)
        reading = _reading(question, horizon)
        if reading.query is None:
            return nothing(question, reading.plan, now, self._kept_from()), None
        rows = await fetch(reading.query, **reading.parameters)
        return read_answer(question, reading.plan, rows, self._kept_from()), numbers_of(rows)


def _current(entries: Mapping[Slice, Entry], versions: Mapping[Tags, str]) -> dict[Slice, Entry]:
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
