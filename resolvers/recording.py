"""Recording: mutations hand events to the ingest writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from access.viewers import Permission
from ingest.events import Code, EventStatus, Result
from ingest.identity import uuid7, uuid7_time
from ingest.wire.wire import IDENTITY, Wire
from resolvers.context import Context
from resolvers.entities import EntityNode, Links, entities_by_keys
from resolvers.user_errors import UserError
from storage.errors import LimitExceeded

MAX_EVENTS = 500


@dataclass(frozen=True, slots=True)
class WireEvent:
    """An event in the form that POST /v1/events takes, and its path in the arguments."""

    wire: Wire
    value: dict[str, Any]
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result of one event, and its entity if it has one."""

    entity: EntityNode | None
    result: Result
    user_errors: list[UserError]


@dataclass(frozen=True, slots=True)
class RecordedEvents:
    """The results of several events."""

    results: list[Result]
    user_errors: list[UserError]


async def record_event(
    context: Context, event: WireEvent, kind: type[EntityNode] | None, links: Links | None
) -> Recorded:
    """Records an event; returns its entity, if the event has one of this kind."""
    recorded = await record_events(context, [event])
    (result,) = recorded.results
    entity = await _entity(context, kind, result, links) if kind and links else None
    return Recorded(entity, result, recorded.user_errors)


async def _entity(
    context: Context, kind: type[EntityNode], result: Result, links: Links
) -> EntityNode | None:
    if result.status is EventStatus.REJECTED or result.entity_id is None:
        return None
    if not context.viewer.may(Permission.READ):
        return None  # it may hold data of other senders
    assert result.project is not None
    ids = await context.services.dictionaries.project_ids([result.project])
    keys = [(ids[result.project], result.entity_id)]
    return next(iter(await entities_by_keys(context, kind, keys, links)), None)


async def record_events(context: Context, events: Sequence[WireEvent]) -> RecordedEvents:
    if len(events) > MAX_EVENTS:
        raise LimitExceeded(
            f"A mutation takes at most {MAX_EVENTS} events: send more by POST /v1/events.",
            limit=f"events per mutation: {MAX_EVENTS}",
            path="input.events",
        )
    sent = [_dated(context, event) for event in events]
    results = await context.services.intake.record(sent, context.viewer)
    context.forget_loaded()
    errors = [
        UserError(_field(event, result), result.code or Code.UNREADABLE, result.message or "")
        for event, result in zip(events, results, strict=True)
        if result.status is EventStatus.REJECTED
    ]
    return RecordedEvents(results, errors)


def _dated(context: Context, event: WireEvent) -> dict[str, Any]:
    """The event, which happens now if it has neither a time nor an id."""
    value, wire = event.value, event.wire
    identity = wire.field_at.get(IDENTITY)
    if "time" in value or "id" in value:
        return value
    id = uuid7(context.services.clock())
    if identity is None or identity.name not in value:
        value = {**value, "id": str(id)}
    at = uuid7_time(id)
    assert at is not None
    return {**value, "time": at.isoformat()}


def _field(event: WireEvent, result: Result) -> list[str]:
    return [*event.path, *(result.path.split(".") if result.path else ())]
