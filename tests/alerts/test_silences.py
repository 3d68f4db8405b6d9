"""Silences: what they match, and when they hold; by the clocks of any zone, on any day."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.silences import (
    Matcher,
    MatchKind,
    Schedule,
    Silence,
    matcher_problem,
    matches,
    pattern_problem,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LABELS = {"rule": "Failure rate", "network": "metis", "severity": "critical"}
SILENCE = Silence(
    uuid4(), 7, (Matcher("network", "metis"),), NOW, NOW + timedelta(hours=8), False, None, "", ""
)
ZONES = (
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"),
    *("America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "UTC"),
)

MOMENTS = st.integers(0, 19 * 365 * 24 * 60).map(
    lambda minutes: datetime(2011, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (MatchKind.EQUAL, "metis", True),
        (MatchKind.EQUAL, "met", False),
        (MatchKind.NOT_EQUAL, "hyperion", True),
        (MatchKind.PATTERN, "met.*|hyperion", True),
        (MatchKind.PATTERN, "met", False),
        (MatchKind.NOT_PATTERN, "met", True),
        (MatchKind.NOT_PATTERN, "[a-z]+", False),
    ],
)
def test_a_label_is_compared(kind: MatchKind, value: str, expected: bool) -> None:
    matcher = Matcher("network", value, kind)
    assert matcher_problem(matcher) is None
    assert matches(matcher, LABELS) is expected


def test_a_missing_label_is_empty() -> None:
    assert matches(Matcher("team", ""), LABELS)
    assert matches(Matcher("team", "x", MatchKind.NOT_EQUAL), LABELS)
    assert not matches(Matcher("team", "x"), LABELS)


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"(a)\1", "(?=a)a", "[", "(", "x" * 201, "((a{1,99}){1,99}){1,99}", "\ud800"),
        "".join(f"a{{1,{n}}}" for n in range(900, 930)),
    ],
)
def test_what_is_no_pattern_or_too_large_is_refused(pattern: str) -> None:
    assert pattern_problem(pattern)
    assert not matches(Matcher("network", pattern, MatchKind.PATTERN), LABELS)


@pytest.mark.parametrize("pattern", ["(a|)" * 40 + "b", "(aa|aa)" * 25 + "b", "(a*)*b", "(a|a)*b"])
def test_a_match_takes_linear_time(pattern: str) -> None:
    """Python's own expressions take years for these."""
    assert pattern_problem(pattern) is None
    assert not matches(Matcher("x", pattern, MatchKind.PATTERN), {"x": "a" * 300})


@given(st.text(alphabet="ab.*+|()[]^$\\?", max_size=40), st.text(alphabet="ab", max_size=300))
def test_any_pattern_is_refused_or_matched(pattern: str, value: str) -> None:
    found = matches(Matcher("x", pattern, MatchKind.PATTERN), {"x": value})
    assert not (found and pattern_problem(pattern))


def test_a_project_silences_its_own_alerts_alone() -> None:
    assert SILENCE.covers(7, LABELS)
    assert not SILENCE.covers(8, LABELS)
    assert not SILENCE.covers(None, LABELS)
    assert replace(SILENCE, project_id=None).covers(8, LABELS)
    assert not SILENCE.covers(7, {**LABELS, "network": "hyperion"})


def test_a_silence_holds_from_its_start_until_its_end() -> None:
    assert not SILENCE.is_active(NOW - timedelta(seconds=1))
    assert SILENCE.is_active(NOW)
    assert SILENCE.is_active(SILENCE.ends_at - timedelta(seconds=1))
    assert not SILENCE.is_active(SILENCE.ends_at)


def test_its_end_is_told_an_hour_before() -> None:
    due = SILENCE.ends_at - timedelta(hours=1)
    assert not SILENCE.ends_soon(due - timedelta(seconds=1))
    assert SILENCE.ends_soon(due)
    assert not SILENCE.ends_soon(SILENCE.ends_at)
    assert not replace(SILENCE, ends_at=NOW + timedelta(hours=1)).ends_soon(NOW)


def test_a_schedule_narrows_a_silence() -> None:
    nights = Schedule((6,), time(11), time(13))  # 1 March 2026 is a Sunday
    silence = replace(SILENCE, schedule=nights)
    assert silence.is_active(NOW)
    assert not silence.is_active(NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("start", "end", "day", "first", "last"),
    [
        # Clocks go from 02:00 to 03:00 on 29 March 2026, which is 01:00 UTC.
        ("01:30", "02:30", "2026-03-29", "00:30", "01:00"),
        ("02:15", "02:45", "2026-03-29", None, None),
        ("02:30", "04:00", "2026-03-29", "01:00", "02:00"),
        # Clocks go from 03:00 back to 02:00 on 25 October 2026, which is 01:00 UTC.
        ("02:00", "02:30", "2026-10-25", "00:00", "01:30"),
        ("01:30", "02:30", "2026-10-25", "23:30", "01:30"),
        ("02:30", "03:30", "2026-10-25", "00:30", "02:30"),
    ],
)
def test_windows_on_the_days_when_clocks_change(
    start: str, end: str, day: str, first: str | None, last: str | None
) -> None:
    schedule = Schedule((6,), time.fromisoformat(start), time.fromisoformat(end), "Europe/Berlin")
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)
    minutes = [noon + timedelta(minutes=n) for n in range(-14 * 60, 0)]
    covered = [minute for minute in minutes if schedule.covers(minute)]
    if first is None:
        assert covered == []
        return
    assert f"{covered[0]:%H:%M}" == first
    assert f"{covered[-1] + timedelta(minutes=1):%H:%M}" == last
    assert len(covered) == (covered[-1] - covered[0]) / timedelta(minutes=1) + 1


@given(
    st.sampled_from(ZONES),
    st.times(),
    st.times(),
    MOMENTS,
)
def test_windows_follow_the_clock_on_the_wall(
    zone: str, start: time, end: time, now: datetime
) -> None:
    """Whatever the zone and the day: where clocks show a time once, the wall decides."""
    schedule = Schedule(tuple(range(7)), start, end, zone)
    local = now.astimezone(ZoneInfo(zone))
    nearby = (local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset())
    hours = timedelta(hours=30)
    before, after = ((now + d).astimezone(ZoneInfo(zone)).utcoffset() for d in (-hours, hours))
    if len({*nearby, before, after}) > 1:
        return  # the cases above tell what happens around a change
    wall = local.time()
    inside = start <= wall < end if start < end else wall >= start or wall < end
    assert schedule.covers(now) is inside


@given(
    st.sampled_from(ZONES),
    st.times(),
    st.times(),
    MOMENTS,
    st.integers(0, 6),
)
def test_a_window_is_one_stretch_and_on_its_days(
    zone: str, start: time, end: time, now: datetime, weekday: int
) -> None:
    """What is covered began on one of the schedule's days, by the clock on the wall."""
    schedule = Schedule((weekday,), start, end, zone)
    if schedule.covers(now):
        local = now.astimezone(ZoneInfo(zone))
        days = {local.weekday(), (local - timedelta(days=1)).weekday()}
        assert weekday in days if start >= end else weekday == local.weekday()
