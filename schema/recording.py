"""Mutations that record events; their inputs are made from the wires of the facts."""

from datetime import datetime
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from access.viewers import Permission
from ingest.wire import WIRES
from ingest.wire.wire import EXTERNAL_ID, STATUS, TIME, TYPE, Wire, snake_case
from resolvers import entities, recording
from resolvers.entities import EntityNode
from resolvers.recording import MAX_EVENTS, WireEvent
from schema.declarations import mutation, optional
from schema.enums import EventOutcome, enum_of, event_type_enum
from schema.errors import InputProblem, UserError
from schema.info import Info
from schema.lists.links import links_below
from schema.names import type_name
from schema.scalars import write_date_time
from schema.selection import look_ahead
from schema.things.builds import Build
from schema.things.certificates import Certificate
from schema.things.deployments import Deployment
from schema.things.given import type_of
from storage.facts.fact import Entity

# The kind and the type of each entity, by the name of its fact.
_ENTITIES: dict[str, tuple[type[EntityNode], Any]] = {
    kind.fact.name: (kind, node)
    for kind, node in (
        (entities.Deployment, Deployment),
        (entities.Build, Build),
        (entities.Certificate, Certificate),
    )
}

# The id serves as the external id, and the type says what the status would.
_LEFT_OUT = {EXTERNAL_ID, STATUS}


@strawberry.type(description="The outcome of one event.")
class EventResult:
    index: int = strawberry.field(description="The position in the input, from 0.")
    id: str | None = strawberry.field(
        description="The event's id, as sent or as made here; null if it was unreadable."
    )
    time: datetime | None = strawberry.field(
        description="When it happened, as sent or as made here; null if it was rejected."
    )
    status: EventOutcome = strawberry.field(description="The outcome.")
    path: str | None = strawberry.field(
        description="The path of the error inside the event; null without one."
    )
    code: InputProblem | None = strawberry.field(
        description="The reason for a rejection, or a warning; null without either."
    )
    message: str | None = strawberry.field(description="The code in words; null without a code.")


@cache
def event_input(wire: Wire) -> Any:
    """Makes the input `<Fact>EventInput` of a fact's events."""
    types: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for place, field in wire.field_at.items():
        name = snake_case(field.name)
        if place in _LEFT_OUT or (place == TYPE and len(wire.types) == 1):
            continue
        kind = _type_enum(wire) if place == TYPE else type_of(wire, field)
        required = field.required or place == TYPE
        about = field.about
        if place == TIME:
            about += " By default the time in an id that is a UUIDv7; without an id now."
        types[name] = kind if required else kind | None
        fields[name] = strawberry.field(description=about) if required else optional(about)
    members = {"__annotations__": types, "__module__": __name__, **fields}
    made = type(f"{type_name(wire.fact)}EventInput", (), members)
    return strawberry.input(made, description=f"An event about {wire.fact.noun}.")


@cache
def _type_enum(wire: Wire) -> Any:
    if isinstance(wire.fact, Entity):
        return event_type_enum(wire.fact)
    values = {
        words[0].upper(): strawberry.enum_value(type_, description=f"{words[0].capitalize()}.")
        for type_, words in wire.types.items()
    }
    return enum_of(f"{type_name(wire.fact)}EventType", "What happened.", values)


def _event(wire: Wire, given: Any, *path: str) -> WireEvent:
    """Converts an input to the form that POST /v1/events takes."""
    value = {"type": wire.typed(0 if len(wire.types) == 1 else int(given.type.value))}
    for field in wire.fields:
        sent = getattr(given, snake_case(field.name), None)
        if sent is not None and field.name not in value:
            value[field.name] = _plain(sent)
    return WireEvent(wire, value, ("input", *path))


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name.lower()
    return write_date_time(value) if isinstance(value, datetime) else value


def _payload(name: str, fields: dict[str, tuple[Any, str]]) -> Any:
    members = {
        key: strawberry.field(description=description, graphql_type=kind)
        for key, (kind, description) in fields.items()
    }
    types = dict.fromkeys(members, Any)
    made = type(name, (), {"__annotations__": types, "__module__": __name__, **members})
    return strawberry.type(made, description=f"The result of {name[0].lower()}{name[1:-7]}.")


def _record_field(wire: Wire) -> Any:
    """The mutation `record<Fact>`."""
    fact = wire.fact
    kind, node = _ENTITIES.get(fact.name, (None, Any))
    fields: dict[str, tuple[Any, str]] = {
        "result": (EventResult, "The outcome of the event."),
        "user_errors": (list[UserError], "Why the event was rejected; empty if it was not."),
    }
    if kind is not None:
        text = f"The {fact.name} after the event; null if it was rejected or you may not read it."
        fields = {fact.name: (node | None, text), **fields}
    payload = _payload(f"Record{type_name(fact)}Payload", fields)

    wanted = links_below(fact.name)

    async def record(info: Info, input: Any) -> Any:
        event = _event(wire, input)
        done = await recording.record_event(info.context, event, kind, look_ahead(info, wanted))
        entity = {} if kind is None else {fact.name: done.entity}
        return payload(result=done.result, user_errors=done.user_errors, **entity)

    record.__annotations__ |= {
        "input": Annotated[event_input(wire), strawberry.argument("The event.")],
        "return": payload,
    }
    return mutation(
        Permission.RECORD,
        f"Records one event about {fact.noun}.",
        targets=("id", "project"),
        events="input",
    )(record)


def _event_of_any() -> Any:
    fields = {
        name: strawberry.field(description=f"An event about {wire.fact.noun}.")
        for name, wire in WIRES.items()
    }
    types = {
        name: strawberry.Maybe[event_input(wire)]  # type: ignore[misc]
        for name, wire in WIRES.items()
    }
    made = type("EventInput", (), {"__annotations__": types, "__module__": __name__, **fields})
    return strawberry.input(made, one_of=True, description="An event of one fact.")


if TYPE_CHECKING:

    class EventInput:
        """An event of one fact."""

else:
    EventInput = _event_of_any()


@strawberry.input(description="Events to record.")
class RecordEventsInput:
    events: list[EventInput] = strawberry.field(
        description=f"The events, of any facts, at most {MAX_EVENTS}."
    )


@strawberry.type(description="The result of recordEvents.")
class RecordEventsPayload:
    results: list[EventResult] = strawberry.field(
        description="The outcome of each event, in the order of the input."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Why events were rejected; empty if none was."
    )


@strawberry.type
class _Several:
    @mutation(
        Permission.RECORD,
        "Records several events; a rejected one does not affect the others.",
        targets=(),
        events="input",
    )
    async def record_events(
        self, info: Info, input: Annotated[RecordEventsInput, strawberry.argument("The events.")]
    ) -> RecordEventsPayload:
        given = [
            _event(wire, some.value, "events", str(index), to_camel_case(name))
            for index, event in enumerate(input.events)
            for name, wire in WIRES.items()
            if (some := getattr(event, name)) is not None
        ]
        return await recording.record_events(info.context, given)  # type: ignore[return-value]


if TYPE_CHECKING:

    class RecordingMutations:
        """A mutation for the events of each fact, and one for all."""

else:
    _EACH = {f"record_{wire.fact.name}": _record_field(wire) for wire in WIRES.values()}
    RecordingMutations = strawberry.type(
        type("RecordingMutations", (_Several,), {"__module__": __name__, **_EACH})
    )
