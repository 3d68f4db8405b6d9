"""Intervals: cut a range into buckets at the full minutes, hours, days, … of a zone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache, partial

from analytics.periods import CalendarUnit, Range, first_day, step
from analytics.zones import from_local, local, midnight, zone_info
from storage.errors import LimitExceeded
from storage.facts.fact import Floors


class Interval(StrEnum):
    """The length of a series' buckets; AUTO chooses one for the range."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    AUTO = "auto"


# The most points of a series: a day of minutes, a month of hours, a year of days.
MAX_POINTS = {
    Interval.MINUTE: 1_500,
    Interval.HOUR: 800,
    Interval.DAY: 400,
    Interval.WEEK: 400,
    Interval.MONTH: 400,
}

# AUTO chooses the shortest interval by which a range has at most so many points.
AUTO_POINTS = 180
_CLOCK_CHANGE = timedelta(hours=2)
# The longest range of each.
_AUTO = (
    (Interval.MINUTE, AUTO_POINTS * timedelta(minutes=1)),
    (Interval.HOUR, AUTO_POINTS * timedelta(hours=1)),
    (Interval.DAY, AUTO_POINTS * timedelta(days=1) + _CLOCK_CHANGE),
    (Interval.WEEK, AUTO_POINTS * timedelta(weeks=1) + _CLOCK_CHANGE),
)
_ALL_STORED = Floors(None, None, None)


def chosen(interval: Interval, span: Range, floors: Floors = _ALL_STORED) -> Interval:
    """Returns the interval, or the one AUTO stands for: of those whose buckets are stored."""
    if interval is not Interval.AUTO:
        return interval
    return automatic(span.length, _gone(span.start, floors))


def automatic(length: timedelta, gone: Collection[Interval] = ()) -> Interval:
    """Returns the interval that AUTO chooses for a range of this length, but none of ``gone``."""
    fitting = (each for each, longest in _AUTO if length <= longest and each not in gone)
    return next(fitting, Interval.MONTH)


def _gone(start: datetime, floors: Floors) -> Collection[Interval]:
    """The intervals whose buckets are no longer stored for a range that begins there."""
    if floors.fine is not None and start < floors.fine:
        return (Interval.MINUTE, Interval.HOUR)
    if floors.minute is not None and start < floors.minute:
        return (Interval.MINUTE,)
    return ()


@lru_cache(maxsize=512)
def edges(span: Range, interval: Interval, zone: str) -> tuple[datetime, ...]:
    """Returns the starts of a range's buckets and the end of the last one.

    Raises LimitExceeded for too many buckets.
    """
    interval = chosen(interval, span)
    most = MAX_POINTS[interval]
    cuts = [span.start]
    for cut in _CUTS[interval](span.start, zone):
        if cut >= span.end:
            return (*cuts, span.end)
        if cut <= cuts[-1]:  # a day the zone skipped starts with the next day
            continue
        if len(cuts) == most:
            break
        cuts.append(cut)
    raise LimitExceeded(
        f"A series by {interval} has at most {most:,} points: ask for a shorter range or a "
        "longer interval.",
        limit=f"points per series by {interval}: {most}",
        path="interval",
    )


def _midnights(unit: CalendarUnit, start: datetime, zone: str) -> Iterator[datetime]:
    day = first_day(unit, local(start, zone).date())
    while True:
        day = step(unit, day, 1)
        yield midnight(day, zone)


def _clock(width: int, start: datetime, zone: str) -> Iterator[datetime]:
    """Cuts at the full hours or minutes of a wall clock, ``width`` in seconds.

    A change of the clock ends the current bucket, so that none is longer than its name says.
    """
    info, at = zone_info(zone), start
    while True:
        wall = at.astimezone(info)
        seconds = wall.minute * 60 + wall.second + wall.microsecond / 1e6
        following = at + timedelta(seconds=width - seconds % width)
        # Compared just before the cut: a change exactly at the cut needs no further one.
        before = (following - timedelta(microseconds=1)).astimezone(info)
        changed = before.utcoffset() != wall.utcoffset()
        at = _change(at, following, zone) if changed else following
        yield at


def _change(start: datetime, end: datetime, zone: str) -> datetime:
    """Returns the instant between the two at which the zone's offset changes, to the second."""
    info = zone_info(zone)
    offset = start.astimezone(info).utcoffset()
    low, high = int(start.timestamp()), int(end.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, info).utcoffset() == offset
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)


_CUTS: dict[Interval, Callable[[datetime, str], Iterator[datetime]]] = {
    Interval.MINUTE: partial(_clock, 60),
    Interval.HOUR: partial(_clock, 3600),
    Interval.DAY: partial(_midnights, CalendarUnit.DAY),
    Interval.WEEK: partial(_midnights, CalendarUnit.WEEK),
    Interval.MONTH: partial(_midnights, CalendarUnit.MONTH),
}


def days_between(start: datetime, end: datetime, zone: str) -> float:
    """Returns a span's length in days: one per whole local day, and the rest in units of 24 hours.

    A local day runs from a time of day to the same time of the next, so it may have 23 or 25 hours.
    """
    elapsed = (end - start) / _DAY
    if zone == "UTC" or elapsed < _SHORTEST_DAY:
        return max(elapsed, 0.0)
    wall_start, wall_end = local(start, zone), local(end, zone)
    if _at(wall_start.date(), wall_end.time(), zone) == start:
        return float(round(elapsed))
    last = wall_end.date()
    while (cut := _at(last, wall_start.time(), zone)) > end:
        last -= timedelta(days=1)
    cut = max(cut, start)
    return round((cut - start) / _DAY) + min((end - cut) / _DAY, 1.0)


_DAY = timedelta(days=1)
# In days; no zone has had a local day of less than 17 hours.
_SHORTEST_DAY = 0.5


def _at(day: date, wall: time, zone: str) -> datetime:
    return from_local(datetime.combine(day, wall), zone)
