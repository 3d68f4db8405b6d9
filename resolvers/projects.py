"""Projects inside the viewer's scope: one, or a page of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from resolvers.context import Context
from resolvers.deferred_columns import deferred
from resolvers.identifiers import NodeKind, encode_number
from resolvers.pages import Connection, Listing, PageArguments, each
from storage.queries import projects as queries
from storage.queries.conditions import All, Condition, Either, Operator


class Project(NamedTuple):
    """A tenant's project; a tuple, because lists make many of them."""

    project_id: int
    slug: str
    name: str
    created_at: datetime

    @property
    def id(self) -> str:
        return encode_number(NodeKind.PROJECT, self.project_id)

    @classmethod
    def of(cls, row: Any) -> Project:
        return cls(row["project_id"], row["slug"], row["name"], row["created_at"])


async def project(context: Context, slug: str, *, defer: bool = False) -> Project | None:
    """With `defer`, only the id is looked up now; fields await the other columns."""
    rows = context.loaders.project_by_slug
    if not defer:
        row = await rows.load(slug)
        return None if row is None else Project.of(row)
    project_id = (await context.project_ids([slug])).get(slug)
    if project_id is None:
        return None
    return Project(
        project_id, slug, deferred(rows, slug, "name"), deferred(rows, slug, "created_at")
    )


async def project_by_id(context: Context, project_id: int) -> Project | None:
    row = await context.loaders.project_by_id.load(project_id)
    return None if row is None else Project.of(row)


async def projects(
    context: Context, page: PageArguments, search: str | None
) -> Connection[Project]:
    """Returns a page of projects by slug; `search` is a substring of slug or name."""
    database, scope, conditions = context.services.database, context.scope, matching(search)
    listing = Listing(
        "projects:slug",
        lambda request: queries.find(database, scope, conditions, request),
        lambda limit: queries.count(database, scope, conditions, limit),
        each(Project.of),
        lambda node: [node.slug],
    )
    return await listing.page(context, scope, page)


def matching(search: str | None) -> All:
    """Rows whose slug or name contains the text."""
    if not search:
        return All()
    contains = (Condition(column, Operator.CONTAINS, search) for column in ("slug", "name"))
    return All((Either(tuple(contains)),))
