"""Ranges: rolling, calendar, compared; always half-open and aware."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analytics.intervals import days_between
from analytics.periods import (
    CalendarUnit,
    Comparison,
    Duration,
    Range,
    calendar,
    calendar_now,
    previous,
    rolling,
)
from analytics.zones import local
from storage.errors import InvalidInput

NEW_YORK = "America/New_York"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_rolling_range_ends_with_the_current_minute() -> None:
    span = rolling(Duration.parse("PT1H"), utc(2026, 5, 1, 10, 20, 30))
    assert (span.start, span.end) == (utc(2026, 5, 1, 9, 21), utc(2026, 5, 1, 10, 21))


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
    with pytest.raises((InvalidInput, OverflowError)):
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
    assert calendar(unit, NEW_YORK, on=date(2026, 11, 1)) == Range(start, end)


def test_calendar_range_counts_from_the_current_one() -> None:
    now = utc(2026, 1, 1, 3)  # still December in New York
    assert calendar_now(CalendarUnit.MONTH, NEW_YORK, now).start == utc(2025, 12, 1, 5)
    assert calendar_now(CalendarUnit.MONTH, NEW_YORK, now, offset=-10).start == utc(2025, 2, 1, 5)
    assert calendar_now(CalendarUnit.WEEK, "UTC", now, offset=1).start == utc(2026, 1, 5)


def test_midnight_that_a_zone_skips_is_the_moment_after() -> None:
    day = calendar(CalendarUnit.DAY, "Africa/Cairo", on=date(2026, 4, 24))
    assert day == Range(utc(2026, 4, 23, 22), utc(2026, 4, 24, 21))


def test_previous_period_has_the_same_length() -> None:
    span = Range(utc(2026, 5, 10), utc(2026, 5, 17))
    assert previous(span, Comparison.PREVIOUS_PERIOD) == Range(utc(2026, 5, 3), utc(2026, 5, 10))


def test_previous_period_of_a_month_is_the_month_before() -> None:
    march = calendar(CalendarUnit.MONTH, "UTC", on=date(2026, 3, 9))
    february = previous(march, Comparison.PREVIOUS_PERIOD, "UTC")
    assert february == Range(utc(2026, 2, 1), utc(2026, 3, 1))
    assert previous(february, Comparison.PREVIOUS_PERIOD, "UTC").start == utc(2026, 1, 1)


def test_previous_year_keeps_the_wall_clock() -> None:
    span = Range(utc(2026, 3, 10, 4), utc(2026, 3, 11, 4))  # midnight in New York, in summer
    before = previous(span, Comparison.PREVIOUS_YEAR, NEW_YORK)
    assert before == Range(utc(2025, 3, 10, 4), utc(2025, 3, 11, 4))
    assert previous(span, Comparison.PREVIOUS_WEEK, NEW_YORK).start == utc(2026, 3, 3, 5)


def test_previous_month_of_the_last_days_is_never_empty() -> None:
    span = Range(utc(2026, 3, 30), utc(2026, 3, 31))
    before = previous(span, Comparison.PREVIOUS_MONTH)
    assert before == Range(utc(2026, 2, 28), utc(2026, 3, 1))


@pytest.mark.parametrize(
    ("unit", "count", "start", "end"),
    [
        (CalendarUnit.DAY, 7, utc(2026, 3, 4, 5), utc(2026, 3, 11, 4)),  # an hour short
        (CalendarUnit.WEEK, 2, utc(2026, 3, 2, 5), utc(2026, 3, 16, 4)),
        (CalendarUnit.MONTH, 3, utc(2026, 1, 1, 5), utc(2026, 4, 1, 4)),
        (CalendarUnit.QUARTER, 2, utc(2025, 10, 1, 4), utc(2026, 4, 1, 4)),
        (CalendarUnit.YEAR, 2, utc(2025, 1, 1, 5), utc(2027, 1, 1, 5)),
    ],
)
def test_several_units_end_with_the_named_one(
    unit: CalendarUnit, count: int, start: datetime, end: datetime
) -> None:
    span = calendar(unit, NEW_YORK, on=date(2026, 3, 10), count=count)
    assert span == Range(start, end)
    assert span == calendar_now(unit, NEW_YORK, utc(2026, 3, 10, 12), count=count)
    before = previous(span, Comparison.PREVIOUS_PERIOD, NEW_YORK)
    assert before.end == span.start
    assert before == calendar_now(unit, NEW_YORK, utc(2026, 3, 10, 12), offset=-count, count=count)


@pytest.mark.parametrize("count", [0, -1, 7_400])
def test_impossible_numbers_of_units_are_refused(count: int) -> None:
    with pytest.raises(InvalidInput):
        calendar(CalendarUnit.DAY, "UTC", on=date(2026, 3, 10), count=count)


MARCH = calendar(CalendarUnit.MONTH, "UTC", on=date(2026, 3, 9))
PERIOD = Comparison.PREVIOUS_PERIOD


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (utc(2026, 3, 10, 14, 0, 20), utc(2026, 2, 10, 14, 1)),
        (utc(2026, 3, 28, 23), utc(2026, 2, 28, 23)),
        (utc(2026, 3, 29, 1), utc(2026, 3, 1)),
        (utc(2026, 3, 31, 23), utc(2026, 3, 1)),
        (utc(2026, 2, 10), utc(2026, 3, 1)),  # has not begun
        (utc(2026, 4, 1), utc(2026, 3, 1)),  # is over
    ],
)
def test_month_that_runs_is_compared_with_the_same_part(now: datetime, end: datetime) -> None:
    assert previous(MARCH, PERIOD, now=now) == Range(utc(2026, 2, 1), end)
    assert previous(MARCH, PERIOD) == Range(utc(2026, 2, 1), utc(2026, 3, 1))


def test_parts_are_the_same_by_the_wall_clock() -> None:
    week = calendar(CalendarUnit.WEEK, NEW_YORK, on=date(2026, 3, 9))  # clocks changed before
    noon = utc(2026, 3, 11, 16)
    assert previous(week, PERIOD, NEW_YORK, now=noon) == Range(
        utc(2026, 3, 2, 5), utc(2026, 3, 4, 17)
    )
    year = calendar(CalendarUnit.YEAR, NEW_YORK, on=date(2028, 2, 29))
    assert previous(year, PERIOD, NEW_YORK, now=utc(2028, 3, 1, 17)).end == utc(2027, 3, 1, 17)
    assert previous(year, PERIOD, NEW_YORK, now=utc(2028, 2, 29, 17)).end == utc(2027, 3, 1, 5)
    for comparison, end in (
        (Comparison.PREVIOUS_WEEK, utc(2026, 3, 4, 17)),
        (Comparison.PREVIOUS_MONTH, utc(2026, 2, 11, 17)),
        (Comparison.PREVIOUS_YEAR, utc(2025, 3, 11, 16)),
    ):
        assert previous(week, comparison, NEW_YORK, now=noon).end == end


def test_part_of_any_range_is_its_elapsed_time() -> None:
    span = Range(utc(2026, 5, 10), utc(2026, 5, 17))
    part = previous(span, PERIOD, NEW_YORK, now=utc(2026, 5, 12, 6))
    assert part == Range(utc(2026, 5, 3), utc(2026, 5, 5, 6))


def test_rolling_range_is_compared_with_all_of_the_one_before() -> None:
    now = utc(2026, 5, 10, 12, 0, 30)
    span = rolling(Duration(days=7), now)
    assert previous(span, PERIOD, now=now) == previous(span, PERIOD)


APIA = "Pacific/Apia"  # moved across the date line at the end of 29 December 2011


def test_day_before_is_the_last_one_that_the_zone_had() -> None:
    day = calendar(CalendarUnit.DAY, APIA, on=date(2011, 12, 31))
    before = previous(day, Comparison.PREVIOUS_PERIOD, APIA)
    assert before == calendar(CalendarUnit.DAY, APIA, on=date(2011, 12, 29))
    assert before == calendar_now(CalendarUnit.DAY, APIA, utc(2011, 12, 30, 20), offset=-1)
    assert day == calendar_now(CalendarUnit.DAY, APIA, utc(2011, 12, 29, 20), offset=1)


def test_skipped_day_itself_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no 2011-12-30 in Pacific/Apia"):
        calendar(CalendarUnit.DAY, APIA, on=date(2011, 12, 30))


# The date of an unusual day in each.
STRANGE_DAYS = {
    APIA: date(2011, 12, 30),
    "Pacific/Kiritimati": date(1994, 12, 31),
    "Pacific/Kwajalein": date(1993, 8, 21),
    "America/Sao_Paulo": date(2018, 11, 4),  # has no midnight
    "America/Havana": date(2025, 11, 2),  # has two midnights
    "America/St_Johns": date(2010, 11, 7),  # goes back to the day before
    "Antarctica/Vostok": date(1994, 11, 1),  # has 17 hours
    "Australia/Lord_Howe": date(2026, 4, 5),
    "Europe/Berlin": date(2026, 10, 25),
    NEW_YORK: date(2026, 3, 8),
}
_ZONES = st.sampled_from(sorted(STRANGE_DAYS))
_AROUND = st.one_of(st.integers(-3, 3), st.integers(-400, 400))


@given(zone=_ZONES, around=_AROUND, unit=st.sampled_from(CalendarUnit))
def test_every_calendar_unit_has_one_before_it_that_is_whole(
    zone: str, around: int, unit: CalendarUnit
) -> None:
    on = STRANGE_DAYS[zone] + timedelta(days=around)
    assume(unit is not CalendarUnit.DAY or exists(on, zone))
    span = calendar(unit, zone, on=on)
    before = previous(span, Comparison.PREVIOUS_PERIOD, zone)
    assert before.end == span.start
    assert before == calendar(unit, zone, on=local(before.start, zone).date())
    for each in (span, before):
        assert days_between(each.start, each.end, zone) == dates(each, zone)


@given(
    zone=_ZONES,
    around=_AROUND,
    unit=st.sampled_from(CalendarUnit),
    comparison=st.sampled_from(Comparison),
)
def test_everything_can_be_compared_with_something_earlier(
    zone: str, around: int, unit: CalendarUnit, comparison: Comparison
) -> None:
    on = STRANGE_DAYS[zone] + timedelta(days=around)
    assume(unit is not CalendarUnit.DAY or exists(on, zone))
    span = calendar(unit, zone, on=on)
    before = previous(span, comparison, zone)
    assert before.start < span.start
    assert previous(Range(span.start, span.end), comparison, zone).start < span.start


@given(
    zone=_ZONES,
    around=_AROUND,
    unit=st.sampled_from(CalendarUnit),
    count=st.integers(1, 4),
    comparison=st.sampled_from(Comparison),
    parts=st.tuples(st.floats(0.001, 0.999), st.floats(0.001, 0.999)),
)
def test_the_part_grows_with_time_up_to_the_whole(
    zone: str,
    around: int,
    unit: CalendarUnit,
    count: int,
    comparison: Comparison,
    parts: tuple[float, float],
) -> None:
    on = STRANGE_DAYS[zone] + timedelta(days=around)
    assume(unit is not CalendarUnit.DAY or exists(on, zone))
    span = calendar(unit, zone, on=on, count=count)
    whole = previous(span, comparison, zone)
    first, second = (
        previous(span, comparison, zone, now=span.start + span.length * part)
        for part in sorted(parts)
    )
    assert whole.start == first.start == second.start
    # An hour that the clock repeats is the same part twice.
    assert first.end <= second.end + timedelta(hours=1)
    assert second.end <= whole.end


@given(zone=_ZONES, around=_AROUND, count=st.integers(1, 40))
def test_days_are_as_many_as_asked_for(zone: str, around: int, count: int) -> None:
    on = STRANGE_DAYS[zone] + timedelta(days=around)
    assume(exists(on, zone))
    span = calendar(CalendarUnit.DAY, zone, on=on, count=count)
    assert dates(span, zone) == count
    assert days_between(span.start, span.end, zone) == count


@given(zone=_ZONES, around=_AROUND, minute=st.integers(0, 1_439), length=st.integers(1, 60))
def test_the_last_days_are_as_many_as_named(
    zone: str, around: int, minute: int, length: int
) -> None:
    on = STRANGE_DAYS[zone] + timedelta(days=around)
    now = datetime.combine(on, time(), UTC) + timedelta(minutes=minute)
    span = rolling(Duration(days=length), now, zone)
    before = previous(span, Comparison.PREVIOUS_PERIOD, zone)
    assert before.end == span.start
    for each in (span, before):
        assert each.start < each.end
        skipped = STRANGE_DAYS[zone] if not exists(STRANGE_DAYS[zone], zone) else None
        if skipped is None or not touches(each, skipped, zone):
            assert days_between(each.start, each.end, zone) == length


def exists(day: date, zone: str) -> bool:
    noon = datetime.combine(day, time(12), ZoneInfo(zone))
    return noon.astimezone(UTC).astimezone(ZoneInfo(zone)).date() == day


def dates(span: Range, zone: str) -> int:
    """How many local dates a range has, counted hour by hour."""
    hours = range(span.length // timedelta(hours=1))
    return len({local(span.start + timedelta(hours=hour), zone).date() for hour in hours})


def touches(span: Range, day: date, zone: str) -> bool:
    first, last = local(span.start, zone).date(), local(span.end, zone).date()
    return first - timedelta(days=1) <= day <= last + timedelta(days=1)


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
