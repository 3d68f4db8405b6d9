"""What happened in a range, for back-tests of rules on events: as far as what is stored can say.

Deployments, builds, and the first and last times of errors are rows with their times. Occurrences
of errors are counted by the hour; failed invocations by the minute, farther back by the hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from alerts.back_test import LONGEST, NOTHING_STORED, TOO_LONG
from alerts.checking import FACT_OF
from alerts.event_replay import EventReplay
from alerts.happenings import (
    CRITICAL,
    RUNNING_WITHIN,
    Happening,
    Place,
    functions_failed,
    of_error,
    places_by_error,
    places_of,
    run_failed,
    run_slow,
    slugs_of,
    spread,
)
from alerts.replay import BackTest
from alerts.rules import EventKind, OnEvent
from analytics.periods import Range
from storage.dictionaries import Dictionaries
from storage.dimensions import SEVERITY
from storage.errors import InvalidInput
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Entity, Floors, Keep
from storage.queries.past_events import Past
from storage.times import HOUR, full_hour

# The most rows of a kind that are read, the newest.
ROWS_AT_MOST = 20_000
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
_BY_HOUR = {EventKind.ERROR_CRITICAL, EventKind.ERROR_REACHED, EventKind.ERROR_SPREAD}
_OF_ERRORS = {each for each in EventKind if FACT_OF[each] is ERROR_OCCURRENCES}
_NOTES: Mapping[EventKind, str] = {
    EventKind.ERROR_REGRESSED: "Of each error only the last regression is stored: earlier ones "
    "are left out.",
    EventKind.ERROR_CRITICAL: "Occurrences are stored by the hour: an error fires from the start "
    "of the hour, unless it was first seen later.",
    EventKind.ERROR_REACHED: "Occurrences are stored by the hour: an error fires from the start of "
    "the hour in which the number was reached.",
    EventKind.ERROR_SPREAD: "Occurrences are stored by the hour: projects that had it in the same "
    "full hour are counted together.",
}
_MERGED = "Errors that were merged since count as the one that they are part of."


@dataclass(frozen=True, slots=True)
class EventPlan:
    """The part of a range that is stored, and how exactly it is known when something happened."""

    on: OnEvent
    range: Range
    step: timedelta


def plan_events(on: OnEvent, span: Range, floors: Floors, now: datetime) -> EventPlan:
    """Plans a back-test of a rule on events; raises InvalidInput if nothing is stored of it."""
    if span.length > LONGEST:
        raise InvalidInput(TOO_LONG, path="range")
    step, floor, start = SECOND, floors.day, span.start
    if on.event is EventKind.FUNCTION_FAILED:
        step, floor = MINUTE, floors.minute
    if on.event in _BY_HOUR or (step is MINUTE and floor is not None and start < floor):
        step, floor = HOUR, floors.fine
    start = start if floor is None else max(start, floor)
    if step is not SECOND:
        start += -(start - full_hour(start)) % step
    if start >= (end := min(span.end, now)):
        raise InvalidInput(NOTHING_STORED, path="range")
    return EventPlan(on, Range(start, end), step)


def replay_events(made: EventPlan, happenings: Sequence[Happening], cut: datetime) -> BackTest:
    """Returns what the rule would have done from ``cut``, from when on all was read.

    Raises InvalidInput if all that was read is later.
    """
    on, end = made.on, made.range.end
    if cut >= end:
        raise InvalidInput(
            f"More than {ROWS_AT_MOST:,} are stored since then: ask for a later range.",
            path="range",
        )
    span = Range(max(made.range.start, cut), end)
    replay = EventReplay(on)
    replay.play((each for each in happenings if span.start <= each.at_for(on) < span.end), span.end)
    notes = [_NOTES[on.event]] if on.event in _NOTES else []
    if made.step is HOUR and on.event is EventKind.FUNCTION_FAILED:
        notes.append("So far back failed invocations are stored by the hour.")
    if on.event in _OF_ERRORS:
        notes.append(_MERGED)
    if cut > made.range.start:
        notes.append(f"Of more than {ROWS_AT_MOST:,} only the newest were looked at.")
    return replay.back_test(span, made.step, replay.left_out, notes)


@dataclass(frozen=True, slots=True)
class PastReader:
    """Reads what happened in the range of a plan."""

    stored: Past
    dictionaries: Dictionaries
    made: EventPlan

    async def read(self) -> tuple[list[Happening], datetime]:
        """Returns what happened, and the earliest time from which all of it was read."""
        on, kind = self.made.on, self.made.on.event
        match kind:
            case EventKind.DEPLOYMENT_FAILED | EventKind.BUILD_FAILED:
                return await self._failed(_entity(kind))
            case EventKind.DEPLOYMENT_SLOW:
                return await self._slow(timedelta(seconds=on.after_seconds or 0))
            case EventKind.FUNCTION_FAILED:
                return await self._functions()
            case EventKind.ERROR_NEW:
                return await self._errors(kind, "first_at")
            case EventKind.ERROR_REGRESSED:
                return await self._errors(kind, "regressed_at")
            case EventKind.ERROR_CRITICAL:
                return await self._critical()
            case EventKind.ERROR_REACHED:
                return await self._reached(on.count or 1)
            case EventKind.ERROR_SPREAD:
                return await self._spread(on.count or 2)

    def _cut(self, rows: Sequence[Any], column: str, after: timedelta = timedelta()) -> datetime:
        """Where there may be more that were not read, the time after the earliest of the rows.

        Of that one only a part may have been read. What rows say happened so long after their time.
        """
        if len(rows) < ROWS_AT_MOST:
            return self.made.range.start
        earliest: datetime = min(row[column] for row in rows)
        return earliest + self.made.step + after

    async def _failed(self, fact: Entity) -> tuple[list[Happening], datetime]:
        rows = await self.stored.failed(fact)
        slugs = await slugs_of(self.dictionaries, rows)
        return [run_failed(fact, row, slugs) for row in rows], self._cut(rows, "finished_at")

    async def _slow(self, after: timedelta) -> tuple[list[Happening], datetime]:
        rows = await self.stored.slow(after, self.made.range.start - after - RUNNING_WITHIN)
        slugs = await slugs_of(self.dictionaries, rows)
        found = []
        for row in rows:
            began, ended = row["began_at"], row["finished_at"]
            took = (ended or self.made.range.end) - began
            found.append(run_slow(row, began, ended, took, slugs))
        return found, self._cut(rows, "began_at", after)

    async def _functions(self) -> tuple[list[Happening], datetime]:
        keep = Keep.MINUTE if self.made.step is MINUTE else Keep.FINE
        rows = await self.stored.failing_functions(keep)
        found = await functions_failed(self.dictionaries, rows, itemgetter("last_at"))
        if self.made.step is HOUR:
            found = [replace(each, until=each.at + HOUR) for each in found]
        return found, self._cut(rows, "last_at")

    async def _errors(self, kind: EventKind, column: str) -> tuple[list[Happening], datetime]:
        rows = await self.stored.errors(column)
        keys = [(row["project_id"], row["error_id"], full_hour(row[column])) for row in rows]
        where = await places_by_error(self.dictionaries, await self.stored.places(keys))
        slugs = await slugs_of(self.dictionaries, rows)
        found = [
            of_error(kind, row, (where[_key(row)], slugs[row["project_id"]]), row[column])
            for row in rows
        ]
        return found, self._cut(rows, column)

    async def _critical(self) -> tuple[list[Happening], datetime]:
        ids = await self.dictionaries.ids(SEVERITY, ["critical"])
        found = await self.stored.critical_hours(list(ids.values()))
        rows = [{**row, "severity": CRITICAL} for row in found]
        return await self._by_hour(EventKind.ERROR_CRITICAL, rows), self._cut(rows, "bucket")

    async def _reached(self, count: int) -> tuple[list[Happening], datetime]:
        rows = await self.stored.hours_of_frequent(count)
        found = await self._by_hour(EventKind.ERROR_REACHED, rows)
        return found, self._cut(rows, "bucket")

    async def _by_hour(self, kind: EventKind, rows: Sequence[Any]) -> list[Happening]:
        """What happened to errors in each hour."""
        named = await places_of(self.dictionaries, ERROR_OCCURRENCES.dimensions, rows)
        slugs = await slugs_of(self.dictionaries, rows)
        errors: dict[Any, _Hours] = defaultdict(dict)
        for row, place in zip(rows, named, strict=True):
            errors[_key(row)].setdefault(row["bucket"], []).append((row, place))
        return [
            happening
            for key, hours in errors.items()
            for happening in _of_hours(kind, hours, slugs[key[0]], self.made.on.count)
        ]

    async def _spread(self, count: int) -> tuple[list[Happening], datetime]:
        rows = await self.stored.spread(count)
        found = await spread(self.dictionaries, rows, "bucket", HOUR)
        return found, self._cut(rows, "bucket")


_Hours = dict[datetime, list[tuple[Any, Place]]]


def _of_hours(kind: EventKind, hours: _Hours, slug: str, least: int | None) -> Iterator[Happening]:
    """What happened to an error in the hours in which it occurred.

    How often it had occurred by then is what it has now without what came later, as older hours may
    be gone. Nothing is new of one that had occurred often enough before.
    """
    rows = [row for parts in hours.values() for row, _ in parts]
    number = rows[0]["occurrences"] - sum(row["number"] for row in rows)
    if least is not None and number >= least:
        return
    for hour in sorted(hours):
        parts = hours[hour]
        row, places = parts[0][0], [place for _, place in parts]
        number += sum(row["number"] for row, _ in parts)
        at = max(hour, row["first_at"])
        until = max(at, min(hour + HOUR, row["last_at"]))
        yield of_error(kind, row, (places, slug), at, until=until, number=number)


def _key(row: Any) -> tuple[int, Any]:
    return row["project_id"], row["error_id"]


def _entity(kind: EventKind) -> Entity:
    fact = FACT_OF[kind]
    assert isinstance(fact, Entity)
    return fact
