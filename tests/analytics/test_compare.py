"""A range and the one before it."""

from datetime import UTC, date, datetime

import pytest

from analytics.compare import change, previous_slice
from analytics.measures import MEASURES
from analytics.periods import CalendarUnit, Comparison, calendar
from analytics.run import Analytics
from tests.analytics import oracle
from tests.analytics.asking import question
from tests.analytics.oracle import Deployment


@pytest.mark.parametrize(
    ("current", "before", "absolute", "relative"),
    [
        (6, 4, 2, 0.5),
        (4, 6, -2, -1 / 3),
        (0, 5, -5, -1.0),
        (5, 0, 5, None),
        (None, 5, None, None),
        (5, None, None, None),
    ],
)
def test_change_is_absolute_and_relative(
    current: int | None, before: int | None, absolute: int | None, relative: float | None
) -> None:
    found = change(current, before)
    assert found.absolute == absolute
    assert found.relative == (None if relative is None else pytest.approx(relative))


async def test_month_is_compared_with_the_month_before(
    analytics: Analytics, deployments: list[Deployment]
) -> None:
    november = question(calendar(CalendarUnit.MONTH, "UTC", on=date(2026, 11, 1)))
    october = previous_slice(november, Comparison.PREVIOUS_PERIOD)
    (answer,) = await analytics.run_many([october])
    start, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    expected = oracle.cell(deployments, start, end)
    assert MEASURES["attempts"].value(answer.total) == len(expected.created) > 0
