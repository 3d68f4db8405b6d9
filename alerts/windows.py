"""Windows: the times that a rule looks at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from alerts.rules import (
    DAY_SECONDS,
    Absence,
    Baseline,
    Change,
    Threshold,
    Trigger,
    Watch,
)
from analytics.intervals import Interval
from analytics.periods import Range
from storage.times import HOUR, full_hour

# The rules of a project, and those of the platform, look at so many times at most: a tick reads a
# statement for each.
SPANS_OF_PROJECT_AT_MOST = 20
SPANS_OF_PLATFORM_AT_MOST = 50
# Minutes are stored for this long: what begins or ends earlier does so on a full hour, so that no
# events are read for the edges.
MINUTES_STORED = timedelta(days=2)
# How long the buckets are whose sums are played back or drawn, and when they are counted from.
STEPS = {
    Interval.MINUTE: timedelta(minutes=1),
    Interval.HOUR: timedelta(hours=1),
    Interval.DAY: timedelta(days=1),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BACK = {Baseline.DAY_EARLIER: DAY_SECONDS, Baseline.WEEK_EARLIER: 7 * DAY_SECONDS}


def window_of(watch: Watch, now: datetime) -> Range:
    """Returns the window that ends now: at least as long as the rule says, from a full minute."""
    return Range(_start(now - timedelta(seconds=watch.window_seconds), now), now, rolling=True)


def baseline_of(watch: Watch, now: datetime) -> Range | None:
    """Returns the earlier time that a rule compares with, or None.

    A rule of absence with groups looks there for the groups that there should be.
    """
    compared = watch.comparison
    if isinstance(compared, Threshold):
        return None
    window = window_of(watch, now)
    if isinstance(compared, Absence):
        return _before(window, watch.window_seconds, now) if watch.group_by else None
    seconds = compared.baseline_seconds or watch.window_seconds
    if compared.baseline is Baseline.BEFORE:
        return _before(window, seconds, now)
    back = timedelta(seconds=_BACK[compared.baseline])
    start, end = _start(window.start - back, now), window.end - back
    if compared.baseline_seconds is not None:
        start = _start(end - timedelta(seconds=seconds), now)
    return Range(start, _end(end, now), rolling=True)


def _before(window: Range, seconds: int, now: datetime) -> Range:
    start = _start(window.start - timedelta(seconds=seconds), now)
    return Range(start, window.start, rolling=True)


def _start(moment: datetime, now: datetime) -> datetime:
    if now - moment > MINUTES_STORED:
        return full_hour(moment)
    return moment.replace(second=0, microsecond=0)


def _end(moment: datetime, now: datetime) -> datetime:
    hour = full_hour(moment)
    return hour + HOUR if now - moment > MINUTES_STORED and moment > hour else moment


def spans_at_most(project_id: int | None) -> int:
    """At how many times the rules of a project, or of the platform, may look."""
    return SPANS_OF_PLATFORM_AT_MOST if project_id is None else SPANS_OF_PROJECT_AT_MOST


def spans_of(triggers: Iterable[Trigger | None]) -> set[tuple[object, ...]]:
    """The times that rules with these triggers look at."""
    return {span_of(each) for each in triggers if isinstance(each, Watch)}


def span_of(watch: Watch) -> tuple[object, ...]:
    """Returns what tells the times that a rule looks at from those of others, with its fact."""
    fact, compared = watch.measure.split(".")[0], watch.comparison
    if isinstance(compared, Change):
        return fact, watch.window_seconds, compared.baseline, compared.baseline_seconds
    looks_back = isinstance(compared, Absence) and watch.group_by
    return fact, watch.window_seconds, Baseline.BEFORE if looks_back else None, None
