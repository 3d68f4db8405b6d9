"""Searches: prepares a list's filter for its query, and limits the rows it can read."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from access.scopes import Scope
from resolvers.context import Context
from storage.errors import InvalidInput
from storage.queries.conditions import All, Condition, Either, Filter, Not, Operator
from storage.queries.deployments import Order

# A search without an index reads every deployment created in its range.
MAX_RANGE = timedelta(days=93)
INDEXED_ORDERS = ("created_at", "finished_at")


async def prepared(context: Context, filter: Filter, order: Order) -> tuple[Scope, Filter]:
    """Returns the scope narrowed by the filter, and the filter with project ids for slugs.

    Slugs out of scope and slugs of no project are the same: they match nothing.
    """
    _check_bounded(filter, order, context.now)
    filter = _with_ids(filter, await context.project_ids(_slugs(filter)))
    return _narrowed(context.scope, filter), filter


def _conditions(filter: Filter) -> Iterator[Condition]:
    match filter:
        case Condition():
            yield filter
        case All(parts) | Either(parts):
            for part in parts:
                yield from _conditions(part)
        case Not(part):
            yield from _conditions(part)


def _slugs(filter: Filter) -> Iterator[str]:
    for condition in _conditions(filter):
        if condition.column == "project_slug":
            yield from _as_tuple(condition.value)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _with_ids(filter: Filter, ids: dict[str, int]) -> Filter:
    match filter:
        case Condition("project_slug", operator, value):
            found = tuple(ids[slug] for slug in _as_tuple(value) if slug in ids)
            kind = Operator.NOT_IN if operator is Operator.NOT_IN else Operator.IN
            return Condition("project_id", kind, found)
        case Condition():
            return filter
        case All(parts):
            return All(tuple(_with_ids(part, ids) for part in parts))
        case Either(parts):
            return Either(tuple(_with_ids(part, ids) for part in parts))
        case Not(part):
            return Not(_with_ids(part, ids))


def _required(filter: Filter) -> Iterator[Condition]:
    """The conditions that every row of the list must meet."""
    match filter:
        case Condition():
            yield filter
        case All(parts):
            for part in parts:
                yield from _required(part)


def _narrowed(scope: Scope, filter: Filter) -> Scope:
    for condition in _required(filter):
        if condition.column == "project_id" and condition.operator is Operator.IN:
            scope = scope.narrow(condition.value)
    return scope


def _check_bounded(filter: Filter, order: Order, now: datetime) -> None:
    unindexed = order.column not in INDEXED_ORDERS
    contains = any(one.operator is Operator.CONTAINS for one in _conditions(filter))
    if not unindexed and not contains:
        return
    if _searched(filter, now) > MAX_RANGE:
        search = "orderBy DURATION_MS" if unindexed else "contains"
        raise InvalidInput(
            f"{search} reads every deployment of a range: limit createdAt to at most "
            f"{MAX_RANGE.days} days, with gte and, for older deployments, lt.",
            path="filter",
        )


def _searched(filter: Filter, now: datetime) -> timedelta:
    """The length of the range the filter leaves for created_at."""
    bounds = [one for one in _required(filter) if one.column == "created_at"]
    lower = [one.value for one in bounds if one.operator in (Operator.GTE, Operator.GT)]
    upper = [one.value for one in bounds if one.operator in (Operator.LTE, Operator.LT)]
    if not lower:
        return timedelta.max
    start: datetime = max(lower)
    return min(upper, default=now) - start
