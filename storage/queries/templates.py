"""Templates: the platform's list, the same for every tenant, so read without a scope."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.dimensions import OTHER, templates
from storage.queries.paging import OrderColumn, UnscopedList

_IS_PROVISIONED = templates.c.template_id > OTHER
_PROVISIONED = select(templates).where(_IS_PROVISIONED)
BY_SLUG = UnscopedList("templates", templates, [OrderColumn(templates.c.slug)], _IS_PROVISIONED)
_BY_SLUGS = SqlQuery("templates_by_slugs", _PROVISIONED.where(any_of(templates.c.slug, "slugs")))
_BY_IDS = SqlQuery("templates_by_ids", _PROVISIONED.where(any_of(templates.c.template_id, "ids")))


async def by_slugs(database: Database, slugs: Sequence[str]) -> dict[str, Any]:
    return {row["slug"]: row for row in await database.fetch(_BY_SLUGS, slugs=list(slugs))}


async def by_ids(database: Database, ids: Sequence[int]) -> dict[int, Any]:
    return {row["template_id"]: row for row in await database.fetch(_BY_IDS, ids=list(ids))}
