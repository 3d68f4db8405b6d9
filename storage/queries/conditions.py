"""Conditions of lists: their shape (for cached statements) and their parameters."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, and_, bindparam, func, or_, true


class Operator(StrEnum):
    """A comparison of a column with a value."""

    EQ = "eq"
    IN = "in"
    GTE = "gte"
    LT = "lt"
    CONTAINS = "contains"  # in upper or lower case


class Condition(NamedTuple):
    """A comparison with one value, which holds for at least one of the columns."""

    columns: tuple[str, ...]
    operator: Operator
    value: Any


# All of them hold.
Filter = tuple[Condition, ...]

# A filter without its values: hashable, so that one compiled statement serves all values.
Shape = tuple[tuple[tuple[str, ...], Operator], ...]


def shape(filter: Filter) -> Shape:
    """The filter without its values."""
    return tuple((condition.columns, condition.operator) for condition in filter)


def parameters(filter: Filter) -> dict[str, Any]:
    """The filter's values by the parameter names that `clause` uses."""
    return {f"v{index}": _value(condition) for index, condition in enumerate(filter)}


def _value(condition: Condition) -> Any:
    match condition.operator:
        case Operator.CONTAINS:
            return like_pattern(condition.value)
        case Operator.IN:
            return list(condition.value)
    return condition.value


def like_pattern(text: str) -> str:
    """A LIKE pattern that matches texts containing this one; its wildcards are escaped."""
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{text}%"


def clause(shape: Shape, columns: Any) -> ColumnElement[bool]:
    """The SQL condition of a shape over these columns."""
    parts = (
        or_(*(_comparison(columns[name], operator, f"v{index}") for name in names))
        for index, (names, operator) in enumerate(shape)
    )
    return and_(true(), *parts)


def _comparison(column: ColumnElement[Any], operator: Operator, name: str) -> ColumnElement[bool]:
    kind = ARRAY(column.type) if operator is Operator.IN else column.type
    return _COMPARISONS[operator](column, bindparam(name, type_=kind, required=True))


_COMPARISONS: dict[Operator, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    Operator.EQ: lambda column, value: column == value,
    Operator.IN: lambda column, value: column == func.any(value),
    Operator.GTE: lambda column, value: column >= value,
    Operator.LT: lambda column, value: column < value,
    Operator.CONTAINS: lambda column, value: column.ilike(value, escape="\\"),
}
