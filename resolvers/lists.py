"""Lists of a fact's rows: pages by filter and order; most links are joined to the rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from access.scopes import Scope
from analytics import slices
from analytics.periods import Range
from resolvers.context import Context
from resolvers.entities import EntityNode, Links
from resolvers.events import EventRow
from resolvers.names import NameInProject
from resolvers.pages import Connection, Listing, PageArguments, table_page
from resolvers.population import FilterNames, resolve_filter
from storage.dimensions import PROJECT
from storage.errors import InvalidInput, LimitExceeded
from storage.facts.fact import Fact
from storage.names import can_be_stored
from storage.queries import facts as queries
from storage.queries.conditions import Condition, Filter, Operator
from storage.queries.facts import Ids, Rows, dimensions_of, ids_of_series
from storage.queries.names import names_of
from storage.queries.rows import (
    Order,
    begins,
    expiries,
    is_indexed,
    parse_position,
    position_values,
    searched,
)

# A search, and an order without an index, read every row of the range.
MAX_RANGE = timedelta(days=93)
MAX_TEXT_LENGTH = 200


class Statuses(NamedTuple):
    """The column of a status, and the values to list."""

    column: str
    values: Collection[int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The arguments of a list: its rows and their order."""

    order: Order
    names: FilterNames = field(default_factory=dict)
    statuses: Statuses | None = None
    search: str | None = None
    range: Range | None = None
    expires_before: datetime | None = None  # only what is in force

    def conditions(self, fact: Fact) -> Filter:
        """The conditions besides the names; raises InvalidInput or LimitExceeded."""
        found: list[Condition] = []
        if self.statuses is not None:
            column, values = self.statuses
            found.append(Condition((column,), Operator.IN, sorted(set(values))))
        if self.range is not None:
            at = (begins(fact),)
            found.append(Condition(at, Operator.GTE, self.range.start))
            found.append(Condition(at, Operator.LT, self.range.end))
        if self.expires_before is not None:
            found.append(Condition(expiries(fact), Operator.LT, self.expires_before))
        if self.search:
            found.append(Condition(searched(fact), Operator.CONTAINS, checked_search(self.search)))
        return tuple(found)


async def rows(
    context: Context,
    kind: type[EntityNode] | type[EventRow],
    wanted: Wanted,
    page: PageArguments,
    links: Links,
) -> Connection[Any]:
    """Returns a page of the viewer's rows of a fact."""
    database, fact, order = context.services.database, kind.fact, wanted.order
    scope, chosen = await selected(context, fact, wanted)
    listing: Listing[Any] = Listing(
        f"{fact.name}:{order.column}:{'desc' if order.descending else 'asc'}",
        lambda request: queries.find(database, scope, chosen, request, links.reading),
        lambda limit: queries.count(database, scope, chosen, limit),
        lambda found: kind.made(context, found, links),
        lambda node: position_values(fact, order, node.row),
        partial(parse_position, fact, order),
    )
    return await listing.page(context, context.scope, page)


async def names(
    context: Context,
    kind: type[NameInProject],
    fact: Fact,
    wanted: FilterNames,
    search: str | None,
    page: PageArguments,
) -> Connection[Any]:
    """Returns a page of the names that rows of the fact have, by name."""
    scope, rows = await selected(context, fact, Wanted(Order(begins(fact)), wanted))
    found = (Condition(("name",), Operator.CONTAINS, checked_search(search)),) if search else ()
    table, ids = names_of(fact, kind.dimension, dimensions_of(rows.ids)), ids_of_series(rows.ids)
    return await table_page(context, page, table, kind.of, found, scope=scope, **ids)


async def selected(context: Context, fact: Fact, wanted: Wanted) -> tuple[Scope, Rows]:
    """Returns the scope, narrowed to the projects that are named, and the rows to list."""
    _check_bounded(fact, wanted)
    filter = await resolve_filter(context, [fact], wanted.names)
    scope, ids = within(context.scope, filter)
    in_force = wanted.expires_before is not None
    return scope, Rows(fact, wanted.order, wanted.conditions(fact), ids, in_force)


def within(scope: Scope, filter: slices.Filter) -> tuple[Scope, Ids]:
    """Returns the scope, narrowed to the projects of a filter, and its ids of other dimensions."""
    projects = filter.ids(PROJECT)
    narrowed = scope if projects is None else scope.narrow(projects)
    return narrowed, tuple(pair for pair in filter.pairs if pair[0] is not PROJECT)


def _check_bounded(fact: Fact, wanted: Wanted) -> None:
    given = "search" if wanted.search else "orderBy"
    if not wanted.search and is_indexed(fact, wanted.order):
        return
    if wanted.range is None or wanted.range.end - wanted.range.start > MAX_RANGE:
        raise InvalidInput(
            f"This {given} reads all {fact.noun} of a range: give a `range` of at most "
            f"{MAX_RANGE.days} days.",
            path="range",
        )


def checked_search(text: str) -> str:
    """The text of a search; raises LimitExceeded or InvalidInput."""
    if len(text) > MAX_TEXT_LENGTH:
        raise LimitExceeded(
            f"A search has at most {MAX_TEXT_LENGTH} characters, not {len(text)}.",
            limit=f"characters per search: {MAX_TEXT_LENGTH}",
            path="search",
        )
    if not can_be_stored(text):
        raise InvalidInput("The text holds NUL or half a surrogate pair; remove it.", path="search")
    return text
