"""Reads the sizes of lists from the arguments of a query's fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil
from types import MappingProxyType
from typing import Any

from graphql import IntValueNode, ListValueNode, ObjectValueNode, ValueNode, VariableNode

from analytics.intervals import AUTO_POINTS, MAX_POINTS, Interval, automatic
from analytics.periods import MAX_YEARS, Duration
from storage.errors import GatewayError

DEFAULT_DAYS = 30.0
CALENDAR_DAYS: Mapping[str, int] = MappingProxyType(
    {"DAY": 1, "WEEK": 7, "MONTH": 31, "QUARTER": 92, "YEAR": 366}
)
INTERVAL_DAYS: Mapping[Interval, float] = MappingProxyType(
    {
        Interval.MINUTE: 1 / 1440,
        Interval.HOUR: 1 / 24,
        Interval.DAY: 1.0,
        Interval.WEEK: 7.0,
        Interval.MONTH: 30.0,
    }
)
# No calendar range is longer than the days of twenty years.
MAX_UNITS = 366 * MAX_YEARS
# A range may begin and end inside a bucket.
PARTIAL = 2
# A range may be that much shorter than it is at most, and have shorter buckets then.
_SHORTER = 0.85
# A longer text is not a duration, and is not cached.
LONGEST_DURATION = 64

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """A number of items or points, or the function that computes it from the variables."""

    number: int
    read: Callable[[Variables], int] | None = None

    def of(self, variables: Variables) -> int:
        return self.number if self.read is None else self.read(variables)


def size(read: Callable[..., int], *nodes: ValueNode | None) -> Size:
    """The size that `read` computes from these arguments; a missing one is None, like null."""
    if any(_varies(node) for node in nodes):
        return Size(0, lambda variables: read(*(value(node, variables) for node in nodes)))
    return Size(read(*(value(node, {}) for node in nodes)))


def page(first: ValueNode | None, last: ValueNode | None, default: int, most: int) -> Size:
    """The size of a page; an invalid one, which is refused later, counts as the default."""

    def read(*given: Any) -> int:
        sizes = [_between(number, default, most) for number in given if number is not None]
        return max(sizes, default=default)

    return size(read, first, last)


def length(node: ValueNode | None) -> Size:
    return size(lambda items: max(1, len(items)) if isinstance(items, list) else 1, node)


def points(interval: ValueNode | None, span: ValueNode | None) -> Size:
    """The points of a series: its range in units of its interval, and two for its ends."""
    return size(_buckets, interval, span)


def buckets(interval: ValueNode | None, span: ValueNode | None) -> Size:
    """The buckets of a table: one without an interval."""
    return size(lambda unit, span: 1 if unit is None else _buckets(unit, span), interval, span)


def groups(first: ValueNode | None, default: int, most: int) -> Size:
    """The groups of a list, and one more for all others."""
    return size(lambda first: _between(first, default, most) + 1, first)


def table_groups(
    group_by: ValueNode | None, first: ValueNode | None, default: int, most: int
) -> Size:
    """The groups of a table: one if it is not grouped."""
    return size(lambda by, first: _between(first, default, most) + 1 if by else 1, group_by, first)


def value(node: ValueNode | None, variables: Variables) -> Any:
    """A literal or variable as a value, as far as sizes depend on it."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, IntValueNode):
        return int(node.value[:20])  # longer ones take long to parse, and are no sizes
    if isinstance(node, ListValueNode):
        return list(node.values)
    if isinstance(node, ObjectValueNode):
        return {field.name.value: value(field.value, variables) for field in node.fields}
    return getattr(node, "value", None)


def _varies(node: ValueNode | None) -> bool:
    if isinstance(node, ObjectValueNode):
        return any(_varies(field.value) for field in node.fields)
    return isinstance(node, VariableNode)


def _between(number: Any, default: int, most: int) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        return default
    return min(max(number, 0), most)


def _buckets(interval: Any, span: Any) -> int:
    days = _days(span)
    unit = Interval.__members__.get(interval) if isinstance(interval, str) else None
    if unit in (None, Interval.AUTO):
        return _automatic_points(days)
    return _points(days, unit)


def _automatic_points(days: float) -> int:
    unit = automatic(timedelta(days=min(days, MAX_UNITS) * _SHORTER))
    found = _points(days, unit)
    return found if unit is Interval.MONTH else min(found, AUTO_POINTS + PARTIAL)


def _points(days: float, unit: Interval) -> int:
    return min(ceil(days / INTERVAL_DAYS[unit]) + PARTIAL, MAX_POINTS[unit])


def _days(span: Any) -> float:
    """The longest a range may be, in days; the default for one that is refused later."""
    if not isinstance(span, dict):
        return DEFAULT_DAYS
    try:
        if isinstance(last := span.get("last"), str):
            return _duration_days(last[:LONGEST_DURATION])
        if isinstance(between := span.get("between"), dict):
            start, end = (datetime.fromisoformat(between[name]) for name in ("start", "end"))
            return max(0.0, (end - start).total_seconds() / 86_400)
    except (GatewayError, ValueError, TypeError, KeyError, OverflowError):
        return DEFAULT_DAYS
    calendar = span.get("calendar")
    unit = calendar.get("unit") if isinstance(calendar, dict) else None
    if not isinstance(calendar, dict) or not isinstance(unit, str):
        return DEFAULT_DAYS
    return CALENDAR_DAYS.get(unit, DEFAULT_DAYS) * _between(calendar.get("count"), 1, MAX_UNITS)


@lru_cache(maxsize=256)
def _duration_days(text: str) -> float:
    duration = Duration.parse(text)
    return duration.months * 31 + duration.days + duration.time.total_seconds() / 86_400
