"""Projects inside a scope: by id, by slug and as pages by slug."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, bindparam, func, literal, select

from storage.connections.database import Database
from storage.connections.query import Query, any_of
from storage.dimensions import projects
from storage.queries.conditions import Filter, Shape, clause, parameters, shape
from storage.queries.paging import (
    OrderColumn,
    Page,
    PageRequest,
    PageShape,
    limits,
    ordering,
    page,
    size,
)
from storage.queries.scoping import (
    ProjectScope,
    ScopeSize,
    allowed,
    is_empty,
    scope_parameters,
    size_of,
)

BY_SLUG = [OrderColumn(projects.c.slug)]


async def by_ids(database: Database, scope: ProjectScope, ids: Sequence[int]) -> dict[int, Any]:
    if is_empty(scope) or not ids:
        return {}
    query = _by_ids(size_of(scope))
    rows = await database.fetch(query, **scope_parameters(scope), ids=list(ids))
    return {row["project_id"]: row for row in rows}


@lru_cache
def _by_ids(scope_size: ScopeSize) -> Query:
    key = projects.c.project_id
    return Query(
        "projects_by_ids", select(projects).where(allowed(key, scope_size), any_of(key, "ids"))
    )


async def by_slugs(database: Database, scope: ProjectScope, slugs: Sequence[str]) -> dict[str, Any]:
    if is_empty(scope) or not slugs:
        return {}
    query = _by_slugs(size_of(scope))
    rows = await database.fetch(query, **scope_parameters(scope), slugs=list(slugs))
    return {row["slug"]: row for row in rows}


@lru_cache
def _by_slugs(scope_size: ScopeSize) -> Query:
    source = projects.c
    return Query(
        "projects_by_slugs",
        select(projects).where(
            allowed(source.project_id, scope_size), any_of(source.slug, "slugs")
        ),
    )


async def find(
    database: Database, scope: ProjectScope, filter: Filter, request: PageRequest
) -> Page[Any]:
    """One page, by slug."""
    if is_empty(scope):
        return Page([], has_next=False, has_previous=False)
    query = _find(size_of(scope), shape(filter), request.shape)
    rows = await database.fetch(
        query, **scope_parameters(scope), **parameters(filter), **request.parameters()
    )
    return page(rows, request)


@lru_cache
def _find(scope_size: ScopeSize, filter: Shape, request: PageShape) -> Query:
    return Query(
        "projects_find",
        select(projects)
        .where(
            allowed(projects.c.project_id, scope_size),
            clause(filter, projects.c),
            limits(BY_SLUG, request),
        )
        .order_by(*ordering(BY_SLUG, request))
        .limit(size()),
    )


async def count(database: Database, scope: ProjectScope, filter: Filter, limit: int) -> int:
    """How many there are, counted no further than `limit`."""
    if is_empty(scope):
        return 0
    query = _count(size_of(scope), shape(filter))
    rows = await database.fetch(query, **scope_parameters(scope), **parameters(filter), limit=limit)
    return int(rows[0]["found"])


@lru_cache
def _count(scope_size: ScopeSize, filter: Shape) -> Query:
    found = (
        select(literal(1).label("one"))
        .select_from(projects)
        .where(allowed(projects.c.project_id, scope_size), clause(filter, projects.c))
        .limit(bindparam("limit", type_=Integer, required=True))
        .subquery("found")
    )
    return Query("projects_count", select(func.count().label("found")).select_from(found))
