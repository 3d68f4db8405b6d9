"""Fields of things whose types and descriptions come from declarations."""

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
    Moment,
    Payload,
    Texts,
)
from ingest.wire.wire import Field, Wire
from schema.enums import choice_enum
from schema.scalars import Json, Long
from storage.facts.fact import Fact

_MAX_INT = 2**31 - 1


def typed(kind: Any, description: str) -> Any:
    """A field whose type is made from declarations; annotate it as Any."""
    return strawberry.field(description=description, graphql_type=kind)


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
        case Duration():
            return float
        case Flag():
            return bool
        case Moment():
            return datetime
        case Attributes() | Payload():
            return Json
        case Texts():
            return list[str]
    return str
