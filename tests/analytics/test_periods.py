"""Ranges: rolling, calendar, compared; always half-open and aware."""

from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.periods import (
    CalendarUnit,
    Comparison,
    Duration,
    Range,
    between,
    calendar,
    calendar_now,
    previous,
    rolling,
)
from storage.errors import InvalidInput

NEW_YORK = "America/New_York"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_rolling_range_ends_with_the_current_minute() -> None:
    span = rolling(Duration.parse("PT1H"), utc(2026, 5, 1, 10, 20, 30))
    assert span == between(utc(2026, 5, 1, 9, 21), utc(2026, 5, 1, 10, 21))


def test_rolling_range_on_the_minute_ends_there() -> None:
    assert rolling(Duration.parse("PT1H"), utc(2026, 5, 1, 10)).end == utc(2026, 5, 1, 10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P30D", Duration(days=30)),
        ("P2W", Duration(days=14)),
        ("P1Y2M", Duration(months=14)),
        ("PT1M", Duration(time=timedelta(minutes=1))),
        ("P1DT12H", Duration(days=1, time=timedelta(hours=12))),
        ("PT0.5S", Duration(time=timedelta(seconds=0.5))),
    ],
)
def test_durations_are_read(text: str, expected: Duration) -> None:
    assert Duration.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "1D", "P-1D", "P0D", "P1D ", "P1.5D", "P1DT"]
)
def test_bad_durations_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["P9999Y", "P999999D"])
def test_durations_beyond_the_calendar_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        rolling(Duration.parse(text), utc(2026, 5, 1))


def test_days_are_counted_on_the_wall_clock() -> None:
    now = utc(2026, 3, 9, 16)  # noon in New York, a day after its clocks went forward
    assert rolling(Duration.parse("P2D"), now, NEW_YORK).start == utc(2026, 3, 7, 17)
    assert rolling(Duration.parse("PT48H"), now, NEW_YORK).start == utc(2026, 3, 7, 16)


def test_month_before_the_31st_is_the_last_of_the_month() -> None:
    assert rolling(Duration.parse("P1M"), utc(2026, 3, 31)).start == utc(2026, 2, 28)


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        (CalendarUnit.DAY, utc(2026, 11, 1, 4), utc(2026, 11, 2, 5)),  # 25 hours
        (CalendarUnit.WEEK, utc(2026, 10, 26, 4), utc(2026, 11, 2, 5)),
        (CalendarUnit.MONTH, utc(2026, 11, 1, 4), utc(2026, 12, 1, 5)),
        (CalendarUnit.QUARTER, utc(2026, 10, 1, 4), utc(2027, 1, 1, 5)),
        (CalendarUnit.YEAR, utc(2026, 1, 1, 5), utc(2027, 1, 1, 5)),
    ],
)
def test_calendar_ranges_are_local(unit: CalendarUnit, start: datetime, end: datetime) -> None:
    assert calendar(unit, NEW_YORK, on=date(2026, 11, 1)) == between(start, end)


def test_calendar_range_counts_from_the_current_one() -> None:
    now = utc(2026, 1, 1, 3)  # still December in New York
    assert calendar_now(CalendarUnit.MONTH, NEW_YORK, now).start == utc(2025, 12, 1, 5)
    assert calendar_now(CalendarUnit.MONTH, NEW_YORK, now, offset=-10).start == utc(2025, 2, 1, 5)
    assert calendar_now(CalendarUnit.WEEK, "UTC", now, offset=1).start == utc(2026, 1, 5)


def test_midnight_that_a_zone_skips_is_the_moment_after() -> None:
    day = calendar(CalendarUnit.DAY, "Africa/Cairo", on=date(2026, 4, 24))
    assert day == between(utc(2026, 4, 23, 22), utc(2026, 4, 24, 21))


def test_previous_period_has_the_same_length() -> None:
    span = between(utc(2026, 5, 10), utc(2026, 5, 17))
    assert previous(span, Comparison.PREVIOUS_PERIOD) == between(utc(2026, 5, 3), utc(2026, 5, 10))


def test_previous_period_of_a_month_is_the_month_before() -> None:
    march = calendar(CalendarUnit.MONTH, "UTC", on=date(2026, 3, 9))
    february = previous(march, Comparison.PREVIOUS_PERIOD, "UTC")
    assert february == between(utc(2026, 2, 1), utc(2026, 3, 1))
    assert previous(february, Comparison.PREVIOUS_PERIOD, "UTC").start == utc(2026, 1, 1)


def test_previous_year_keeps_the_wall_clock() -> None:
    span = between(utc(2026, 3, 10, 4), utc(2026, 3, 11, 4))  # midnight in New York, in summer
    before = previous(span, Comparison.PREVIOUS_YEAR, NEW_YORK)
    assert before == between(utc(2025, 3, 10, 4), utc(2025, 3, 11, 4))
    assert previous(span, Comparison.PREVIOUS_WEEK, NEW_YORK).start == utc(2026, 3, 3, 5)


def test_previous_month_of_the_last_days_is_never_empty() -> None:
    span = between(utc(2026, 3, 30), utc(2026, 3, 31))
    before = previous(span, Comparison.PREVIOUS_MONTH)
    assert before == between(utc(2026, 2, 28), utc(2026, 3, 1))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (utc(2026, 1, 2), utc(2026, 1, 1)),
        (utc(2026, 1, 1), utc(2026, 1, 1)),
        (datetime(2026, 1, 1), utc(2026, 1, 2)),  # noqa: DTZ001
        (utc(1950, 1, 1), utc(1980, 1, 1)),
        (utc(2000, 1, 1), utc(2026, 1, 2)),
    ],
    ids=["backward", "empty", "naive", "before the epoch", "too long"],
)
def test_impossible_ranges_are_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(InvalidInput):
        Range(start, end)
