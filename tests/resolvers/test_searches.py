"""Searches: the range a filter leaves, in any form of the filter."""

from datetime import UTC, datetime, timedelta

import pytest

from resolvers.searches import MAX_RANGE, _check_bounded
from storage.errors import InvalidInput
from storage.queries.conditions import All, Condition, Either, Filter, Not, Operator
from storage.queries.deployments import Order

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONTAINS = Condition("error", Operator.CONTAINS, "x")


def since(days: int, operator: Operator = Operator.GTE) -> Condition:
    return Condition("created_at", operator, NOW - timedelta(days=days))


@pytest.mark.parametrize(
    "filter",
    [
        All((CONTAINS, since(1))),
        All((CONTAINS, All((since(93, Operator.GT),)))),
        All((CONTAINS, since(1000), since(990, Operator.LT))),
        All((Not(CONTAINS), since(5), since(500))),
    ],
)
def test_bounded_searches_pass(filter: Filter) -> None:
    _check_bounded(filter, Order(), NOW)


@pytest.mark.parametrize(
    "filter",
    [
        All((CONTAINS,)),
        All((CONTAINS, since(MAX_RANGE.days + 1))),
        All((CONTAINS, since(1, Operator.LT))),
        All((CONTAINS, Either((since(1), since(2))))),
        All((CONTAINS, Not(since(1)))),
        All((Either((CONTAINS,)),)),
        All((Not(Not(CONTAINS)),)),
    ],
)
def test_unbounded_searches_are_refused(filter: Filter) -> None:
    with pytest.raises(InvalidInput, match="contains"):
        _check_bounded(filter, Order(), NOW)


def test_an_order_without_an_index_needs_a_bound_too() -> None:
    with pytest.raises(InvalidInput, match="DURATION_MS"):
        _check_bounded(All(), Order("duration_us"), NOW)
    _check_bounded(All((since(1),)), Order("duration_us"), NOW)
    _check_bounded(All(), Order("finished_at"), NOW)
