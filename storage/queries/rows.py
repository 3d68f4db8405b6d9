"""A fact's rows in lists: their columns, and the orders they can be listed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Text, case

from storage.facts.fact import Append, Entity, Fact
from storage.facts.lifecycle import Status
from storage.queries.paging import OrderColumn, Position, parse_values

# Columns that are read only if a query selects them, since they may be long or are seldom shown.
ON_REQUEST = frozenset({"attributes", "error", "updated_at"})


@cache
def columns(fact: Fact) -> tuple[Any, ...]:
    """The columns of a row that its table holds; of an append fact, `joined` adds the names."""
    source = fact.table.c
    if isinstance(fact, Append):
        return tuple(source[name] for name in (*fact.key, "series_id", *fact.given, "external_id"))
    assert isinstance(fact, Entity)
    times = ("created_at", "started_at", "finished_at", "updated_at")
    names = (*fact.key, "external_id", "status", *times, "duration_us", *fact.given)
    found: list[Any] = [source[name] for name in names]
    if any(status is Status.ROLLED_BACK for status in fact.lifecycle.statuses):
        is_rolled_back = source.status == int(Status.ROLLED_BACK)
        found.append(case((is_rolled_back, source.state_at)).label("rolled_back_at"))
    return tuple(found)


def begins(fact: Fact) -> str:
    """The column of the fact's first clock, which ranges are about."""
    return next(iter(fact.clocks.values()))


def searched(fact: Fact) -> tuple[str, ...]:
    """The columns that a search reads: all texts but names."""
    texts = [name for name in fact.columns if isinstance(fact.table.c[name].type, Text)]
    return (*texts, "external_id")


@dataclass(frozen=True, slots=True)
class Order:
    """A column and its direction; then by key. Rows whose column is null are not in the list."""

    column: str
    descending: bool = True


def orders(fact: Fact) -> tuple[str, ...]:
    """The columns that the fact's rows can be ordered by, the first one by default."""
    more = (*expiries(fact), "updated_at", "status") if isinstance(fact, Entity) else ()
    return (*fact.clocks.values(), *([fact.timing.column] if fact.timing else ()), *more)


def expiries(fact: Fact) -> tuple[str, ...]:
    """The column with the time at which the fact's entities expire, if they do."""
    return (fact.expiry.column,) if isinstance(fact, Entity) and fact.expiry else ()


def is_indexed(fact: Fact, order: Order) -> bool:
    """Whether a page in this order is read by an index, not by reading a whole range."""
    return order.column in (*fact.clocks.values(), *expiries(fact))


@cache
def keyset(fact: Fact, order: Order) -> tuple[str, ...]:
    """The columns that give each row its position: the order's and those of the key."""
    return (order.column, *(name for name in fact.key if name != order.column))


def order_columns(
    fact: Fact, order: Order, source: Any, *, within_project: bool = False
) -> list[OrderColumn]:
    """The columns to sort by, in the direction of the indexes.

    Within one project, ordering by the project would prevent use of the index.
    """
    # The newest entities come from an index with ascending ids, append rows from their key.
    ties = order.descending if isinstance(fact, Append) else not order.descending
    first, *others = keyset(fact, order)
    if within_project:
        others.remove("project_id")
    return [
        OrderColumn(source[first], order.descending),
        *(OrderColumn(source[name], ties) for name in others),
    ]


def position_values(fact: Fact, order: Order, row: Any) -> list[Any]:
    """A row's position as values for JSON."""
    values = (row[name] for name in keyset(fact, order))
    return [value.hex if isinstance(value, UUID) else value for value in values]


def parse_position(fact: Fact, order: Order, values: Sequence[Any]) -> Position:
    """The position that `position_values` wrote; raises ValueError or TypeError for others."""
    return parse_values((fact.table.c[name] for name in keyset(fact, order)), values)
