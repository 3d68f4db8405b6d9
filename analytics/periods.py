"""Periods: half-open ranges of time, rolling, by calendar, and compared with earlier ones."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from analytics.zones import from_local, local, midnight
from storage.errors import InvalidInput

_Day = TypeVar("_Day", date, datetime)
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
# The longest range.
MAX_YEARS = 20


class CalendarUnit(StrEnum):
    """The units of calendar ranges, in the caller's zone. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Comparison(StrEnum):
    """The earlier range that a range is compared with."""

    PREVIOUS_PERIOD = "previous_period"
    PREVIOUS_WEEK = "previous_week"
    PREVIOUS_MONTH = "previous_month"
    PREVIOUS_YEAR = "previous_year"


@dataclass(frozen=True, slots=True)
class Range:
    """From ``start`` up to, not including, ``end``.

    ``unit`` is the calendar unit (``count`` of them) or the duration it was made from, if any. A
    ``rolling`` range ends with the current minute; rates divide by all of its days, as if it were
    over.
    """

    start: datetime
    end: datetime
    unit: CalendarUnit | Duration | None = field(default=None, compare=False)
    rolling: bool = False
    count: int = field(default=1, compare=False)

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise InvalidInput("A time needs a zone or an offset, such as 2026-01-31T00:00:00Z.")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))
        if self.start >= self.end:
            raise InvalidInput(
                f"The range ends at {self.end.isoformat()}, which is not after its start, "
                f"{self.start.isoformat()}."
            )
        if self.start < _EARLIEST or self.end > _LATEST:
            raise InvalidInput("A range must lie between the years 1970 and 2200.")
        if self.length > timedelta(days=366 * MAX_YEARS):
            raise InvalidInput(f"A range spans at most {MAX_YEARS} years: ask for a shorter one.")

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Duration:
    """An ISO 8601 duration: calendar months and days, then exact time."""

    months: int = 0
    days: int = 0
    time: timedelta = timedelta()

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Parses P30D, PT24H, P1W, P1Y6M, P1DT12H; only seconds may have a fraction."""
        match = _DURATION.fullmatch(text)
        if match is None or text.endswith(("P", "T")):
            raise InvalidInput(f"{text[:64]!r} is not an ISO 8601 duration such as P30D or PT24H.")
        years, months, weeks, days, hours, minutes = (int(part or 0) for part in match.groups()[:6])
        seconds = float(match.group(7) or 0)
        time = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        duration = cls(12 * years + months, 7 * weeks + days, time)
        if duration == cls():
            raise InvalidInput(f"{text[:64]!r} is an empty duration: give at least one second.")
        return duration

    @classmethod
    def of_seconds(cls, seconds: int) -> Duration:
        """Returns a duration of whole days and the rest of the seconds."""
        days, rest = divmod(seconds, _DAY // timedelta(seconds=1))
        return cls(days=days, time=timedelta(seconds=rest))

    @property
    def exact_seconds(self) -> float | None:
        """The length, with days of 24 hours; None with months, whose length varies."""
        return None if self.months else (self.days * _DAY + self.time).total_seconds()

    def __str__(self) -> str:
        """Writes the shortest ISO 8601 text, such as P7D or PT1H30M."""
        seconds = self.time // timedelta(microseconds=1) / 1_000_000
        hours, rest = divmod(seconds, 3600)
        minutes, rest = divmod(rest, 60)
        day = "".join(f"{n}{unit}" for n, unit in ((self.months, "M"), (self.days, "D")) if n)
        clock = "".join(
            f"{n:.10g}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if n
        )
        return f"P{day}T{clock}" if clock else f"P{day}"

    def before(self, instant: datetime, zone: str) -> datetime:
        """Returns the instant this duration earlier, by the wall clock of ``zone``."""
        if not self.months and not self.days:
            return instant - self.time
        days = timedelta(days=self.days)
        wall = _add_months(local(instant, zone).replace(tzinfo=None), -self.months)
        before = from_local(wall - days, zone)
        # A time on a day the zone skipped moves to the next day, perhaps that of ``instant``.
        return (before if before < instant else instant - days) - self.time


_DURATION = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?"
)


def _add_months(day: _Day, months: int) -> _Day:
    """Returns the same day of another month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9998:
        raise InvalidInput("The range reaches beyond the calendar.")
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def rolling(duration: Duration, now: datetime, zone: str = "UTC") -> Range:
    """Returns the range of this duration that ends with the current minute.

    Raises InvalidInput or OverflowError if it begins before the calendar does.
    """
    end = _end_of_minute(now)
    return Range(duration.before(end, zone), end, duration, rolling=True)


def _end_of_minute(instant: datetime) -> datetime:
    seconds = timedelta(seconds=instant.second, microseconds=instant.microsecond)
    return instant - seconds + _MINUTE if seconds else instant


