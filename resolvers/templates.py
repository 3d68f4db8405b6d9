"""Templates: the platform's catalogue of deployable things."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from access.scopes import Scope
from resolvers.context import Context
from resolvers.deferred_columns import deferred
from resolvers.identifiers import NodeKind, encode_number
from resolvers.pages import Connection, Listing, PageArguments, each
from resolvers.projects import matching
from storage.dimensions import OTHER, Dictionary
from storage.queries import templates as queries
from storage.queries.conditions import All, Condition, Operator


class TemplateName(NamedTuple):
    """A template's slug and name, which suffice for most lists of deployments."""

    template_id: int
    slug: str
    name: str

    @property
    def id(self) -> str:
        return encode_number(NodeKind.TEMPLATE, self.template_id)


class Template(NamedTuple):
    """A deployable thing; a tuple, because lists make many of them."""

    template_id: int
    slug: str
    name: str
    description: str | None
    category: str | None
    tags: Sequence[str]
    created_at: datetime

    @property
    def id(self) -> str:
        return encode_number(NodeKind.TEMPLATE, self.template_id)

    @classmethod
    def of(cls, row: Any) -> Template:
        return cls._make(row[name] for name in cls._fields)


_DEFERRED = Template._fields[2:]


async def template(context: Context, slug: str, *, defer: bool = False) -> Template | None:
    """With `defer`, only the id is looked up now; fields await the other columns."""
    rows = context.loaders.template_by_slug
    if not defer:
        row = await rows.load(slug)
        return None if row is None else Template.of(row)
    template_id = (await context.services.dictionaries.ids(Dictionary.TEMPLATE, [slug])).get(slug)
    if template_id is None or template_id <= OTHER:
        return None
    return Template(template_id, slug, *(deferred(rows, slug, column) for column in _DEFERRED))


async def template_by_id(context: Context, template_id: int) -> Template | None:
    row = await context.loaders.template_by_id.load(template_id)
    return None if row is None else Template.of(row)


async def templates(
    context: Context,
    page: PageArguments,
    search: str | None,
    category: str | None,
) -> Connection[Template]:
    """Returns a page of templates by slug; `search` is a substring of slug or name."""
    conditions = matching(search)
    if category is not None:
        conditions = All((*conditions.parts, Condition("category", Operator.EQ, category)))
    database = context.services.database
    listing = Listing(
        "templates:slug",
        lambda request: queries.BY_SLUG.find(database, conditions, request),
        lambda limit: queries.BY_SLUG.count(database, conditions, limit),
        each(Template.of),
        lambda node: [node.slug],
    )
    # The catalogue is the same for every viewer, so its cursors are too.
    return await listing.page(context, Scope.everything(), page)
