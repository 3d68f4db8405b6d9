"""Made-up events of any fact, by its declarations: few moments and values, so that ties happen."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import singledispatch
from typing import Any
from uuid import UUID

import pytest

from ingest.events import Event
from ingest.formats.raw import Raw
from ingest.normaliser import TimeWindow, normalise
from ingest.wire import WIRES
from ingest.wire.kinds import (
    Attributes,
    Choice,
    Duration,
    Flag,
    Integer,
    Kind,
    Labels,
    Moment,
    Name,
    Number,
    Payload,
    Text,
    Texts,
)
from ingest.wire.wire import Field, Wire
from storage.facts.fact import Entity

START = datetime(2026, 11, 1, 23, 58, tzinfo=UTC)

# Names that have to be provisioned: two that are, and one that is not.
_PROVISIONED = {"network": ("metis", "hyperion", "lazchain")}

every_wire = pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
every_entity = pytest.mark.parametrize(
    "wire", [wire for wire in WIRES.values() if isinstance(wire.fact, Entity)], ids=str
)


def made_up_event(
    wire: Wire,
    chance: random.Random,
    *,
    project: str = "shop",
    start: datetime = START,
    subjects: int = 1,
) -> dict[str, Any]:
    """An event in the plain format, about one of a number of subjects, such as deployments.

    Its moment lies within four minutes from the start. Fields may be missing if they are optional.
    Of an append fact it is a row.
    """
    types = list(wire.types) if isinstance(wire.fact, Entity) else [0]
    moment = start + timedelta(seconds=20 * chance.randint(0, 12))
    event = {
        "id": str(UUID(int=chance.getrandbits(128))),
        "type": wire.typed(chance.choice(types)),
        "time": moment.isoformat(),
        "project": project,
        wire.subject.name: f"{wire.subject.name}-{chance.randint(1, subjects)}",
    }
    for field in wire.fields:
        is_own = field.name in wire.own_names and field.name not in event
        if is_own and field.filled != "identity" and (field.required or chance.random() < 0.5):
            event[field.name] = value_of(field.kind, field, moment, chance)
    return event


def made_up_events(
    wires: Sequence[Wire], chance: random.Random, at_most: int, **options: Any
) -> list[dict[str, Any]]:
    """One or more events of these facts, each with an id of its own."""
    events = (
        made_up_event(chance.choice(wires), chance, **options)
        for _ in range(chance.randint(1, at_most))
    )
    return list({event["id"]: event for event in events}.values())


def twin_of(event: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The other event with the id and time of this one."""
    return other | {"id": event["id"], "time": event["time"]}


def read(raw: dict[str, Any]) -> Event:
    """The event as the normaliser reads it."""
    event = normalise(Raw(raw), TimeWindow(None, None))
    assert isinstance(event, Event), event
    return event


def shuffled(chance: random.Random, events: Sequence[Any], repeats: int) -> list[Any]:
    """The events in any order, some of them repeated."""
    arrivals = [*events, *chance.choices(events, k=repeats)]
    chance.shuffle(arrivals)
    return arrivals


@singledispatch
def value_of(kind: Kind, field: Field, at: datetime, chance: random.Random) -> Any:
    """A value for a field of this kind."""
    raise NotImplementedError(kind)


@value_of.register
def _(kind: Name, field: Field, at: datetime, chance: random.Random) -> Any:
    names = [f"{field.name}-{number}" for number in range(3)]
    return chance.choice(_PROVISIONED.get(field.name, names))


@value_of.register
def _(kind: Choice, field: Field, at: datetime, chance: random.Random) -> Any:
    return chance.choice(list(kind.values))


@value_of.register
def _(kind: Duration, field: Field, at: datetime, chance: random.Random) -> Any:
    return chance.choice([0, 1_000, 90_000, 12.5])


@value_of.register
def _(kind: Integer, field: Field, at: datetime, chance: random.Random) -> Any:
    return chance.choice([kind.least, min(kind.least + 404, kind.most), min(10**9, kind.most)])


@value_of.register
def _(kind: Flag, field: Field, at: datetime, chance: random.Random) -> Any:
    return chance.random() < 0.5


@value_of.register
def _(kind: Number, field: Field, at: datetime, chance: random.Random) -> Any:
    return chance.choice([0, 2.5, -0.000000001, kind.most, -kind.most])


@value_of.register
def _(kind: Labels, field: Field, at: datetime, chance: random.Random) -> Any:
    return chance.choice([{"core": 0, "mode": "idle"}, {"mode": "idle", "core": "0"}, "core=1", {}])


@value_of.register
def _(kind: Moment, field: Field, at: datetime, chance: random.Random) -> Any:
    return (at - timedelta(seconds=chance.randint(0, 90))).isoformat()


@value_of.register
def _(kind: Text, field: Field, at: datetime, chance: random.Random) -> Any:
    return chance.choice(["out of gas", "out of time"])


@value_of.register
def _(kind: Attributes, field: Field, at: datetime, chance: random.Random) -> Any:
    return chance.choice([{"commit": "abc"}, {"ratio": 1.0, "nothing": None}])


@value_of.register
def _(kind: Texts, field: Field, at: datetime, chance: random.Random) -> Any:
    return chance.choice([["cart"], ["cart", "total"]])


@value_of.register
def _(kind: Payload, field: Field, at: datetime, chance: random.Random) -> Any:
    frames = [{"filename": "cart.py", "function": f"step_{chance.randint(1, 2)}", "in_app": True}]
    failure = {"type": "KeyError", "value": "no cart", "stacktrace": {"frames": frames}}
    payload = {"platform": "python", "exception": {"values": [failure]}}
    return chance.choice([payload, {"message": "no cart", "level": "warning"}])
