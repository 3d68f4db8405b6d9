"""Lists: what reads a whole range needs one, and only texts that can be stored are searched."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Column
from sqlalchemy.sql.visitors import iterate

from analytics.periods import Range
from resolvers.lists import MAX_RANGE, Wanted, _check_bounded
from storage.errors import GatewayError, InvalidInput, LimitExceeded
from storage.facts import FACTS
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Fact
from storage.queries.rows import Order, begins, orders

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NEWEST = Order("created_at")


def last(days: int) -> Range:
    return Range(NOW - timedelta(days=days), NOW)


def columns_with_an_index(fact: Fact) -> set[str]:
    """The columns that an index or the key of the fact's table sorts by within a project."""
    table = fact.table
    indexes: list[Any] = [index.expressions for index in table.indexes]
    keys = [[column_in(part) for part in key] for key in (*indexes, table.primary_key.columns)]
    return {key[1] for key in keys if key[0] == "project_id" and len(key) > 1}


def column_in(part: Any) -> str:
    return next(each.name for each in iterate(part) if isinstance(each, Column))


@pytest.mark.parametrize("fact", FACTS.values(), ids=str)
def test_an_order_without_an_index_and_a_search_need_a_range(fact: Fact) -> None:
    for column in orders(fact):
        order, is_indexed = Order(column), column in columns_with_an_index(fact)
        for range in (None, last(MAX_RANGE.days + 1)):
            if is_indexed:
                _check_bounded(fact, Wanted(order, range=range))
            else:
                with pytest.raises(InvalidInput, match="orderBy"):
                    _check_bounded(fact, Wanted(order, range=range))
            with pytest.raises(InvalidInput, match="search"):
                _check_bounded(fact, Wanted(order, search="x", range=range))
        _check_bounded(fact, Wanted(order, search="x", range=last(MAX_RANGE.days)))


@pytest.mark.parametrize("fact", FACTS.values(), ids=str)
def test_lists_begin_with_the_newest(fact: Fact) -> None:
    assert orders(fact)[0] == begins(fact)


@pytest.mark.parametrize(
    ("search", "error"),
    [("x" * 201, LimitExceeded), ("\0", InvalidInput), ("\ud800", InvalidInput)],
)
def test_what_no_row_can_hold_is_not_searched(search: str, error: type[GatewayError]) -> None:
    with pytest.raises(error):
        Wanted(NEWEST, search=search).conditions(DEPLOYMENTS)


@pytest.mark.parametrize("given", [{}, {"search": ""}])
def test_without_arguments_there_is_no_condition(given: dict[str, Any]) -> None:
    assert Wanted(NEWEST, **given).conditions(DEPLOYMENTS) == ()
