"""The state of an entity by brute force: sort every event and look."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from ingest.events import Event
from storage.facts.fact import Entity
from storage.facts.lifecycle import EventType, Status

FINISHES = {
    EventType.SUCCEEDED: Status.SUCCEEDED,
    EventType.FAILED: Status.FAILED,
    EventType.CANCELLED: Status.CANCELLED,
}


def expected(entity: Entity, events: Iterable[Event]) -> dict[str, Any]:
    """What an entity that runs once, with these events, repeated or not, must look like."""
    unique = {(event.occurred_at, event.event_id): event for event in events}
    ordered = [unique[key] for key in sorted(unique)]
    finishes = [event for event in ordered if event.type in list(FINISHES)]
    starts = [event for event in ordered if event.type in (EventType.STARTED, EventType.PROGRESS)]
    finish = finishes[-1] if finishes else None
    answer: dict[str, Any] = {
        "status": _status(ordered, starts, finish),
        "created_at": ordered[0].occurred_at,
        "started_at": starts[0].occurred_at if starts else None,
        "finished_at": finish and finish.occurred_at,
        "updated_at": ordered[-1].occurred_at,
        "finish_status": finish and FINISHES[EventType(finish.type)],
        "duration_us": _duration(starts, finish),
    }
    for place, name in enumerate(("external_id", *entity.given)):
        answer[name] = _first(ordered, place)
    return answer


def _status(ordered: list[Event], starts: list[Event], finish: Event | None) -> Status:
    if any(event.type == EventType.ROLLED_BACK for event in ordered):
        return Status.ROLLED_BACK
    if finish:
        return FINISHES[EventType(finish.type)]
    assert ordered
    return Status.IN_PROGRESS if starts else Status.QUEUED


def _duration(starts: list[Event], finish: Event | None) -> int | None:
    if finish is None:
        return None
    if finish.duration_us is not None:
        return finish.duration_us
    if not starts or starts[0].occurred_at > finish.occurred_at:
        return None
    return (finish.occurred_at - starts[0].occurred_at) // timedelta(microseconds=1)


def _first(ordered: list[Event], place: int) -> Any:
    given = ((event.entity, *event.names, *event.values)[place] for event in ordered)
    return next((value for value in given if value is not None), None)