def calendar(unit: CalendarUnit, zone: str, *, on: date, count: int = 1) -> Range:
    """Returns ``count`` calendar units, the last of which contains the day ``on`` in the zone.

    Raises InvalidInput or OverflowError for a day that does not exist, or a range too long.
    """
    if count < 1:
        raise InvalidInput(f"A range has at least one {unit}, not {count}.")
    if unit is CalendarUnit.DAY and _is_skipped(on, zone):
        raise InvalidInput(
            f"There was no {on} in {zone}: its clocks skipped that day. Ask for another day."
        )
    last = first_day(unit, on)
    first, end = step(unit, last, 1 - count), midnight(step(unit, last, 1), zone)
    if unit is CalendarUnit.DAY:
        # Days that the zone skipped do not count.
        first -= timedelta(days=count - round((end - midnight(first, zone)) / _DAY))
    return Range(midnight(first, zone), end, unit, count=count)


def _is_skipped(day: date, zone: str) -> bool:
    """Whether a zone moved across the date line over the whole of this day."""
    return midnight(day, zone) == midnight(day + timedelta(days=1), zone)


def calendar_now(
    unit: CalendarUnit, zone: str, now: datetime, *, offset: int = 0, count: int = 1
) -> Range:
    """Returns ``count`` calendar units that end with the current one.

    Instead of the current one, they end with the one ``offset`` units away: -1 is the previous.
    Raises InvalidInput or OverflowError for a range beyond the calendar.
    """
    first = first_day(unit, local(now, zone).date())
    return _calendar_away(unit, zone, first, offset, count)


def _calendar_away(unit: CalendarUnit, zone: str, first: date, offset: int, count: int) -> Range:
    """Returns units that end ``offset`` units away, or one further if the zone skipped that day."""
    on = step(unit, first, offset)
    if unit is CalendarUnit.DAY and _is_skipped(on, zone):
        on = step(unit, on, 1 if offset > 0 else -1)
    return calendar(unit, zone, on=on, count=count)


def first_day(unit: CalendarUnit, day: date) -> date:
    """Returns the first day of the unit that holds this day."""
    match unit:
        case CalendarUnit.DAY:
            return day
        case CalendarUnit.WEEK:
            return day - timedelta(days=day.weekday())
        case CalendarUnit.MONTH:
            return day.replace(day=1)
        case CalendarUnit.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case CalendarUnit.YEAR:
            return day.replace(month=1, day=1)


_MONTHS = {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3, CalendarUnit.YEAR: 12}
_DAYS = {CalendarUnit.DAY: 1, CalendarUnit.WEEK: 7}


def step(unit: CalendarUnit, first: date, count: int) -> date:
    """Returns the first day of the unit ``count`` units later."""
    if unit in _DAYS:
        return first + timedelta(days=_DAYS[unit] * count)
    return _add_months(first, _MONTHS[unit] * count)


def previous(
    span: Range, comparison: Comparison, zone: str = "UTC", *, now: datetime | None = None
) -> Range:
    """Returns the earlier range that ``span`` is compared with.

    If ``span`` still runs at ``now``, that is the same elapsed part of the earlier range, up to
    the full minute. Without ``now`` it is the whole earlier range.
    """
    whole = _whole_previous(span, comparison, zone)
    if now is None or span.rolling or not span.start < now < span.end:
        return whole
    until = _end_of_minute(now)
    end = _elapsed(until, _back(span, whole, comparison, zone), zone)
    if end <= whole.start:  # a change of the clock lies between
        end = whole.start + (until - span.start)
    return replace(whole, end=end) if end < whole.end else whole


def _whole_previous(span: Range, comparison: Comparison, zone: str) -> Range:
    if comparison is not Comparison.PREVIOUS_PERIOD:
        return _earlier(span, _BACK[comparison], zone)
    match span.unit:
        case CalendarUnit():
            first = local(span.start, zone).date()
            return _calendar_away(span.unit, zone, first, -1, span.count)
        case Duration():
            return Range(span.unit.before(span.start, zone), span.start, span.unit)
        case None:
            return Range(span.start - span.length, span.start)


def _earlier(span: Range, back: Duration, zone: str) -> Range:
    start, end = back.before(span.start, zone), back.before(span.end, zone)
    # Both 30 and 31 March are 28 February a month ago: then the range keeps its length.
    return Range(start, end if end > start else start + span.length, span.unit)


def _back(span: Range, earlier: Range, comparison: Comparison, zone: str) -> Duration:
    """Returns how far back the earlier range lies."""
    if comparison is not Comparison.PREVIOUS_PERIOD:
        return _BACK[comparison]
    if not isinstance(span.unit, CalendarUnit):
        return Duration(time=span.length)
    if span.unit in _MONTHS:
        return Duration(months=_MONTHS[span.unit] * span.count)
    return Duration(days=(local(span.start, zone).date() - local(earlier.start, zone).date()).days)


def _elapsed(now: datetime, back: Duration, zone: str) -> datetime:
    """Returns the moment so far back, by the wall clock of ``zone``.

    In a month too short for that day it is the month's end: all of it had elapsed.
    """
    if not back.months and not back.days:
        return now - back.time
    wall = local(now, zone).replace(tzinfo=None)
    earlier = _add_months(wall, -back.months)
    if earlier.day != wall.day:
        return midnight(earlier.date() + _DAY, zone)
    return from_local(earlier - timedelta(days=back.days), zone)


_BACK = {
    Comparison.PREVIOUS_WEEK: Duration(days=7),
    Comparison.PREVIOUS_MONTH: Duration(months=1),
    Comparison.PREVIOUS_YEAR: Duration(months=12),
}
