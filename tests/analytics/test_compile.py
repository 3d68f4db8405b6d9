"""Statements: the parts of their text that keep them fast."""

from datetime import UTC, datetime

from access.scopes import Scope
from analytics.compile import MAX_CELLS, statement
from analytics.intervals import Interval
from analytics.periods import Range
from analytics.plan import Horizon, make_plan
from analytics.shapes import shape_of
from analytics.slices import Filter, Slice
from storage.dimensions import NETWORK, Dimension
from storage.keeping.windows import Retention

NOW = datetime(2026, 6, 15, 12, 30, tzinfo=UTC)
DAYS = Range(datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))


def text(interval: Interval | None = None, zone: str = "UTC", *by: Dimension) -> str:
    question = Slice("deployment", Scope.everything(), Filter(), DAYS, interval, zone, by)
    plan = make_plan(question, Horizon.at(Retention(), NOW))
    return statement(shape_of(question, plan)).text


def test_days_are_grouped_as_they_are_stored_and_numbered_once_each() -> None:
    assert "SELECT width_bucket(rows.bucket" in text(Interval.DAY)


def test_buckets_wider_than_those_stored_are_numbered_before_they_are_grouped() -> None:
    assert "SELECT width_bucket(rows.bucket" not in text(Interval.WEEK)
    assert "SELECT width_bucket(deployment_platform_day.bucket" in text(Interval.WEEK)


def test_days_of_another_zone_are_not_those_stored() -> None:
    assert "SELECT width_bucket(rows.bucket" not in text(Interval.DAY, "Asia/Kolkata")


def test_how_many_rows_there_may_be_is_no_parameter() -> None:
    assert f"LIMIT {MAX_CELLS + 1})" in text(None, "UTC", NETWORK)
