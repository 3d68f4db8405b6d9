"""Log lines: lists, searches, one by its key, and what each is linked to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from access.scopes import Scope
from analytics.periods import Range
from resolvers.context import Context
from resolvers.entities import Deployment, Links
from resolvers.entity_fields import uuid_of
from resolvers.error_fields import deployment_by_id
from resolvers.event_nodes import EventNode, event_key
from resolvers.identifiers import decode
from resolvers.lists import MAX_RANGE, Statuses, checked_search, selected
from resolvers.lists import Wanted as RowsWanted
from resolvers.names import Function
from resolvers.pages import Connection, Listing, PageArguments
from resolvers.population import FilterNames
from storage.errors import InvalidInput
from storage.facts.log_lines import LOG_LINES
from storage.queries import facts as queries
from storage.queries.conditions import Condition, Filter, Operator
from storage.queries.errors.related import related
from storage.queries.facts import Rows
from storage.queries.joins import PLAIN
from storage.queries.log_lines import BY_KEY, NEWEST, TEXTS, Search, Span, count, find, prepare
from storage.queries.paging import Page, PageRequest
from storage.queries.rows import parse_position, position_values

MAX_TRACE_LENGTH = 64
# No line is further ahead of its time.
_AHEAD = timedelta(days=1)


class LogLine(EventNode):
    """A log line."""

    __slots__ = ()
    fact = LOG_LINES
    logger = property(lambda self: self.row["logger"])
    function_name = property(lambda self: self.row["function"])
    function = property(lambda self: Function.in_row(self.row))


class LogText(NamedTuple):
    """The message and the fields of a line."""

    message: str | None
    fields: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The arguments of a list of lines; None for what does not filter."""

    names: FilterNames = field(default_factory=dict)
    levels: Collection[int] | None = None
    search: str | None = None
    range: Range | None = None
    deployment: str | None = None
    trace_id: str | None = None

    def conditions(self) -> Filter:
        """The conditions besides names, levels and range; raises InvalidInput."""
        found = []
        if (deployment_id := self.deployment_id) is not None:
            found.append(Condition(("deployment_id",), Operator.EQ, deployment_id))
        if self.trace_id is not None:
            found.append(Condition(("trace_id",), Operator.EQ, self.trace))
        return tuple(found)

    @property
    def trace(self) -> str | None:
        """The id of the trace as it is stored."""
        return None if self.trace_id is None else self.trace_id[:MAX_TRACE_LENGTH].lower()

    @property
    def deployment_id(self) -> UUID | None:
        """The UUID in a global id, or the UUID; raises InvalidInput."""
        if self.deployment is None:
            return None
        if (uuid := uuid_of(self.deployment)) is not None:
            return uuid
        identifier = decode(self.deployment)
        uuid = uuid_of(identifier.key)
        if identifier.kind != "Deployment" or uuid is None:
            raise InvalidInput("This is not the id of a Deployment.", path="deployment")
        return uuid


async def log_lines(context: Context, wanted: Wanted, page: PageArguments) -> Connection[LogLine]:
    """Returns a page of the viewer's lines, newest first."""
    levels = None if wanted.levels is None else Statuses("level", wanted.levels)
    if wanted.search and wanted.range is None:
        wanted = replace(wanted, range=_longest_range(context))
    plain = RowsWanted(NEWEST, wanted.names, levels, wanted.search, wanted.range)
    scope, rows = await selected(context, LOG_LINES, plain)
    if wanted.search:
        return await _searched(context, scope, rows, wanted, page)
    chosen = Rows(LOG_LINES, NEWEST, (*rows.conditions, *wanted.conditions()), rows.ids)
    database = context.services.database
    listing = _listing(
        context,
        lambda request: queries.find(database, scope, chosen, request),
        lambda limit: queries.count(database, scope, chosen, limit),
    )
    return await listing.page(context, context.scope, page)


def _longest_range(context: Context) -> Range:
    end = context.now + _AHEAD
    return Range(end - MAX_RANGE, end)


async def _searched(
    context: Context, scope: Scope, rows: Rows, wanted: Wanted, page: PageArguments
) -> Connection[LogLine]:
    assert wanted.search
    assert wanted.range
    search = Search(
        checked_search(wanted.search),
        Span(wanted.range.start, wanted.range.end),
        context.now,
        rows.ids,
        None if wanted.levels is None else sorted(wanted.levels),
        wanted.deployment_id,
        wanted.trace,
    )
    database = context.services.database
    prepared = await prepare(database, scope, search)
    listing = _listing(
        context,
        lambda request: find(database, scope, prepared, request),
        lambda limit: count(database, scope, prepared, limit),
    )
    return await listing.page(context, context.scope, page)


def _listing(
    context: Context,
    find: Callable[[PageRequest], Awaitable[Page[Any]]],
    count: Callable[[int], Awaitable[int]],
) -> Listing[LogLine]:
    return Listing(
        "log_lines",
        find,
        count,
        lambda rows: LogLine.made(context, rows, PLAIN),
        lambda node: position_values(LOG_LINES, NEWEST, node.row),
        partial(parse_position, LOG_LINES, NEWEST),
    )


async def line_by_key(context: Context, project_id: int, key: str) -> LogLine | None:
    """Returns the line of a global id's key; None for an invalid key."""
    found = event_key(project_id, key)
    rows = found and await context.loaders.of(related, BY_KEY, 1).load(found)
    return LogLine(rows[0], None) if rows else None


async def text(context: Context, line: LogLine) -> LogText | None:
    """Returns the text of a line; None if it was not kept."""
    rows = await context.loaders.of(related, TEXTS, 1).load(line.key)
    return LogText(rows[0]["message"], rows[0]["fields"]) if rows else None


async def deployment(context: Context, line: LogLine, links: Links) -> Deployment | None:
    """Returns the deployment of a line; None if it names none that is known."""
    id = line.row["deployment_id"]
    return id and await deployment_by_id(context, line.project_id, id, links)
