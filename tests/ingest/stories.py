"""Made-up stories of any fact: all events of one entity, or of one row, from its declarations."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ingest.wire import WIRES
from ingest.wire.wire import Wire
from storage.dimensions import ERROR_TYPE, LABEL_SET, SEVERITY, Dimension
from storage.error_groups.tables import SEVERITIES
from storage.facts.fact import COMPLETION, START, Entity, Fact
from storage.facts.lifecycle import Lifecycle
from tests.ingest.strategies import value_of

Event = dict[str, Any]
Names = Mapping[Dimension, Sequence[str | None]]

# The parts of optional fields and events that are given, of rows with a start before them where
# the fact has starts, and of entities that end.
GIVEN, STARTS, ENDS = 0.6, 0.5, 0.8
STEP = timedelta(seconds=20)

_KNOWN = {
    ERROR_TYPE: ("ValueError", "DeploymentFailed", "BuildFailed"),
    SEVERITY: SEVERITIES,
    LABEL_SET: ("core=0", "core=1,type=user", "core=2"),
}


def story(fact: Fact, chance: random.Random, name: str, common: Event, at: datetime) -> list[Event]:
    """Makes the plain events of an entity or row called `name`, which begins at a time.

    `common` has the project and names of dimensions. All events have different ids; a row and its
    start have the identity in common.
    """
    wire = WIRES[fact.name]
    own = fact.name if isinstance(fact, Entity) else "identity"
    common = common | {field.name: name for field in wire.fields if field.filled == own}
    return [
        _event(wire, chance, common, type_, at + step * STEP) | {"id": f"{name}-{type_}"}
        for step, type_ in enumerate(_types(wire, chance))
    ]


def occurrences(events: Sequence[Event]) -> list[Event]:
    """The events of failures whose text is an occurrence of an error."""
    failures = ("deployment.failed", "build.failed")
    return [event for event in events if event["type"] in failures and event.get("error")]


def names(fact: Fact, chance: random.Random, provisioned: Names | None = None) -> Event:
    """Draws a name of each dimension; of those that are not provisioned one of a few made up."""
    drawn = {
        _field(fact, each): chance.choice((provisioned or {}).get(each) or made_up_names(each))
        for each in fact.dimensions
    }
    return {name: value for name, value in drawn.items() if value is not None}


def _field(fact: Fact, dimension: Dimension) -> str:
    """The name of the field that fills a dimension."""
    fields = WIRES[fact.name].fields
    name: str = next(field.name for field in fields if field.filled == dimension.name)
    return name


def made_up_names(dimension: Dimension) -> tuple[str, ...]:
    """The names that the events of stories give, be it as failures."""
    if dimension in _KNOWN:
        return _KNOWN[dimension]
    return tuple(f"{dimension}-{number}" for number in range(3))


def _event(
    wire: Wire, chance: random.Random, common: Event, type_: int, occurred_at: datetime
) -> Event:
    event = common | {"type": wire.typed(type_), "time": occurred_at.isoformat()}
    named = {dimension.name for dimension in wire.fact.dimensions}
    for field in wire.fields:
        is_free = field.name in wire.own_names and field.name not in event
        if is_free and field.filled not in named and (field.required or chance.random() < GIVEN):
            event[field.name] = value_of(field.kind, field, occurred_at, chance)
    return event


def _types(wire: Wire, chance: random.Random) -> list[int]:
    if isinstance(wire.fact, Entity):
        return _entity_types(wire.fact.lifecycle, chance)
    has_start = START in wire.types and chance.random() < STARTS
    return [START, COMPLETION] if has_start else [COMPLETION]


def _entity_types(lifecycle: Lifecycle, chance: random.Random) -> list[int]:
    """Some types before an end, mostly an end, and rarely what may follow one."""
    rank_of = {type_: lifecycle.rank_of[status] for type_, status in lifecycle.status_of.items()}
    finish = lifecycle.finish_rank
    before = [type_ for type_ in sorted(rank_of) if rank_of[type_] < finish]
    types = [type_ for type_ in before if chance.random() < GIVEN]
    if not types or chance.random() < ENDS:
        types.append(chance.choice([type_ for type_ in rank_of if rank_of[type_] == finish]))
        types += [type_ for type_ in rank_of if rank_of[type_] > finish and chance.random() < 0.1]
    return types
