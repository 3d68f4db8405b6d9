"""Searches: a list's filter made ready for its query, and kept from reading everything."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from access.scopes import Scope
from resolvers.context import Context
from storage.errors import InvalidInput
from storage.queries.conditions import All, Condition, Either, Filter, Not, Operator
from storage.queries.deployments import Order

# What no index can answer reads each deployment created in the range, so the range has a bound.
MAX_SEARCHED = timedelta(days=93)
INDEXED_ORDERS = ("created_at", "finished_at")


async def prepared(context: Context, filter: Filter, order: Order) -> tuple[Scope, Filter]:
    """The scope the filter leaves, and the filter with project ids in the place of slugs."""
    _check_bounded(filter, order, context.now)
    # A slug out of scope and one of no project are the same: they match nothing.
    slugs = {slug for slug in _slugs(filter) if context.viewer.may_name(slug)}
    ids = await context.services.dictionaries.project_ids(slugs) if slugs else {}
    visible = {slug: id for slug, id in ids.items() if id in context.scope}
    named = _with_ids(filter, visible)
    return _narrowed(context.scope, named), named


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
            yield from _several(condition.value)


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _with_ids(filter: Filter, ids: dict[str, int]) -> Filter:
    match filter:
        case Condition("project_slug", operator, value):
            found = tuple(ids[slug] for slug in _several(value) if slug in ids)
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
    """The conditions that every row of the list meets."""
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
    if _searched(filter, now) > MAX_SEARCHED:
        what = "orderBy DURATION_MS" if unindexed else "contains"
        raise InvalidInput(
            f"{what} reads every deployment of a range: bound createdAt to at most "
            f"{MAX_SEARCHED.days} days, with gte and, for older ones, lt.",
            path="filter",
        )


def _searched(filter: Filter, now: datetime) -> timedelta:
    """How much time the filter leaves to created_at."""
    bounds = [one for one in _required(filter) if one.column == "created_at"]
    lower = [one.value for one in bounds if one.operator in (Operator.GTE, Operator.GT)]
    upper = [one.value for one in bounds if one.operator in (Operator.LTE, Operator.LT)]
    if not lower:
        return timedelta.max
    start: datetime = max(lower)
    return min(upper, default=now) - start
