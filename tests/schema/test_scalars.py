"""Scalars: what is read, what is written, what is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from graphql import GraphQLError

from analytics.periods import Duration
from schema.scalars import (
    read_date,
    read_date_time,
    read_duration,
    read_time_zone,
    read_uuid,
    write_date_time,
)
from tests.schema.platform import Platform

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00.000+00:00",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31 07:00:00-05:00",
    ],
)
def test_times_with_an_offset_are_read(text: str) -> None:
    assert read_date_time(text) == NOON
    assert read_date_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "bad",
    [
        "2026-01-31T12:00:00",
        "2026-01-31",
        "today",
        "",
        1769860800,
        None,
        True,
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "2026-01-31T12:00:00Z" + " " * 100,
        ["2026-01-31T12:00:00Z"],
    ],
)
def test_naive_and_senseless_times_are_refused(bad: Any) -> None:
    with pytest.raises(GraphQLError, match="DateTime"):
        read_date_time(bad)


def test_times_are_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert write_date_time(NOON) == "2026-01-31T12:00:00Z"
    assert write_date_time(NOON.astimezone(berlin)) == "2026-01-31T12:00:00Z"
    assert write_date_time(NOON + timedelta(microseconds=5)) == "2026-01-31T12:00:00.000005Z"


def test_durations_dates_zones_and_uuids_are_read() -> None:
    assert read_duration("P1DT12H") == Duration(days=1, time=timedelta(hours=12))
    assert read_date("2026-01-31") == date(2026, 1, 31)
    assert read_time_zone("Asia/Kolkata") == "Asia/Kolkata"
    assert str(read_uuid("123E4567-E89B-12D3-A456-426614174000")).startswith("123e")


@pytest.mark.parametrize(
    ("read", "bad"),
    [
        (read_duration, "30 days"),
        (read_duration, "P"),
        (read_duration, 30),
        (read_date, "31.1.2026"),
        (read_date, "2026-02-30"),
        (read_time_zone, "Mars/Olympus"),
        (read_time_zone, "../../etc/passwd"),
        (read_time_zone, "\0"),
        (read_time_zone, ""),
        (read_time_zone, "localtime"),
        (read_time_zone, "posix/Europe/Berlin"),
        (read_time_zone, "right/UTC"),
        (read_time_zone, {}),
        (read_uuid, "123"),
    ],
)
def test_senseless_values_are_refused(read: Any, bad: Any) -> None:
    with pytest.raises(GraphQLError):
        read(bad)


@pytest.mark.parametrize(
    "arguments",
    [
        'range: {last: "P1D", calendar: {unit: DAY}}',
        "range: {}",
        "range: {last: null}",
        'range: {between: {start: "2026-01-01T00:00:00", end: "2026-01-02T00:00:00"}}',
        'timeZone: "Nowhere"',
        "range: {last: 5}",
    ],
)
async def test_bad_arguments_never_reach_a_resolver(platform: Platform, arguments: str) -> None:
    result = await platform.execute(f"{{ deploymentStats({arguments}) {{ attempts }} }}")
    assert result.errors
    assert platform.statements == []
