"""Filters: a tree of conditions, its shape (for cached statements) and its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, and_, bindparam, false, func, not_, or_, true
from sqlalchemy.sql.base import ReadOnlyColumnCollection


class Operator(StrEnum):
    """A comparison of a column with a value."""

    EQ = "eq"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    GTE = "gte"
    GT = "gt"
    LTE = "lte"
    LT = "lt"
    IS_NULL = "is_null"


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one column with one value."""

    column: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class All:
    """True if every part is true, also without parts."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """True if at least one part is true."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True if the part is false or null."""

    part: Filter


Filter = Condition | All | Either | Not

Columns = ReadOnlyColumnCollection[str, Any]

# A filter without its values: hashable, so that one compiled statement serves all values.
Shape = tuple[Any, ...]


def shape(filter: Filter) -> Shape:
    """The filter without its values."""
    match filter:
        case Condition(column, Operator.IS_NULL, value):
            return (column, Operator.IS_NULL, bool(value))
        case Condition(column, operator, _):
            return (column, operator)
        case All(parts):
            return ("all", *map(shape, parts))
        case Either(parts):
            return ("either", *map(shape, parts))
        case Not(part):
            return ("not", shape(part))


def parameters(filter: Filter) -> dict[str, Any]:
    """The filter's values by the parameter names that `clause` uses."""
    return {f"v{index}": value for index, value in enumerate(_values(filter))}


def _values(filter: Filter) -> Iterator[Any]:
    match filter:
        case Condition(_, Operator.IS_NULL, _):
            return
        case Condition(_, Operator.CONTAINS, value):
            yield like_pattern(value)
        case Condition(_, Operator.IN | Operator.NOT_IN, value):
            yield list(value)
        case Condition(_, _, value):
            yield value
        case All(parts) | Either(parts):
            for part in parts:
                yield from _values(part)
        case Not(part):
            yield from _values(part)


def like_pattern(text: str) -> str:
    """A LIKE pattern that matches texts containing this one; its wildcards are escaped."""
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{text}%"


def clause(shape: Shape, columns: Columns) -> ColumnElement[bool]:
    """The SQL condition of a shape over these columns."""
    numbers = count()  # of parameters, in the order of `parameters`

    def build(shape: Shape) -> ColumnElement[bool]:
        kind, *rest = shape
        match kind:
            case "all":
                return and_(true(), *map(build, rest))
            case "either":
                return or_(false(), *map(build, rest))
            case "not":
                return _is_not_true(build(rest[0]))
        return _comparison(columns[kind], numbers, *rest)

    return build(shape)


def _comparison(
    column: ColumnElement[Any], numbers: Iterator[int], operator: Operator, null: bool = False
) -> ColumnElement[bool]:
    if operator is Operator.IS_NULL:
        return column.is_(None) if null else column.is_not(None)
    many = operator in (Operator.IN, Operator.NOT_IN)
    kind = ARRAY(column.type) if many else column.type
    value = bindparam(f"v{next(numbers)}", type_=kind, required=True)
    return _COMPARISONS[operator](column, value)


def _is_not_true(part: ColumnElement[bool]) -> ColumnElement[bool]:
    # NOT alone would also drop the rows whose value is null.
    return not_(func.coalesce(part, False))


_COMPARISONS: dict[Operator, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    Operator.EQ: lambda column, value: column == value,
    Operator.IN: lambda column, value: column == func.any(value),
    Operator.NOT_IN: lambda column, value: _is_not_true(column == func.any(value)),
    Operator.CONTAINS: lambda column, value: column.ilike(value, escape="\\"),
    Operator.GTE: lambda column, value: column >= value,
    Operator.GT: lambda column, value: column > value,
    Operator.LTE: lambda column, value: column <= value,
    Operator.LT: lambda column, value: column < value,
}
