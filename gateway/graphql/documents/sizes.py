"""How many items a query asks for, read from the arguments of its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import ceil
from types import MappingProxyType
from typing import Any

from graphql import IntValueNode, ListValueNode, ObjectValueNode, ValueNode, VariableNode

from analytics.intervals import MAX_POINTS, Interval
from analytics.periods import Duration
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
# A range begins and ends inside a bucket.
PARTIAL = 2
# Automatic intervals give no more points than this, but for many years of months.
AUTOMATIC = 50
# A longer text is none that can be read, and none to be remembered.
LONGEST_DURATION = 64

Variables = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """A number of items, or how to read it from the variables."""

    number: int
    read: Callable[[Variables], int] | None = None

    def of(self, variables: Variables) -> int:
        return self.number if self.read is None else self.read(variables)


ONE = Size(1)


def size(read: Callable[..., int], *nodes: ValueNode | None) -> Size:
    """What `read` makes of the values of these arguments; null is as good as absent."""
    if any(_varies(node) for node in nodes):
        return Size(0, lambda variables: read(*(value(node, variables) for node in nodes)))
    return Size(read(*(value(node, {}) for node in nodes)))


def page(first: ValueNode | None, last: ValueNode | None, default: int, most: int) -> Size:
    """A page: what is no size is refused later, and nothing is done for it then."""

    def read(*asked: Any) -> int:
        sizes = [_between(each, default, most) for each in asked if each is not None]
        return max(sizes, default=default)

    return size(read, first, last)


def length(node: ValueNode | None) -> Size:
    return size(lambda items: max(1, len(items)) if isinstance(items, list) else 1, node)


def points(interval: ValueNode | None, span: ValueNode | None) -> Size:
    """The points of a series: its range in units of its interval, and those at its ends."""
    return size(_buckets, interval, span)


def buckets(interval: ValueNode | None, span: ValueNode | None) -> Size:
    """Those of a table, which has one where no interval is given."""
    return size(lambda unit, span: 1 if unit is None else _buckets(unit, span), interval, span)


def groups(first: ValueNode | None, default: int, most: int) -> Size:
    """The groups of a list, all others as one more."""
    return size(lambda first: _between(first, default, most) + 1, first)


def table_groups(
    group_by: ValueNode | None, first: ValueNode | None, default: int, most: int
) -> Size:
    """Those of a table, which has one where it is split by nothing."""
    return size(lambda by, first: _between(first, default, most) + 1 if by else 1, group_by, first)


def value(node: ValueNode | None, variables: Variables) -> Any:
    """As much of a value as sizes are read from."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, IntValueNode):
        return int(node.value[:20])  # longer ones take long to read, and mean no size
    if isinstance(node, ListValueNode):
        return list(node.values)
    if isinstance(node, ObjectValueNode):
        return {field.name.value: value(field.value, variables) for field in node.fields}
    return getattr(node, "value", None)


def _varies(node: ValueNode | None) -> bool:
    if isinstance(node, ObjectValueNode):
        return any(_varies(field.value) for field in node.fields)
    return isinstance(node, VariableNode)


def _between(asked: Any, default: int, most: int) -> int:
    if not isinstance(asked, int) or isinstance(asked, bool):
        return default
    return min(max(asked, 0), most)


def _buckets(interval: Any, span: Any) -> int:
    days = _days(span)
    unit = Interval.__members__.get(interval) if isinstance(interval, str) else None
    if unit in (None, Interval.AUTO):
        return max(AUTOMATIC, _points(days, Interval.MONTH))
    return _points(days, unit)


def _points(days: float, unit: Interval) -> int:
    return min(ceil(days / INTERVAL_DAYS[unit]) + PARTIAL, MAX_POINTS[unit])


def _days(span: Any) -> float:
    """The longest a range may be, in days; one that is refused later is as good as the default."""
    if not isinstance(span, dict):
        return DEFAULT_DAYS
    try:
        if isinstance(last := span.get("last"), str):
            return _of_duration(last[:LONGEST_DURATION])
        if isinstance(between := span.get("between"), dict):
            start, end = (datetime.fromisoformat(between[name]) for name in ("start", "end"))
            return max(0.0, (end - start).total_seconds() / 86_400)
    except (GatewayError, ValueError, TypeError, KeyError, OverflowError):
        return DEFAULT_DAYS
    calendar = span.get("calendar")
    unit = calendar.get("unit") if isinstance(calendar, dict) else None
    return CALENDAR_DAYS.get(unit, DEFAULT_DAYS) if isinstance(unit, str) else DEFAULT_DAYS


@lru_cache(maxsize=256)
def _of_duration(text: str) -> float:
    duration = Duration.parse(text)
    return duration.months * 31 + duration.days + duration.time.total_seconds() / 86_400
