"""Buckets: cut by a zone's clock and calendar, also when the clock changes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.scopes import Scope
from analytics.intervals import AUTO_POINTS, MAX_POINTS, Interval, chosen, days_between, edges
from analytics.periods import Range
from analytics.plan import Horizon, check_interval
from analytics.slices import Filter, Slice
from analytics.zones import local, zone_info
from storage.errors import InvalidInput, LimitExceeded
from storage.keeping.windows import DEFAULT, Retention


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def lengths(start: datetime, end: datetime, interval: Interval, zone: str) -> list[timedelta]:
    cuts = edges(Range(start, end), interval, zone)
    return [right - left for left, right in pairwise(cuts)]


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(hours=1), Interval.MINUTE),
        (timedelta(hours=3), Interval.MINUTE),
        (timedelta(hours=3, minutes=1), Interval.HOUR),
        (timedelta(days=7, hours=1), Interval.HOUR),
        (timedelta(days=8), Interval.DAY),
        (timedelta(days=180, hours=1), Interval.DAY),
        (timedelta(days=181), Interval.WEEK),
        (timedelta(weeks=180), Interval.WEEK),
        (timedelta(weeks=181), Interval.MONTH),
    ],
)
def test_auto_follows_the_range(length: timedelta, expected: Interval) -> None:
    span = Range(utc(2020, 1, 1), utc(2020, 1, 1) + length)
    assert chosen(Interval.AUTO, span) is expected
    cuts = edges(span, Interval.AUTO, "Europe/Berlin")
    assert len(cuts) - 1 <= AUTO_POINTS + 2


@pytest.mark.parametrize(
    ("length", "age", "kept", "expected"),
    [
        (timedelta(hours=1), timedelta(days=2), DEFAULT, Interval.MINUTE),
        (timedelta(hours=1), timedelta(days=3), DEFAULT, Interval.HOUR),
        (timedelta(days=7), timedelta(days=90), DEFAULT, Interval.HOUR),
        (timedelta(days=7), timedelta(days=91), DEFAULT, Interval.DAY),
        (timedelta(hours=1), timedelta(days=400), DEFAULT, Interval.DAY),
        (timedelta(days=5), timedelta(days=45), Retention(fine_days=30), Interval.DAY),
        (timedelta(days=5), timedelta(days=400), Retention(fine_days=0), Interval.HOUR),
        (timedelta(hours=1), timedelta(hours=40), Retention(minute_hours=12), Interval.HOUR),
        (timedelta(hours=1), timedelta(days=3), Retention(minute_hours=96), Interval.MINUTE),
        (timedelta(hours=1), timedelta(days=3), Retention(fine_days=2), Interval.DAY),
        (timedelta(hours=1), timedelta(days=9), Retention(minute_hours=0), Interval.MINUTE),
    ],
)
def test_auto_takes_what_is_stored_of_an_old_range(
    length: timedelta, age: timedelta, kept: Retention, expected: Interval
) -> None:
    start = utc(2026, 1, 1)
    span = Range(start, start + length)
    assert chosen(Interval.AUTO, span, kept.floors(start + age)) is expected


@given(
    length=st.timedeltas(timedelta(minutes=1), timedelta(days=400)),
    age=st.timedeltas(timedelta(0), timedelta(days=400)),
    kept=st.builds(Retention, fine_days=st.integers(0, 400), minute_hours=st.integers(0, 24 * 400)),
)
def test_what_auto_chooses_is_never_refused(
    length: timedelta, age: timedelta, kept: Retention
) -> None:
    start = utc(2026, 1, 1)
    now, span = start + age, Range(start, start + length)
    interval = chosen(Interval.AUTO, span, kept.floors(now))
    asked = Slice("deployment", Scope.everything(), Filter(), span, interval)
    check_interval(asked, Horizon.at(kept, now))


def test_first_and_last_bucket_are_ragged() -> None:
    cuts = edges(Range(utc(2026, 5, 1, 22), utc(2026, 5, 3, 1)), Interval.DAY, "UTC")
    assert cuts == (utc(2026, 5, 1, 22), utc(2026, 5, 2), utc(2026, 5, 3), utc(2026, 5, 3, 1))


@pytest.mark.parametrize(
    ("day", "hours"),
    [(utc(2026, 3, 8, 5), 23), (utc(2026, 11, 1, 4), 25), (utc(2026, 5, 1, 4), 24)],
)
def test_day_is_as_long_as_the_clocks_make_it(day: datetime, hours: int) -> None:
    zone = "America/New_York"
    assert lengths(day, day + timedelta(hours=hours), Interval.DAY, zone) == [
        timedelta(hours=hours)
    ]
    assert len(lengths(day, day + timedelta(hours=hours), Interval.HOUR, zone)) == hours


def test_hours_of_a_half_hour_zone_begin_on_its_own_hour() -> None:
    cuts = edges(Range(utc(2026, 5, 1), utc(2026, 5, 1, 3)), Interval.HOUR, "Asia/Kolkata")
    assert [cut.minute for cut in cuts] == [0, 30, 30, 30, 0]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (utc(2026, 4, 4, 14), [60, 30, 60]),  # back by half an hour at 15:00
        (utc(2026, 10, 3, 14, 30), [60, 30, 60]),  # forward by half an hour at 15:30
    ],
)
def test_half_hour_clock_change_ends_the_running_hour(start: datetime, expected: list[int]) -> None:
    end = start + timedelta(minutes=sum(expected))
    minutes = [timedelta(minutes=length) for length in expected]
    assert lengths(start, end, Interval.HOUR, "Australia/Lord_Howe") == minutes


def test_day_that_a_zone_skipped_has_no_bucket() -> None:
    span = Range(utc(2011, 12, 29, 10), utc(2012, 1, 1, 10))
    days = [local(cut, "Pacific/Apia").day for cut in edges(span, Interval.DAY, "Pacific/Apia")]
    assert days == [29, 31, 1, 2]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    span = Range(utc(2026, 4, 29), utc(2026, 6, 10))
    assert [cut.weekday() for cut in edges(span, Interval.WEEK, "UTC")[1:-1]] == [0] * 6
    assert edges(span, Interval.MONTH, "UTC")[1:-1] == (utc(2026, 5, 1), utc(2026, 6, 1))


def test_clock_change_in_the_middle_of_an_hour_is_found() -> None:
    # Singapore put its clocks forward by half an hour on 1 January 1982.
    cuts = edges(
        Range(utc(1981, 12, 31, 14), utc(1981, 12, 31, 18)), Interval.HOUR, "Asia/Singapore"
    )
    walls = [local(cut, "Asia/Singapore").strftime("%H:%M") for cut in cuts]
    assert walls == ["21:30", "22:00", "23:00", "00:00", "01:00", "02:00"]


@pytest.mark.parametrize("interval", MAX_POINTS)
def test_series_of_too_many_points_is_refused(interval: Interval) -> None:
    least = {"minute": 1, "hour": 60, "day": 1_440, "week": 10_080, "month": 43_200}[interval]
    length = timedelta(minutes=least) * (MAX_POINTS[interval] + 20)
    span = Range(utc(1990, 1, 1), min(utc(1990, 1, 1) + length, utc(2009, 12, 1)))
    if interval is Interval.MONTH:
        assert len(edges(span, interval, "UTC")) == 240  # the longest range has no more
        return
    with pytest.raises(LimitExceeded, match=f"{MAX_POINTS[interval]:,} points"):
        edges(span, interval, "UTC")


def test_as_many_points_as_allowed_are_given() -> None:
    start = utc(2026, 1, 1)
    end = start + timedelta(hours=MAX_POINTS[Interval.HOUR])
    assert len(lengths(start, end, Interval.HOUR, "UTC")) == MAX_POINTS[Interval.HOUR]


BERLIN, APIA = "Europe/Berlin", "Pacific/Apia"


@pytest.mark.parametrize(
    ("start", "end", "zone", "days"),
    [
        (utc(2026, 3, 8, 5), utc(2026, 3, 9, 4), "America/New_York", 1),  # 23 hours
        (utc(2026, 10, 24, 22), utc(2026, 10, 25, 23), BERLIN, 1),  # 25 hours
        (utc(2026, 10, 22, 9), utc(2026, 10, 29, 10), BERLIN, 7),  # from 11 to 11 o'clock
        (utc(2026, 10, 25, 0), utc(2026, 10, 25, 1), BERLIN, 1 / 24),  # both at two o'clock
        (utc(2026, 10, 25, 0), utc(2026, 10, 25, 2), BERLIN, 2 / 24),
        (utc(2026, 3, 29, 0), utc(2026, 3, 29, 3), BERLIN, 3 / 24),
        (utc(2026, 10, 24, 22), utc(2026, 10, 26, 5), BERLIN, 1.25),
        (utc(2026, 10, 24, 22), utc(2026, 10, 25, 22, 30), BERLIN, 1),  # not yet over
        (utc(2011, 12, 29, 10), utc(2011, 12, 30, 10), APIA, 1),  # the 29th, before the 31st
        (utc(2011, 12, 28, 10), utc(2012, 1, 1, 10), APIA, 4),  # 28, 29, 31, 1
        (utc(2018, 11, 4, 3), utc(2018, 11, 5, 2), "America/Sao_Paulo", 1),  # from one o'clock
        (utc(2018, 11, 3, 3), utc(2018, 11, 4, 3), "America/Sao_Paulo", 1),
        (utc(2026, 5, 2), utc(2026, 5, 1), BERLIN, 0),
    ],
)
def test_whole_local_days_are_counted_and_the_rest_is_elapsed_time(
    start: datetime, end: datetime, zone: str, days: float
) -> None:
    assert days_between(start, end, zone) == pytest.approx(days)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../../etc/passwd", "Europe", "a" * 500, "\0"]
)
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        zone_info(name)
