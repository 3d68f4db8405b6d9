"""Projects in a scope: by id, by slug, and as pages ordered by slug."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.dimensions import projects
from storage.queries.conditions import Filter, Shape, clause, parameters, shape
from storage.queries.paging import OrderColumn, Page, PageRequest, PageShape, counting, page, paged
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within

BY_SLUG = [OrderColumn(projects.c.slug)]


async def by_ids(database: Database, scope: ProjectScope, ids: Sequence[int]) -> dict[int, Any]:
    rows = await fetch_within(database, scope, _by_ids, ids=list(ids))
    return {row["project_id"]: row for row in rows}


@lru_cache
def _by_ids(scope_size: ScopeSize) -> SqlQuery:
    wanted = any_of(projects.c.project_id, "ids")
    return SqlQuery("projects_by_ids", _select(scope_size).where(wanted))


async def by_slugs(database: Database, scope: ProjectScope, slugs: Sequence[str]) -> dict[str, Any]:
    rows = await fetch_within(database, scope, _by_slugs, slugs=list(slugs))
    return {row["slug"]: row for row in rows}


@lru_cache
def _by_slugs(scope_size: ScopeSize) -> SqlQuery:
    wanted = any_of(projects.c.slug, "slugs")
    return SqlQuery("projects_by_slugs", _select(scope_size).where(wanted))


async def find(
    database: Database, scope: ProjectScope, filter: Filter, request: PageRequest
) -> Page[Any]:
    """One page, ordered by slug."""
    shapes, values = (shape(filter), request.shape), parameters(filter) | request.parameters()
    return page(await fetch_within(database, scope, _find, *shapes, **values), request)


@lru_cache
def _find(scope_size: ScopeSize, filter: Shape, request: PageShape) -> SqlQuery:
    found = _select(scope_size).where(clause(filter, projects.c))
    return SqlQuery("projects_find", paged(found, BY_SLUG, request))


async def count(database: Database, scope: ProjectScope, filter: Filter, limit: int) -> int:
    """The number of matching projects, counted up to `limit`."""
    values = parameters(filter) | {"limit": limit}
    rows = await fetch_within(database, scope, _count, shape(filter), **values)
    return rows[0]["found"] if rows else 0


@lru_cache
def _count(scope_size: ScopeSize, filter: Shape) -> SqlQuery:
    inside = allowed(projects.c.project_id, scope_size)
    return counting("projects_count", projects, inside, clause(filter, projects.c))


def _select(scope_size: ScopeSize) -> Any:
    return select(projects).where(allowed(projects.c.project_id, scope_size))
