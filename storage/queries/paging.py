"""Keyset pagination: pages before or after a position, in an order without ties."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    true,
)

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.dimensions import projects
from storage.queries.conditions import Filter, Shape, clause, parameters, shape
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within, scope_rows

Row = TypeVar("Row")

# The values of a row's order columns, at which a page begins or ends.
Position = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Up to `size` rows after one position and before another, the first or the last of them."""

    size: int
    after: Position | None = None
    before: Position | None = None
    backward: bool = False

    @property
    def shape(self) -> PageShape:
        return PageShape(self.after is not None, self.before is not None, self.backward)

    def parameters(self) -> dict[str, Any]:
        """The values of the SQL parameters; one row more is read, to know of another page."""
        values: dict[str, Any] = {"size": self.size + 1}
        for name, position in (("after", self.after), ("before", self.before)):
            for index, value in enumerate(position or ()):
                values[f"{name}{index}"] = value
        return values


@dataclass(frozen=True, slots=True)
class PageShape:
    """The part of a page request that decides the SQL text."""

    after: bool
    before: bool
    backward: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of a page in list order, and whether there are more on either side."""

    rows: list[Row]
    has_next: bool
    has_previous: bool


def page(rows: Sequence[Row], request: PageRequest) -> Page[Row]:
    """Drop the extra row, and reverse a page that was read backward."""
    more = len(rows) > request.size
    own = list(rows[: request.size])
    if request.backward:
        return Page(own[::-1], has_next=request.before is not None, has_previous=more)
    return Page(own, has_next=more, has_previous=request.after is not None)


@dataclass(frozen=True, slots=True, eq=False)
class OrderColumn:
    """A column of an order; all of its columns together must be unique and never null."""

    column: ColumnElement[Any]
    descending: bool = False


def parse_values(columns: Iterable[ColumnElement[Any]], values: Sequence[Any]) -> Position:
    """The position of values that were JSON; raises ValueError or TypeError for other values."""
    return tuple(
        _PARSERS[type(column.type)](value) if type(column.type) in _PARSERS else value
        for column, value in zip(columns, values, strict=True)
    )


_PARSERS: dict[type, Callable[[Any], Any]] = {DateTime: datetime.fromisoformat, Uuid: UUID}


def paged(statement: Select[Any], columns: Sequence[OrderColumn], shape: PageShape) -> Select[Any]:
    """Limit a statement to the rows of a page, in order, plus one."""
    inside = statement.where(limits(columns, shape))
    return inside.order_by(*ordering(columns, shape)).limit(size())


def limits(columns: Sequence[OrderColumn], shape: PageShape) -> ColumnElement[bool]:
    """The condition for the rows between a page request's positions."""
    conditions: list[ColumnElement[bool]] = [true()]
    if shape.after:
        conditions.append(_beyond(columns, "after", forward=True))
    if shape.before:
        conditions.append(_beyond(columns, "before", forward=False))
    return and_(*conditions)


def _beyond(
    columns: Sequence[OrderColumn], name: str, *, forward: bool, index: int = 0
) -> ColumnElement[bool]:
    """(a, b, c) > (…) written out, since each column has its own direction."""
    part = columns[index]
    value = bindparam(f"{name}{index}", type_=part.column.type, required=True)
    upward = forward is not part.descending
    further = part.column > value if upward else part.column < value
    if index == len(columns) - 1:
        return further
    rest = _beyond(columns, name, forward=forward, index=index + 1)
    # The second condition implies the first, which an index can use.
    at_least = part.column >= value if upward else part.column <= value
    return and_(at_least, or_(further, rest))


def ordering(columns: Sequence[OrderColumn], shape: PageShape) -> list[ColumnElement[Any]]:
    return [
        part.column.desc() if part.descending is not shape.backward else part.column.asc()
        for part in columns
    ]


def size() -> ColumnElement[int]:
    return bindparam("size", type_=Integer, required=True)


def counting(name: str, source: FromClause, *conditions: ColumnElement[bool]) -> SqlQuery:
    """Counts the rows that meet all conditions, no further than the parameter `limit`."""
    some = select(literal(1).label("one")).select_from(source).where(*conditions)
    found = some.limit(bindparam("limit", type_=Integer, required=True)).subquery("found")
    return SqlQuery(name, select(func.count().label("found")).select_from(found))


