"""Lists of a fact's rows: pages and counts of the rows that its figures count."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal,
    select,
    true,
    tuple_,
    union_all,
)

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of, unnested
from storage.dimensions import OTHER, Dimension, projects
from storage.facts.fact import Append, Entity, Fact
from storage.queries.conditions import Filter, Shape, clause, parameters, shape
from storage.queries.expiring import is_in_force
from storage.queries.joins import PLAIN, Reading, joined
from storage.queries.paging import (
    Page,
    PageRequest,
    PageShape,
    counting,
    limits,
    ordering,
    page,
    paged,
    size,
)
from storage.queries.rows import Order, columns, keyset, order_columns
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within, scope_rows
from storage.series import OVERFLOW

# Up to this many series, an index scan for each is faster than one over all rows of a project.
FEW_SERIES = 64


# By dimension, the ids whose series are meant; all of a dimension that is missing.
Ids = tuple[tuple[Dimension, tuple[int, ...]], ...]


def dimensions_of(ids: Ids) -> tuple[Dimension, ...]:
    """The dimensions that filter."""
    return tuple(dimension for dimension, _ in ids)


def ids_of_series(ids: Ids) -> dict[str, list[int]]:
    """The SQL parameters of `has_ids`."""
    return {dimension.plural: list(chosen) for dimension, chosen in ids}


def of_series(ids: Ids) -> dict[str, Any]:
    """The SQL parameters of `is_of_series`: these, and whether rows beyond all series match."""
    if not ids:
        return {}
    return {**ids_of_series(ids), "beyond": all(OTHER in chosen for _, chosen in ids)}


class RowsShape(NamedTuple):
    """The part of a list's rows that decides the SQL text."""

    fact: Fact
    order: Order
    conditions: Shape = ()
    dimensions: tuple[Dimension, ...] = ()
    few_series: bool = False  # read them by the series that match, which are few
    in_force: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A list's rows in their order: those that meet the conditions, of series with these ids.

    Of entities that expire it may be those `in_force` alone.
    """

    fact: Fact
    order: Order
    conditions: Filter = ()
    ids: Ids = ()
    in_force: bool = False

    @property
    def shape(self) -> RowsShape:
        conditions, dimensions = shape(self.conditions), dimensions_of(self.ids)
        return RowsShape(self.fact, self.order, conditions, dimensions, in_force=self.in_force)


async def find(
    database: Database,
    scope: ProjectScope,
    rows: Rows,
    request: PageRequest,
    reading: Reading = PLAIN,
) -> Page[Any]:
    """One page of the scope's rows."""
    more = request.parameters() | reading.parameters()
    found = await _fetch(database, scope, rows, partial(_find, request.shape, reading.shape), more)
    return page(found, request)


async def count(database: Database, scope: ProjectScope, rows: Rows, limit: int) -> int:
    """The number of rows in the list, counted up to `limit`."""
    found = await _fetch(database, scope, rows, _count, {"limit": limit})
    return found[0]["found"] if found else 0


async def _fetch(
    database: Database,
    scope: ProjectScope,
    rows: Rows,
    build: Callable[[ScopeSize, RowsShape], SqlQuery],
    values: dict[str, Any],
) -> list[Any]:
    kind, series = rows.shape, of_series(rows.ids)
    few = await few_series(database, scope, rows)
    if few is not None:
        if not few:
            return []
        of_project, of_number = zip(*few, strict=True)
        kind = kind._replace(dimensions=(), few_series=True)
        series = {"key_projects": list(of_project), "key_series": list(of_number)}
    values = values | parameters(rows.conditions) | series
    return await fetch_within(database, scope, build, kind, **values)


async def few_series(
    database: Database, scope: ProjectScope, rows: Rows
) -> list[tuple[int, int]] | None:
    """The (project, series) of the rows of an append fact; None if all or many of them match."""
    if not isinstance(rows.fact, Append) or not rows.ids:
        return None
    wanted = (rows.fact, dimensions_of(rows.ids), FEW_SERIES + 1)
    found = await fetch_within(database, scope, _few_series, *wanted, **of_series(rows.ids))
    few = [(row["project_id"], row["series_id"]) for row in found]
    return few if len(few) <= FEW_SERIES else None


@lru_cache(maxsize=512)
def _find(request: PageShape, reading: Reading, scope_size: ScopeSize, rows: RowsShape) -> SqlQuery:
    fact, order = rows.fact, rows.order
    # Append facts have no index over all projects.
    in_parts = scope_size is ScopeSize.FEW or isinstance(fact, Append)
    found = (_find_in_parts if in_parts else _find_overall)(scope_size, rows, request)
    page = found.subquery("page")
    statement = joined(fact, page, reading, needed=keyset(fact, order))
    in_order = statement.order_by(*ordering(order_columns(fact, order, page.c), request))
    return SqlQuery(f"{fact.table.name}_find", in_order)


