"""Templates: the platform's list, the same for every tenant, so read without a scope."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.dimensions import OTHER, templates
from storage.queries.conditions import Filter, Shape, clause, parameters, shape
from storage.queries.paging import OrderColumn, Page, PageRequest, PageShape, counting, page, paged

BY_SLUG = [OrderColumn(templates.c.slug)]

_IS_PROVISIONED = templates.c.template_id > OTHER
_PROVISIONED = select(templates).where(_IS_PROVISIONED)
_BY_SLUGS = SqlQuery("templates_by_slugs", _PROVISIONED.where(any_of(templates.c.slug, "slugs")))
_BY_IDS = SqlQuery("templates_by_ids", _PROVISIONED.where(any_of(templates.c.template_id, "ids")))


async def by_slugs(database: Database, slugs: Sequence[str]) -> dict[str, Any]:
    return {row["slug"]: row for row in await database.fetch(_BY_SLUGS, slugs=list(slugs))}


async def by_ids(database: Database, ids: Sequence[int]) -> dict[int, Any]:
    return {row["template_id"]: row for row in await database.fetch(_BY_IDS, ids=list(ids))}


async def find(database: Database, filter: Filter, request: PageRequest) -> Page[Any]:
    """One page, ordered by slug."""
    query = _find(shape(filter), request.shape)
    rows = await database.fetch(query, **parameters(filter), **request.parameters())
    return page(rows, request)


@lru_cache
def _find(filter: Shape, request: PageShape) -> SqlQuery:
    found = _PROVISIONED.where(clause(filter, templates.c))
    return SqlQuery("templates_find", paged(found, BY_SLUG, request))


async def count(database: Database, filter: Filter, limit: int) -> int:
    """The number of matching templates, counted up to `limit`."""
    rows = await database.fetch(_count(shape(filter)), **parameters(filter), limit=limit)
    return int(rows[0]["found"])


@lru_cache
def _count(filter: Shape) -> SqlQuery:
    return counting("templates_count", templates, _IS_PROVISIONED, clause(filter, templates.c))