@dataclass(frozen=True, slots=True, eq=False)
class TableList:
    """The rows of a table or sub-query, in an order without ties.

    Those of tenants have a column `project_id`, which is in the scope; others are in any scope. In
    scopes `in_parts` a page of each project is read before the page is chosen; `by_index` if there
    is an index of the order that begins with the project.
    """

    name: str
    table: FromClause
    order: Sequence[OrderColumn]
    condition: ColumnElement[bool] = field(default_factory=true)
    project_id: ColumnElement[int] | None = None
    in_parts: Collection[ScopeSize] = ()
    by_index: bool = False

    async def find(
        self,
        database: Database,
        scope: ProjectScope,
        filter: Filter,
        request: PageRequest,
        **values: Any,
    ) -> Page[Any]:
        """One page of the matching rows; `values` are those of the table's own parameters."""
        values |= parameters(filter) | request.parameters()
        rows = await self._fetch(database, scope, _find, shape(filter), request.shape, **values)
        return page(rows, request)

    async def count(
        self, database: Database, scope: ProjectScope, filter: Filter, limit: int, **values: Any
    ) -> int:
        """The number of matching rows, counted up to `limit`."""
        values |= parameters(filter) | {"limit": limit}
        rows = await self._fetch(database, scope, _count, shape(filter), **values)
        return rows[0]["found"] if rows else 0

    async def with_values(
        self, database: Database, scope: ProjectScope, column: str, values: Sequence[Any]
    ) -> dict[Any, Any]:
        """The rows with these values of a unique column, by value."""
        rows = await self._fetch(database, scope, _with_values, column, values=list(values))
        return {row[column]: row for row in rows}

    async def _fetch(
        self,
        database: Database,
        scope: ProjectScope,
        build: Callable[..., SqlQuery],
        *shapes: Any,
        **values: Any,
    ) -> list[Any]:
        if self.project_id is None:
            return await database.fetch(build(ScopeSize.EVERYTHING, self, *shapes), **values)
        return await fetch_within(database, scope, build, self, *shapes, **values)

    def conditions(self, scope_size: ScopeSize, filter: Shape) -> list[ColumnElement[bool]]:
        found = [self.condition, clause(filter, self.table.c)]
        if self.project_id is not None:
            found.append(allowed(self.project_id, scope_size))
        return found


@lru_cache
def _find(scope_size: ScopeSize, rows: TableList, filter: Shape, request: PageShape) -> SqlQuery:
    if scope_size in rows.in_parts:
        return SqlQuery(f"{rows.name}_find", _find_in_parts(scope_size, rows, filter, request))
    found = select(rows.table).where(*rows.conditions(scope_size, filter))
    return SqlQuery(f"{rows.name}_find", paged(found, rows.order, request))


def _find_in_parts(
    scope_size: ScopeSize, rows: TableList, filter: Shape, request: PageShape
) -> Select[Any]:
    parts = projects if scope_size is ScopeSize.EVERYTHING else scope_rows()
    project_id = rows.project_id
    assert project_id is not None
    within = [each for each in rows.order if each.column is not project_id]
    is_of_part = [project_id == parts.c.project_id]
    if rows.by_index:
        # Not as an equation: all projects' index has the same order inside of one, and of a project
        # without new rows the planner would read it past everybody else's.
        is_of_part = [project_id >= parts.c.project_id, project_id <= parts.c.project_id]
        within = [each for each in rows.order if each.column is project_id] + within
    of_part = (
        select(rows.table)
        .where(*is_of_part, rows.condition, clause(filter, rows.table.c))
        .where(limits(rows.order, request))
        .order_by(*ordering(within, request))
        .limit(size())
        .lateral("of_part")
    )
    outer = [OrderColumn(of_part.c[str(each.column.key)], each.descending) for each in rows.order]
    of_parts = select(of_part).select_from(parts.join(of_part, true()))
    return of_parts.order_by(*ordering(outer, request)).limit(size())


@lru_cache
def _count(scope_size: ScopeSize, rows: TableList, filter: Shape) -> SqlQuery:
    conditions = rows.conditions(scope_size, filter)
    return counting(f"{rows.name}_count", rows.table, *conditions)


@lru_cache
def _with_values(scope_size: ScopeSize, rows: TableList, column: str) -> SqlQuery:
    wanted = any_of(rows.table.c[column], "values")
    found = select(rows.table).where(wanted, *rows.conditions(scope_size, ()))
    return SqlQuery(f"{rows.name}_by_{column}", found)
