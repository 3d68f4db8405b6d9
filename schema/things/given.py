"""Fields of things: attributes, links, and those whose types come from declarations."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from ingest.wire import WIRES
from ingest.wire.kinds import (
    Attributes,
    Choice,
    Duration,
    Flag,
    Integer,
    Labels,
    Moment,
    Number,
    Payload,
    Texts,
)
from ingest.wire.wire import Field, Wire
from schema.declarations import HALF_STATEMENT, costs, typed
from schema.enums import choice_enum
from schema.info import Info
from schema.lists.links import links
from schema.scalars import Json, Long
from schema.selection import look_ahead
from storage.facts.fact import Fact

_MAX_INT = 2**31 - 1


def read(description: str) -> Any:
    """A field that is an attribute."""
    return strawberry.field(description=description)


def link(
    load: Callable[..., Any],
    kind: Any,
    description: str,
    *,
    weight: int = HALF_STATEMENT,
    facts: tuple[str, ...] = (),
    of_entity: bool = False,
) -> Any:
    """A field of this type that `load` returns, called with the context and the object.

    That of an entity is called with the links too that are selected of it.
    """

    async def linked(parent: strawberry.Parent[Any], info: Info) -> Any:
        more = (look_ahead(info, links),) if of_entity else ()
        return await load(info.context, parent, *more)

    linked.__annotations__["return"] = kind
    metadata = costs(weight=weight, facts=facts)
    return strawberry.field(linked, description=description, metadata=metadata)


def given(fact: Fact, name: str) -> Any:
    """A field with a value of the fact's events, described as to their senders."""
    wire = WIRES[fact.name]
    field = wire.named[to_camel_case(name)]
    about = field.about.removesuffix(".")
    return typed(type_of(wire, field) | None, f"{about}; null if not sent.")


def type_of(wire: Wire, field: Field) -> Any:
    """The type of the values of an event's field."""
    match field.kind:
        case Choice():
            return choice_enum(wire, field.name)
        case Integer(_, most):
            return int if most <= _MAX_INT else Long
        case Duration() | Number():
            return float
        case Flag():
            return bool
        case Moment():
            return datetime
        case Attributes() | Labels() | Payload():
            return Json
        case Texts():
            return list[str]
    return str
