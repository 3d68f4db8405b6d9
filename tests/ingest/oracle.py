"""The state of an entity by brute force: sort every event and look."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from ingest.events import Event
from storage.facts.certificates import CertificateStatus
from storage.facts.fact import Entity
from storage.facts.lifecycle import EventType, Status


class Life(NamedTuple):
    """What the types of an entity's events lead to, as its page says it."""

    waiting: int
    starts: tuple[int, ...]
    started: int
    finishes: Mapping[int, int]
    last: Mapping[int, int]


RUN = Life(
    Status.QUEUED,
    (EventType.STARTED, EventType.PROGRESS),
    Status.IN_PROGRESS,
    {
        EventType.SUCCEEDED: Status.SUCCEEDED,
        EventType.FAILED: Status.FAILED,
        EventType.CANCELLED: Status.CANCELLED,
    },
    {EventType.ROLLED_BACK: Status.ROLLED_BACK},
)
_OF = CertificateStatus
LIVES = {
    "deployment": RUN,
    "build": RUN,
    "certificate": Life(
        _OF.REQUESTED,
        (_OF.REQUESTED,),
        _OF.REQUESTED,
        {each: each for each in (_OF.ISSUED, _OF.RENEWED, _OF.FAILED)},
        {_OF.REMOVED: _OF.REMOVED},
    ),
}


def expected(entity: Entity, events: Iterable[Event]) -> dict[str, Any]:
    """What an entity with these events, repeated or not, must look like."""
    unique = {(event.occurred_at, event.event_id): event for event in events}
    ordered = [unique[key] for key in sorted(unique)]
    life = LIVES[entity.name]
    finishes = [event for event in ordered if event.type in life.finishes]
    starts = [event for event in ordered if event.type in life.starts]
    finish = finishes[-1] if finishes else None
    answer: dict[str, Any] = {
        "status": _status(life, ordered, starts, finish),
        "created_at": ordered[0].occurred_at,
        "started_at": starts[0].occurred_at if starts else None,
        "finished_at": finish and finish.occurred_at,
        "updated_at": ordered[-1].occurred_at,
        "finish_status": finish and life.finishes[finish.type],
        "duration_us": _duration(starts, finish),
    }
    for place, name in enumerate(("external_id", *entity.given)):
        answer[name] = _first(ordered, place)
    return answer


def _status(life: Life, ordered: list[Event], starts: list[Event], finish: Event | None) -> int:
    for event in ordered:
        if event.type in life.last:
            return life.last[event.type]
    if finish:
        return life.finishes[finish.type]
    assert ordered
    return life.started if starts else life.waiting


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
