"""Lists of errors: by status, by the series of their occurrences, by release, function, text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, literal, or_, select, true

from storage.connections.query import any_of
from storage.dimensions import Dimension
from storage.error_groups.tables import (
    TIME,
    ErrorStatus,
    Facet,
    error_days,
    errors,
    facets,
    fingerprints,
)
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.queries.errors.counts import (
    Counting,
    occurrences_in,
    of_error,
    of_fingerprint,
    same,
    totals_in,
)
from storage.queries.errors.searching import Found, is_found
from storage.queries.facts import Ids, dimensions_of, is_of_series, of_series
from storage.queries.paging import OrderColumn, TableList
from storage.queries.scoping import ScopeSize

# The order by the occurrences in a range, which no column holds.
IN_RANGE = "occurrences_in_range"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which errors to list: those that meet every part that is given.

    Without a range, errors match ids if any of their occurrences do.
    """

    ids: Ids = ()
    facets: Mapping[Facet, tuple[str, ...]] = field(default_factory=dict)
    counting: Counting | None = None  # those with occurrences in it, of the same ids
    found: Found | None = None

    def parameters(self) -> dict[str, Any]:
        values: dict[str, Any] = {f"{facet.name}s": list(x) for facet, x in self.facets.items()}
        if self.counting is not None:
            start, *_, end = self.counting.edges
            values |= self.counting.parameters() | {"range_start": start, "range_end": end}
        else:
            values |= of_series(self.ids)
        return values | (self.found.parameters() if self.found else {})


class ListShape(NamedTuple):
    """The part of a list that decides the SQL text."""

    scope_size: ScopeSize
    order: str
    descending: bool
    dimensions: tuple[Dimension, ...]
    facets: tuple[Facet, ...]
    ranged: bool
    few_found: bool | None  # None without a search


def shape_of(
    scope_size: ScopeSize, selection: Selection, order: str, *, descending: bool
) -> ListShape:
    return ListShape(
        scope_size,
        order,
        descending,
        dimensions_of(selection.ids),
        tuple(selection.facets),
        selection.counting is not None,
        None if selection.found is None else selection.found.keys is not None,
    )


@lru_cache(maxsize=256)
def listing(shape: ListShape) -> TableList:
    """The errors of a shape, in its order; its parameters are those of a `Selection`."""
    conditions = [errors.c.status != literal(int(ErrorStatus.MERGED)), *_conditions(shape)]
    if shape.order == IN_RANGE:
        totals = totals_in(shape.scope_size, shape.dimensions)
        counted = totals.c.occurrences.label(IN_RANGE)
        found = select(errors, counted).select_from(
            errors.join(totals, same(totals, errors, "error_id"))
        )
    else:
        found = select(errors)
    table = found.where(*conditions).subquery("listed")
    order = [
        OrderColumn(table.c[shape.order], shape.descending),
        # The indexes have ascending ids beside descending times and counts.
        OrderColumn(table.c.project_id, not shape.descending),
        OrderColumn(table.c.error_id, not shape.descending),
    ]
    direction = "desc" if shape.descending else "asc"
    return TableList(
        f"errors:{shape.order}:{direction}", table, order, project_id=table.c.project_id
    )


def _conditions(shape: ListShape) -> list[ColumnElement[bool]]:
    found = [_has_facet(facet) for facet in shape.facets]
    if shape.ranged:
        found.append(_in_range(shape))
    elif shape.dimensions:
        is_of = is_of_series(ERROR_OCCURRENCES, shape.dimensions, error_days)
        found.append(_of_error(error_days, is_of))
    if shape.few_found is not None:
        found.append(is_found(shape.few_found, ranged=shape.ranged))
    return found


def _of_error(table: Any, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a table has rows of one of the error's fingerprints."""
    return (
        select(literal(1))
        .select_from(fingerprints)
        .join(table, of_fingerprint(table))
        .where(of_error(errors), *where)
        .correlate(errors)
        .exists()
    )


def _has_facet(facet: Facet) -> ColumnElement[bool]:
    value = any_of(facets.c.value, f"{facet.name}s")
    return _of_error(facets, facets.c.facet == literal(int(facet)), value)


def _in_range(shape: ListShape) -> ColumnElement[bool]:
    start = bindparam("range_start", type_=TIME, required=True)
    end = bindparam("range_end", type_=TIME, required=True)
    first, last = errors.c.first_at, errors.c.last_at
    meets = and_(first < end, last >= start)
    if shape.order == IN_RANGE:  # counted already
        return meets
    counted = occurrences_in(shape.dimensions, of=fingerprints).lateral("counted")
    occurred = (
        select(literal(1, BigInteger))
        .select_from(fingerprints.join(counted, true()))
        .where(of_error(errors))
        .correlate(errors)
        .exists()
    )
    # The first or the last occurrence shows it, unless only some series count.
    is_sure = () if shape.dimensions else (last < end, first >= start)
    return and_(meets, or_(*is_sure, occurred))
