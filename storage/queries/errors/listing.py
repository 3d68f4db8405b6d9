"""Lists of errors: by status, by the series of their occurrences, by release, function, text."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    and_,
    bindparam,
    literal,
    literal_column,
    or_,
    select,
    true,
)

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
from storage.queries.scoping import ScopeSize, allowed

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
    counted: bool  # whether all occurrences in the range are added up, to find errors with some
    few_found: bool | None  # None without a search


def shape_of(
    scope_size: ScopeSize, selection: Selection, order: str, *, descending: bool
) -> ListShape:
    """The shape of a list.

    Of a short range or some series, one pass over the counts is faster than to ask for each error.
    """
    counting = selection.counting
    is_narrow = bool(selection.ids) or (counting is not None and not counting.has_days)
    return ListShape(
        scope_size,
        order,
        descending,
        dimensions_of(selection.ids),
        tuple(selection.facets),
        counting is not None,
        counting is not None and (order == IN_RANGE or is_narrow),
        None if selection.found is None else selection.found.keys is not None,
    )


@lru_cache(maxsize=256)
def listing(shape: ListShape) -> TableList:
    """The errors of a shape, in its order; its parameters are those of a `Selection`."""
    conditions = [errors.c.status != literal(int(ErrorStatus.MERGED)), *_conditions(shape)]
    if shape.counted:
        totals = totals_in(shape.scope_size, shape.dimensions)
        # By key, since the planner expects one error, and would add up all counts for each.
        of_total = select(errors).where(same(totals, errors, "error_id"), *conditions)
        error = of_total.correlate(totals).limit(literal_column("1")).lateral("error")
        counted = totals.c.occurrences.label(IN_RANGE)
        source = totals.join(error, true())
        found = select(error, counted).select_from(source).where(_meets(error))
    else:
        found = select(errors).select_from(_with_facets(shape)).where(*conditions)
    table = found.subquery("listed")
    order = [
        OrderColumn(table.c[shape.order], shape.descending),
        # The indexes have ascending ids beside descending times and counts.
        OrderColumn(table.c.project_id, not shape.descending),
        OrderColumn(table.c.error_id, not shape.descending),
    ]
    direction = "desc" if shape.descending else "asc"
    return TableList(
        f"errors:{shape.order}:{direction}",
        table,
        order,
        project_id=table.c.project_id,
        in_parts=_in_parts(shape),
        by_index=not shape.facets,
    )


def _in_parts(shape: ListShape) -> Collection[ScopeSize]:
    """The scopes in which a page of each project is read, which a pass over all counts is not."""
    if shape.counted:
        return ()
    if shape.facets:
        return tuple(ScopeSize)  # facets have no index over all projects
    return (ScopeSize.FEW,) if shape.few_found is None else ()


def _with_facets(shape: ListShape) -> FromClause:
    """The errors that have a value of each facet, found by these, which are few of all."""
    source: FromClause = errors
    for facet in shape.facets:
        of_facet = (
            select(fingerprints.c.project_id, fingerprints.c.error_id)
            .select_from(facets.join(fingerprints, of_fingerprint(facets)))
            .where(*_is_facet(facet), allowed(facets.c.project_id, shape.scope_size))
            .distinct()
            .subquery(f"with_{facet.name.lower()}")
        )
        source = source.join(of_facet, same(errors, of_facet, "error_id"))
    return source


def _conditions(shape: ListShape) -> list[ColumnElement[bool]]:
    found = [_of_error(facets, *_is_facet(each)) for each in shape.facets if shape.counted]
    if shape.ranged and not shape.counted:
        found.append(_in_range())
    elif shape.dimensions and not shape.counted:
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


def _is_facet(facet: Facet) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Whether a row of facets has one of the selected values of the facet."""
    return facets.c.facet == literal(int(facet)), any_of(facets.c.value, f"{facet.name}s")


_START = bindparam("range_start", type_=TIME, required=True)
_END = bindparam("range_end", type_=TIME, required=True)


def _meets(error: Any) -> ColumnElement[bool]:
    """Whether the time in which an error occurs meets the range."""
    return and_(error.c.first_at < _END, error.c.last_at >= _START)


def _in_range() -> ColumnElement[bool]:
    """Whether an error occurred in the range; the first or the last occurrence mostly shows it."""
    counted = occurrences_in((), of=fingerprints).lateral("counted")
    occurred = (
        select(literal(1, BigInteger))
        .select_from(fingerprints.join(counted, true()))
        .where(of_error(errors))
        .correlate(errors)
        .exists()
    )
    shown = or_(errors.c.last_at < _END, errors.c.first_at >= _START, occurred)
    return and_(_meets(errors), shown)
