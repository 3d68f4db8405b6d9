"""Events of every fact, made from its declaration, with a name of their tenant in each field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingest.wire import WIRES
from ingest.wire.kinds import Attributes, Choice, Flag, Labels, Moment, Name, Payload, Text, Texts
from ingest.wire.wire import Field, Wire
from storage.dimensions import DIMENSIONS
from storage.facts.fact import COMPLETION, START, Entity

Event = dict[str, Any]

# An event's own id, and the signature of an archived error, of which a hash is stored.
NEVER_SHOWN = ("id", "signature")
SUBJECTS = 2
EXPIRY = "2031-01-01T00:00:00Z"
BETWEEN_SUBJECTS, BETWEEN_EVENTS = timedelta(minutes=10), timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever sends events of a project; `names` has names of dimensions that others use too."""

    project: str
    tenant: str
    names: Mapping[str, str] = field(default_factory=dict)

    def events(self, start: datetime, now: datetime) -> list[Event]:
        """Two entities or rows of each fact from a time on, and what runs now."""
        events = []
        for wire in WIRES.values():
            for number in range(SUBJECTS):
                at = start + number * BETWEEN_SUBJECTS
                for after, type_ in enumerate(_types(wire, number)):
                    events.append(self._event(wire, type_, number, at + after * BETWEEN_EVENTS))
            if not isinstance(wire.fact, Entity) and START in wire.types:
                events.append(self._start(wire, now - BETWEEN_EVENTS))
        return events

    def _event(self, wire: Wire, type_: int, number: int, at: datetime) -> Event:
        event: Event = {
            "type": wire.typed(type_),
            "id": f"{self.tenant}-{wire}-{number}-{type_}",
            "time": at.isoformat(),
            "project": self.project,
            "source": f"{self.tenant}-source",
        }
        for each in wire.fields:
            if each.name in wire.own_names and (value := self._value(each, number)) is not None:
                event[each.name] = value
        return event

    def _start(self, wire: Wire, at: datetime) -> Event:
        """The start of something that has not ended."""
        event = self._event(wire, START, 0, at)
        (identity,) = (each.name for each in wire.fields if each.filled == "identity")
        common = ("type", "id", "time", "project", "source")
        kept = {*common, *(each.name for each in wire.fields if each.filled in DIMENSIONS)}
        return {name: event[name] for name in event if name in kept} | {
            identity: f"{self.tenant}-running"
        }

    def _value(self, each: Field, number: int) -> Any:
        kind = each.kind
        if each.name in WIRES or each.filled == "identity":
            return f"{self.tenant}-{each.name}-{number}"  # an id, also in events that refer to it
        if each.filled in DIMENSIONS and each.name in self.names:
            return self.names[each.name]
        if isinstance(kind, Name | Text):
            text = f"{self.tenant}-{each.name}"
            return text.lower() if isinstance(kind, Name) and kind.lower else text  # as kept
        if isinstance(kind, Texts):
            return [f"{self.tenant}-{each.name}-{number}"]
        if isinstance(kind, Choice):
            return kind.words[number]
        if isinstance(kind, Attributes | Labels | Payload):
            return {"note": f"{self.tenant}-attribute", "message": f"{self.tenant}-message"}
        if isinstance(kind, Moment):
            return None if each.filled == "started" else EXPIRY
        return bool(number) if isinstance(kind, Flag) else 200 + 300 * number


def _types(wire: Wire, number: int) -> tuple[int, ...]:
    if isinstance(wire.fact, Entity):
        life = wire.fact.lifecycle
        ends = [type_ for type_, status in life.status_of.items() if status in life.finishes]
        return (*dict.fromkeys((life.creation, life.start)), ends[number])
    return (COMPLETION,)


def texts_of(value: Any) -> Iterator[str]:
    """All texts in an event, but for those that no answer has."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in NEVER_SHOWN:
                yield from texts_of(inner)
    elif isinstance(value, str):
        yield value