def _find_overall(scope_size: ScopeSize, rows: RowsShape, request: PageShape) -> Select[Any]:
    source = rows.fact.table.c
    inside = allowed(source.project_id, scope_size)
    found = select(*columns(rows.fact)).where(inside, *_conditions(rows), _has_series(rows))
    return paged(found, order_columns(rows.fact, rows.order, source), request)


def _find_in_parts(scope_size: ScopeSize, rows: RowsShape, request: PageShape) -> Select[Any]:
    """Read a page of each project or series by its index, then select the page from these."""
    source, parts = rows.fact.table.c, _parts(scope_size, rows)
    within_part = order_columns(rows.fact, rows.order, source, within_project=True)
    of_part = (
        select(*columns(rows.fact))
        .where(*_same_part(source, parts), *_conditions(rows), _has_series(rows))
        .where(limits(order_columns(rows.fact, rows.order, source), request))
        .order_by(*ordering(within_part, request))
        .limit(size())
        .lateral("of_part")
    )
    outer = order_columns(rows.fact, rows.order, of_part.c)
    return (
        select(of_part)
        .select_from(parts.join(of_part, true()))
        .where(allowed(parts.c.project_id, scope_size) if rows.few_series else true())
        .order_by(*ordering(outer, request))
        .limit(size())
    )


def _parts(scope_size: ScopeSize, rows: RowsShape) -> FromClause:
    """The projects or series whose rows are read one by one."""
    if not rows.few_series:
        return _projects(scope_size)
    pairs = {"project_id": ("key_projects", BigInteger), "series_id": ("key_series", Integer)}
    return unnested(pairs)  # type: ignore[no-any-return]


def _projects(scope_size: ScopeSize) -> FromClause:
    return projects if scope_size is ScopeSize.EVERYTHING else scope_rows()


def _same_part(source: Any, parts: FromClause) -> list[ColumnElement[bool]]:
    names = [name for name in ("project_id", "series_id") if name in parts.c]
    return [source[name] == parts.c[name] for name in names]


def _conditions(rows: RowsShape) -> list[ColumnElement[bool]]:
    fact, source = rows.fact, rows.fact.table.c
    found = [source[rows.order.column].is_not(None), clause(rows.conditions, source)]
    if rows.in_force:
        assert isinstance(fact, Entity)
        assert fact.expiry is not None
        found.append(is_in_force(fact, fact.expiry))
    return found


def _has_series(rows: RowsShape) -> ColumnElement[bool]:
    if not rows.dimensions:
        return true()
    return is_of_series(rows.fact, rows.dimensions, rows.fact.table)


def is_of_series(fact: Fact, dimensions: Sequence[Dimension], table: Table) -> ColumnElement[bool]:
    """Whether a row's series has the ids (see `of_series`), by the rules of the roll-ups.

    A sub-query, since to join the series the planner may read all rows of a project first.
    """
    series, source = fact.series.c, table.c
    found = (
        select(and_(*has_ids(fact, dimensions)))
        .where(series.project_id == source.project_id, series.series_id == source.series_id)
        .correlate(table)
        .scalar_subquery()
    )
    return func.coalesce(found, _beyond())


def series_with(
    scope_size: ScopeSize, fact: Fact, dimensions: Sequence[Dimension]
) -> CompoundSelect[Any]:
    """The series with the ids, by the same rules."""
    series, projects = fact.series.c, _projects(scope_size)
    own = select(series.project_id, series.series_id).where(
        allowed(series.project_id, scope_size), *has_ids(fact, dimensions)
    )
    beyond = select(projects.c.project_id, literal(OVERFLOW)).where(_beyond())
    return union_all(own, beyond)


def has_ids(fact: Fact, dimensions: Sequence[Dimension]) -> list[ColumnElement[bool]]:
    """The conditions that a series has the ids."""
    return [any_of(fact.series.c[each.column], each.plural) for each in dimensions]


def _beyond() -> ColumnElement[bool]:
    return bindparam("beyond", type_=Boolean, required=True)


@lru_cache
def _few_series(
    scope_size: ScopeSize, fact: Fact, dimensions: tuple[Dimension, ...], most: int
) -> SqlQuery:
    """The series with the ids, at most so many."""
    few = series_with(scope_size, fact, dimensions).limit(most)
    return SqlQuery(f"{fact.series.name}_few", few)


@lru_cache(maxsize=512)
def _count(scope_size: ScopeSize, rows: RowsShape) -> SqlQuery:
    fact, own = rows.fact, rows.fact.table.c
    source: FromClause = fact.table
    conditions = [allowed(own.project_id, scope_size), *_conditions(rows)]
    if rows.few_series:
        parts = _parts(scope_size, rows)
        source = source.join(parts, and_(*_same_part(own, parts)))
    elif rows.dimensions:
        series = series_with(scope_size, fact, rows.dimensions)
        conditions.append(tuple_(own.project_id, own.series_id).in_(series))
    return counting(f"{fact.table.name}_count", source, *conditions)
