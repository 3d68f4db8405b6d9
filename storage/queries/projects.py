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
    Window,
    WindowShape,
    limits,
    ordering,
    page,
    size,
)
from storage.queries.scoping import Reach, Scope, allowed, is_empty, reach, scope_parameters

BY_SLUG = [OrderColumn(projects.c.slug)]


async def by_ids(database: Database, scope: Scope, ids: Sequence[int]) -> dict[int, Any]:
    if is_empty(scope) or not ids:
        return {}
    query = _by_ids(reach(scope))
    rows = await database.fetch(query, **scope_parameters(scope), ids=list(ids))
    return {row["project_id"]: row for row in rows}


@lru_cache
def _by_ids(reach: Reach) -> Query:
    key = projects.c.project_id
    return Query("projects_by_ids", select(projects).where(allowed(key, reach), any_of(key, "ids")))


async def by_slugs(database: Database, scope: Scope, slugs: Sequence[str]) -> dict[str, Any]:
    if is_empty(scope) or not slugs:
        return {}
    query = _by_slugs(reach(scope))
    rows = await database.fetch(query, **scope_parameters(scope), slugs=list(slugs))
    return {row["slug"]: row for row in rows}


@lru_cache
def _by_slugs(reach: Reach) -> Query:
    source = projects.c
    return Query(
        "projects_by_slugs",
        select(projects).where(allowed(source.project_id, reach), any_of(source.slug, "slugs")),
    )


async def find(database: Database, scope: Scope, filter: Filter, window: Window) -> Page[Any]:
    """One page, by slug."""
    if is_empty(scope):
        return Page([], has_next=False, has_previous=False)
    query = _find(reach(scope), shape(filter), window.shape)
    rows = await database.fetch(
        query, **scope_parameters(scope), **parameters(filter), **window.parameters()
    )
    return page(rows, window)


@lru_cache
def _find(reach: Reach, filter: Shape, window: WindowShape) -> Query:
    return Query(
        "projects_find",
        select(projects)
        .where(
            allowed(projects.c.project_id, reach),
            clause(filter, projects.c),
            limits(BY_SLUG, window),
        )
        .order_by(*ordering(BY_SLUG, window))
        .limit(size()),
    )


async def count(database: Database, scope: Scope, filter: Filter, limit: int) -> int:
    """How many there are, counted no further than `limit`."""
    if is_empty(scope):
        return 0
    query = _count(reach(scope), shape(filter))
    rows = await database.fetch(query, **scope_parameters(scope), **parameters(filter), limit=limit)
    return int(rows[0]["found"])


@lru_cache
def _count(reach: Reach, filter: Shape) -> Query:
    found = (
        select(literal(1).label("one"))
        .select_from(projects)
        .where(allowed(projects.c.project_id, reach), clause(filter, projects.c))
        .limit(bindparam("limit", type_=Integer, required=True))
        .subquery("found")
    )
    return Query("projects_count", select(func.count().label("found")).select_from(found))
