"""Back-tests: when a rule would have fired, by the same judgement and the same states as live.

Where minutes are stored it looks once a minute, as if the evaluator ran then; farther back once an
hour, over whole hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from access.scopes import Scope
from alerts.conditions import measure_of
from alerts.rules import Change, Watch
from alerts.windows import EPOCH, STEPS, baseline_of, window_of
from analytics.intervals import MAX_POINTS, Interval
from analytics.measures import Measure, MeasureKind
from analytics.periods import Range
from analytics.slices import Filter, Slice
from storage.dimensions import DIMENSIONS
from storage.errors import InvalidInput
from storage.facts.fact import Floors

LONGEST = timedelta(days=92)
TOO_LONG = f"A back-test spans at most {LONGEST.days} days."
NOTHING_STORED = "Nothing is stored of this range: ask for a later one, or a longer one."


@dataclass(frozen=True, slots=True)
class Plan:
    """The looks of a back-test, and the slices that they need."""

    watch: Watch
    looks: tuple[datetime, ...]
    step: timedelta
    slices: tuple[Slice, ...]
    notes: tuple[str, ...]

    @property
    def measure(self) -> Measure:
        return measure_of(self.watch)

    @property
    def origin(self) -> datetime:
        """The start of the first bucket."""
        return self.slices[0].range.start


def plan(
    watch: Watch, span: Range, scope: Scope, filter: Filter, *, floors: Floors, now: datetime
) -> Plan:
    """Plans a back-test over the part of a range whose data is still stored.

    Raises InvalidInput if there is none, and for a rule that cannot be tested so far back.
    """
    if span.length > LONGEST:
        raise InvalidInput(TOO_LONG, path="range")
    measure, end = measure_of(watch), min(span.end, now)
    if measure.kind is MeasureKind.DISTINCT:
        raise InvalidInput("Distinct projects cannot be added up over time.", path="measure")
    back = span.start - _first_needed(watch, span.start)
    interval = Interval.MINUTE if _reaches(floors.minute, span.start - back) else Interval.HOUR
    step, notes = STEPS[interval], _notes(watch, measure, interval)
    floor = floors.minute if interval is Interval.MINUTE else floors.fine
    start = span.start if floor is None else max(span.start, floor + _up(back, step))
    looks = tuple(_looks(start, end, step))
    if not looks:
        raise InvalidInput(NOTHING_STORED, path="range")
    first = _down(_first_needed(watch, looks[0]), step)
    question = Slice(
        measure.fact,
        scope,
        filter,
        Range(first, looks[-1]),
        None,
        group_by=tuple(DIMENSIONS[name] for name in watch.group_by),
        histogram=measure.needs_histogram,
    )
    longest = MAX_POINTS[interval] * step
    slices = tuple(
        replace(question, range=part, interval=interval) for part in _cut(question.range, longest)
    )
    return Plan(watch, looks, step, slices, notes)


def _first_needed(watch: Watch, look: datetime) -> datetime:
    """Where the data of a look begins."""
    baseline = baseline_of(watch, look)
    return min(each.start for each in (window_of(watch, look), baseline) if each is not None)


def _reaches(floor: datetime | None, start: datetime) -> bool:
    return floor is None or start >= floor


def _notes(watch: Watch, measure: Measure, interval: Interval) -> tuple[str, ...]:
    """Says what hours cannot show; raises InvalidInput where they would show what is not true."""
    if interval is Interval.MINUTE:
        return ()
    baseline = watch.comparison.baseline_seconds if isinstance(watch.comparison, Change) else None
    notes = ["So far back only whole hours are stored: it looks once an hour."]
    if any(seconds % 3_600 for seconds in (watch.window_seconds, baseline or 0)):
        if measure.additive:
            raise InvalidInput(
                "So far back only whole hours are stored, and counts of a window that is no whole "
                "number of hours cannot be tested: ask for a range within the last 48 hours.",
                path="range",
            )
        notes.append("Windows are widened to whole hours, so short peaks are evened out.")
    return tuple(notes)


def _looks(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    look = EPOCH + _up(start - EPOCH, step)
    while look <= end:
        yield look
        look += step


def _up(span: timedelta, step: timedelta) -> timedelta:
    """A span, rounded up to whole steps."""
    return -(-span // step) * step


def _down(moment: datetime, step: timedelta) -> datetime:
    return EPOCH + (moment - EPOCH) // step * step


def _cut(span: Range, longest: timedelta) -> Iterator[Range]:
    start = span.start
    while start < span.end:
        end = min(start + longest, span.end)
        yield Range(start, end)
        start = end
