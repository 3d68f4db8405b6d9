"""Judges a deployment by what is watched: the window after it against the same hours before."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import accumulate

from analytics.answer import Answer
from analytics.components import Components, count
from analytics.significance import (
    ALPHA,
    BASELINE_DAYS,
    LEAST_DAYS,
    History,
    RateChange,
    RateTest,
    Sample,
    compare,
    days_of,
)
from analytics.watched import Subject, Watched, Windowed, Windows
from storage.facts.fact import Histogram
from storage.times import HOUR

# A share of calls: those above this share of the baseline's are slow.
SLOW_FROM = 0.9
# A comparison passes if this many times the expected events would have failed it, or these events.
DETECTABLE_RATIO = 5
DETECTABLE_EVENTS = 20


class Outcome(StrEnum):
    """The result of a comparison, or of all of them."""

    PASS = "pass"  # noqa: S105 - a word, not a secret
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    PENDING = "pending"


class Reason(StrEnum):
    """Why a comparison has its outcome."""

    WORSE = "worse"
    NOT_WORSE = "not_worse"
    TOO_FEW_DAYS = "too_few_days"
    TOO_FEW_EVENTS = "too_few_events"
    NO_TRAFFIC = "no_traffic"
    WORSE_BEFORE = "worse_before"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The window after a deployment against the same hours of the days before.

    The p-value of the change is adjusted for the number of comparisons made. ``threshold_ms`` is
    the duration above which a call is slow.
    """

    subject: Subject
    outcome: Outcome
    reason: Reason
    change: RateChange
    detectable: int | None  # the fewest events that would have failed it
    threshold_ms: float | None

    after = property(lambda self: self.change.after)
    baseline = property(lambda self: self.change.baseline)
    days = property(lambda self: self.change.days)
    expected = property(lambda self: self.change.expected)
    p_value = property(lambda self: self.change.p_value)


@dataclass(frozen=True, slots=True)
class Counted:
    """What the slices of one comparison say."""

    watched: Watched
    before: Sample
    after: Sample
    history: History
    threshold_ms: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there has never been anything to compare."""
        samples = (self.before, self.after, *(sample for day in self.history for sample in day))
        if self.watched.trials is None:
            return not any(sample.events for sample in samples)
        return not any(sample.exposure for sample in samples)


def first_hour(history: Answer) -> datetime | None:
    """Returns the start of the first hour with any row."""
    cells = zip(history.buckets, history.per_bucket(), strict=True)
    return next((bucket.start for bucket, cell in cells if any(cell.counts)), None)


def counted(
    watched: Watched, answers: Windowed[Answer], windows: Windows, since: datetime | None
) -> Counted:
    """Counts events and exposures; the history begins with the first full day after ``since``."""
    cells, start = answers.history.per_bucket(), answers.history.buckets[0].start
    missing = len(cells) if since is None else max(0, (since - start) // HOUR)
    days = days_of(cells[missing:], windows.block // HOUR)
    slow_from = _slow_from(watched, (cell for day in days[:BASELINE_DAYS] for cell in day[0]))
    read = partial(_sample, watched, slow_from)
    length, hours = windows.after.length / HOUR, windows.block / HOUR
    return Counted(
        watched,
        read([answers.before.total], length),
        read([answers.after.total], length),
        [[read(cells, hours) for cells in blocks] for blocks in days],
        _shape(watched).lower_bound_us(slow_from) / 1000 if slow_from else None,
    )


def _sample(watched: Watched, slow_from: int, cells: Sequence[Components], hours: float) -> Sample:
    fact = watched.fact.name
    if watched.events is None:
        whole = _histogram(cells)
        return Sample(sum(whole[slow_from:]), sum(whole))
    events = sum(count(cell, watched.events, fact) for cell in cells)
    if watched.trials is None:
        return Sample(events, hours)
    return Sample(events, sum(count(cell, watched.trials, fact) for cell in cells))


def _slow_from(watched: Watched, baseline: Iterable[Components]) -> int:
    """The first bucket of slow durations; 0 for what is not watched by durations."""
    if watched.events is not None:
        return 0
    cumulative = list(accumulate(_histogram(baseline))) or [0]
    return 1 + bisect_left(cumulative, SLOW_FROM * cumulative[-1])


def _histogram(cells: Iterable[Components]) -> list[int]:
    filled = [cell.histogram for cell in cells if cell.histogram]
    return [sum(column) for column in zip(*filled, strict=True)]


def _shape(watched: Watched) -> Histogram:
    assert watched.fact.timing is not None
    return watched.fact.timing.histogram


def compared(all_counted: Iterable[Counted]) -> list[Comparison]:
    """Compares all that has any data; the probability of a false alarm in any is at most ALPHA."""
    with_data = [each for each in all_counted if not each.is_empty]
    tests = [RateTest(each.history) for each in with_data]
    changes = compare(zip((each.after for each in with_data), tests, strict=True))
    level = ALPHA / max(1, len(tests))
    return [_judged(*each, level) for each in zip(with_data, tests, changes, strict=True)]


def _judged(each: Counted, test: RateTest, change: RateChange, level: float) -> Comparison:
    exposure, enough = change.after.exposure, change.days >= LEAST_DAYS
    detectable = test.critical(exposure, level) if enough and exposure else None
    outcome, reason = Outcome.INCONCLUSIVE, Reason.TOO_FEW_EVENTS
    if not enough:
        reason = Reason.TOO_FEW_DAYS
    elif detectable is None:
        reason = Reason.NO_TRAFFIC
    elif change.is_rise:
        if test.change(each.before).is_rise:
            reason = Reason.WORSE_BEFORE
        else:
            outcome, reason = Outcome.FAIL, Reason.WORSE
    elif detectable <= _most_unseen(each.watched, change):
        outcome, reason = Outcome.PASS, Reason.NOT_WORSE
    return Comparison(each.watched.subject, outcome, reason, change, detectable, each.threshold_ms)


def _most_unseen(watched: Watched, change: RateChange) -> float:
    """The most events that a comparison may overlook and pass nevertheless."""
    tolerated = watched.tolerated * change.after.exposure
    least = DETECTABLE_EVENTS if watched.trials is None else tolerated
    return max(DETECTABLE_RATIO * change.expected, least)


def overall(comparisons: Sequence[Comparison]) -> Outcome:
    """Returns FAIL if any failed, PASS if all passed, else INCONCLUSIVE."""
    outcomes = {comparison.outcome for comparison in comparisons}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.PASS if outcomes == {Outcome.PASS} else Outcome.INCONCLUSIVE
