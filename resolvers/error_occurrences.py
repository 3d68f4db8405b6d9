"""Occurrences of errors: lists, one by its key, and what each is linked to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from access.scopes import Scope
from resolvers.context import Context
from resolvers.entities import Deployment, Links
from resolvers.error_bodies import Body
from resolvers.error_fields import deployment_by_id, function_by_name, rows_of
from resolvers.errors import Error, error_of, query_of
from resolvers.event_nodes import EventNode, Key, event_key
from resolvers.lists import Wanted, selected
from resolvers.names import Function
from resolvers.pages import Connection, Listing, PageArguments
from resolvers.provisioned import Network, Template
from storage.dimensions import NETWORK, TEMPLATE
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.queries import facts as queries
from storage.queries.conditions import Condition, Operator
from storage.queries.errors.related import BODIES, FINGERPRINTS, OCCURRENCES
from storage.queries.errors.searching import (
    NEWEST,
    Search,
    count_occurrences,
    find_fingerprints,
    find_occurrences,
)
from storage.queries.facts import Rows
from storage.queries.joins import PLAIN
from storage.queries.paging import Page, PageRequest
from storage.queries.rows import parse_position, position_values


class ErrorOccurrence(EventNode):
    """An occurrence of an error."""

    __slots__ = ()
    fact = ERROR_OCCURRENCES
    error_type = property(lambda self: self.row["error_type"])
    severity = property(lambda self: self.row["severity"])
    network_name = property(lambda self: self.row["network"])
    template_slug = property(lambda self: self.row["template"])
    function_name = property(lambda self: self.row["function"])


async def occurrences(
    context: Context, wanted: Wanted, search: str | None, page: PageArguments
) -> Connection[ErrorOccurrence]:
    """Returns a page of the viewer's occurrences; `search` is a text in their bodies."""
    scope, rows = await selected(context, ERROR_OCCURRENCES, wanted)
    if not search:
        return await _page(context, scope, rows, page)
    database, query = context.services.database, query_of(search, wanted.range)
    found = await find_fingerprints(database, scope, query)
    chosen = Search(query, found.keys is not None, rows.ids)
    listing = _listing(
        context,
        lambda request: find_occurrences(database, scope, chosen, request),
        lambda limit: count_occurrences(database, scope, chosen, limit),
    )
    return await listing.page(context, context.scope, page)


async def occurrences_of(
    context: Context, error: Error, page: PageArguments
) -> Connection[ErrorOccurrence]:
    """Returns a page of the occurrences of an error."""
    fingerprints = await rows_of(context, error, FINGERPRINTS)
    ids = [row["fingerprint_id"] for row in fingerprints]
    of_error = Condition(("fingerprint_id",), Operator.IN, ids)
    scope = context.scope.narrow([error.project_id])
    return await _page(context, scope, Rows(ERROR_OCCURRENCES, NEWEST, (of_error,)), page)


async def _page(
    context: Context, scope: Scope, rows: Rows, page: PageArguments
) -> Connection[ErrorOccurrence]:
    database = context.services.database
    listing = _listing(
        context,
        lambda request: queries.find(database, scope, rows, request),
        lambda limit: queries.count(database, scope, rows, limit),
    )
    return await listing.page(context, context.scope, page)


def _listing(
    context: Context,
    find: Callable[[PageRequest], Awaitable[Page[Any]]],
    count: Callable[[int], Awaitable[int]],
) -> Listing[ErrorOccurrence]:
    return Listing(
        "error_occurrences",
        find,
        count,
        lambda rows: ErrorOccurrence.made(context, rows, PLAIN),
        lambda node: position_values(ERROR_OCCURRENCES, NEWEST, node.row),
        partial(parse_position, ERROR_OCCURRENCES, NEWEST),
    )


async def latest_occurrence(context: Context, error: Error) -> ErrorOccurrence | None:
    """Returns the latest occurrence; None if it is older than what is stored."""
    key = error.project_id, error.last_at, error.row["last_event_id"]
    return await _by_key(context, key)


async def occurrence_by_key(context: Context, project_id: int, key: str) -> ErrorOccurrence | None:
    """Returns the occurrence of a global id's key; None for an invalid key."""
    found = event_key(project_id, key)
    return found and await _by_key(context, found)


async def _by_key(context: Context, key: Key) -> ErrorOccurrence | None:
    rows = await context.loaders.of_errors(OCCURRENCES, 1).load(key)
    return ErrorOccurrence(rows[0], None) if rows else None


async def body(context: Context, occurrence: ErrorOccurrence) -> Body | None:
    """Returns its body; None if it was not kept."""
    rows = await context.loaders.of_errors(BODIES, 1).load(occurrence.key)
    found = rows[0]["body"] if rows else None
    return Body(found) if isinstance(found, dict) else None


async def error(context: Context, occurrence: ErrorOccurrence) -> Error | None:
    return await error_of(context, occurrence.project_id, occurrence.row["fingerprint_id"])


async def network(context: Context, occurrence: ErrorOccurrence) -> Network | None:
    name = occurrence.network_name
    row = name and await context.loaders.provisioned(NETWORK, NETWORK.label).load(name.lower())
    return Network.of(row) if row else None


async def template(context: Context, occurrence: ErrorOccurrence) -> Template | None:
    slug = occurrence.template_slug
    row = slug and await context.loaders.provisioned(TEMPLATE, TEMPLATE.label).load(slug.lower())
    return Template.of(row) if row else None


async def function(context: Context, occurrence: ErrorOccurrence) -> Function | None:
    name = occurrence.function_name
    return None if name is None else await function_by_name(context, occurrence.project_id, name)


async def deployment(
    context: Context, occurrence: ErrorOccurrence, links: Links
) -> Deployment | None:
    id = occurrence.row["deployment_id"]
    return id and await deployment_by_id(context, occurrence.project_id, id, links)
