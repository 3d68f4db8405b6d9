"""The events of all facts, each declared once, and the type that a text stands for."""

from typing import NamedTuple

from ingest.wire import (
    api_calls,
    build_phases,
    builds,
    certificates,
    deployments,
    error_occurrences,
    invocations,
    log_lines,
    model_calls,
    samples,
)
from ingest.wire.kinds import plain_word
from ingest.wire.wire import Wire

WIRES: dict[str, Wire] = {
    wire.fact.name: wire
    for wire in (
        deployments.WIRE,
        builds.WIRE,
        build_phases.WIRE,
        invocations.WIRE,
        api_calls.WIRE,
        error_occurrences.WIRE,
        model_calls.WIRE,
        samples.WIRE,
        log_lines.WIRE,
        certificates.WIRE,
    )
}


class EventKind(NamedTuple):
    """The fact and the type of an event; the type may be COMPLETED."""

    wire: Wire
    type: int


_KINDS = {
    spelling: EventKind(wire, type_)
    for wire in WIRES.values()
    for spelling, type_ in (wire.type_of if wire.bare else wire.prefixed).items()
}


def event_kind(text: str) -> EventKind | None:
    """The kind of event that a type, or a word of deployments, stands for."""
    return _KINDS.get(text) or _KINDS.get(plain_word(text))
