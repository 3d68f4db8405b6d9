"""Root fields: lists of a fact's rows with filter and order, names, and one entity by its id."""

from datetime import datetime
from enum import Enum
from functools import cache
from inspect import signature
from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from resolvers import entity_fields, lists
from resolvers.entities import EntityNode, Links
from resolvers.events import EventRow
from resolvers.lists import MAX_RANGE, MAX_TEXT_LENGTH
from resolvers.names import NameInProject
from schema.declarations import field
from schema.enums import Direction, status_of
from schema.figures.filters import filter_argument, filter_names
from schema.figures.ranges import UTC, TimeRange, ZoneArgument, to_range
from schema.info import Info
from schema.lists.connections import (
    After,
    Before,
    Connection,
    First,
    Last,
    item_fields,
    page_arguments,
)
from schema.lists.links import links
from schema.names import type_name
from schema.selection import Selected, Selection, look_ahead
from storage.facts.fact import Fact
from storage.queries.rows import Order, expiries, orders

_BOUNDED = f"Needs a `range` of at most {MAX_RANGE.days} days."
# The name of an order in the schema, and its description, by column.
_ORDERS = {
    "created_at": ("CREATED_AT", "The time of creation."),
    "finished_at": ("FINISHED_AT", "The time of the finish; unfinished ones are left out."),
    "occurred_at": ("OCCURRED_AT", "The time they occurred."),
    "not_after": ("EXPIRES_AT", "The time of expiry; unknown ones are left out."),
    "updated_at": ("UPDATED_AT", f"The time of the latest event. {_BOUNDED}"),
    "duration_us": ("DURATION_MS", f"The duration; unknown ones are left out. {_BOUNDED}"),
    "status": ("STATUS", f"The status, in the order of its enum. {_BOUNDED}"),
}

IdArgument = Annotated[strawberry.ID, strawberry.argument("The global id or the UUID.")]
RangeArgument = Annotated[
    TimeRange | None,
    strawberry.argument("Only those created (or, of calls, completed) in it; all by default."),
]
NameArgument = Annotated[
    str | None, strawberry.argument("Only those whose name contains this text.")
]
SearchArgument = Annotated[
    str | None,
    strawberry.argument(
        "Only those with this text in their id or a text sent with them, but not in names of "
        f"dimensions, in upper or lower case; at most {MAX_TEXT_LENGTH} characters. {_BOUNDED}"
    ),
]


ExpiryArgument = Annotated[
    datetime | None,
    strawberry.argument(
        "Only those in force that expire before this time, or have expired, by default soonest "
        "first. In force is the latest that was issued for a domain in an environment, unless it "
        "was removed."
    ),
]


@cache
def order_of(fact: Fact) -> Any:
    """Makes the input `<Fact>Order`, with its enum `<Fact>OrderField`."""
    fields = {
        name: strawberry.enum_value(column, description=description)
        for column, (name, description) in ((each, _ORDERS[each]) for each in orders(fact))
    }
    by = Enum(f"{type_name(fact)}OrderField", fields)  # type: ignore[misc]
    members = {
        "__annotations__": {
            "field": strawberry.enum(by, description=f"What {fact.noun} are sorted by."),
            "direction": Direction,
        },
        "__module__": __name__,
        "field": strawberry.field(default=next(iter(by)), description="What to sort by."),
        "direction": strawberry.field(default=Direction.DESC, description="The direction."),
    }
    description = f"The order of {fact.noun}; the id decides between equal ones."
    return strawberry.input(type(f"{type_name(fact)}Order", (), members), description=description)


def _item_links(selection: Selection, fields: list[Selected]) -> Links:
    return links(selection, item_fields(selection, fields))


def list_field(kind: type[EntityNode] | type[EventRow], node: Any) -> Any:
    """The root field of the rows of a fact that a viewer can see."""
    fact = kind.fact
    column, status = status_of(fact) or ("", None)

    async def rows(  # noqa: PLR0913, PLR0917 - the arguments of the field
        info: Info,
        filter: Any = None,
        statuses: Any = None,
        search: SearchArgument = None,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
        expires_before: ExpiryArgument = None,
        order_by: Any = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        wanted = lists.Wanted(
            _order(fact, order_by, expires_before),
            filter_names(filter),
            None if statuses is None else lists.Statuses(column, list(map(_value, statuses))),
            search,
            None if range is None else to_range(info.context, range, time_zone),
            expires_before,
        )
        page = page_arguments(info, first, after, last, before)
        return await lists.rows(info.context, kind, wanted, page, look_ahead(info, _item_links))

    order = strawberry.argument("The order; newest first by default.")
    chosen = strawberry.argument("Only those with one of these statuses; all by default.")
    rows.__annotations__ |= {
        "filter": filter_argument(fact),
        "statuses": Annotated[list[status] | None, chosen],  # type: ignore[valid-type]
        "order_by": Annotated[order_of(fact) | None, order],
        "return": Connection[node] | None,
    }
    missing = {"statuses": status is None, "expires_before": not expiries(fact)}
    given = signature(rows)
    left = [each for name, each in given.parameters.items() if not missing.get(name)]
    rows.__signature__ = given.replace(parameters=left)  # type: ignore[attr-defined]
    description = f"The {fact.noun} you can see; null on error."
    return field(Permission.READ, description, kept=True, facts=(fact.name,))(rows)


def _value(given: Any) -> Any:
    return given.value if isinstance(given, Enum) else given


def _order(fact: Fact, given: Any, expires_before: datetime | None) -> Order:
    if given is None:
        newest, soonest = Order(orders(fact)[0]), (Order(c, False) for c in expiries(fact))
        return newest if expires_before is None else next(soonest)
    return Order(given.field.value, descending=given.direction is Direction.DESC)


def entity_field(kind: type[EntityNode], node: Any) -> Any:
    """The root field of one entity."""

    async def entity(info: Info, id: IdArgument) -> Any:
        return await entity_fields.entity(info.context, kind, id, look_ahead(info, links))

    entity.__annotations__ |= {"return": node | None}
    description = f"A {kind.fact.name} by its global id or UUID; null if you can see none."
    return field(Permission.READ, description, kept=True, facts=(kind.fact.name,))(entity)


def names_field(kind: type[NameInProject], node: Any, fact: Fact) -> Any:
    """The root field of the names of a dimension that rows of the fact have."""
    plural = kind.dimension.plural

    async def found(  # noqa: PLR0913, PLR0917 - the arguments of the field
        info: Info,
        filter: Any = None,
        search: NameArgument = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Any:
        page = page_arguments(info, first, after, last, before)
        names = filter_names(filter)
        return await lists.names(info.context, kind, fact, names, search, page)

    found.__annotations__ |= {"filter": filter_argument(fact), "return": Connection[node] | None}
    text = f"The {plural} you can see, by name; null on error."
    return field(Permission.READ, text, kept=True, facts=(fact.name,))(found)
