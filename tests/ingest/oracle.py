"""The state of a deployment by brute force: sort every event and look."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from ingest.events import DeploymentEvent
from storage.facts.deployments import EventType, Status

FINISHES = {
    EventType.SUCCEEDED: Status.SUCCEEDED,
    EventType.FAILED: Status.FAILED,
    EventType.CANCELLED: Status.CANCELLED,
}


def expected(events: Iterable[DeploymentEvent]) -> dict[str, Any]:
    """What a deployment with these events, repeated or not, must look like."""
    unique = {(event.occurred_at, event.event_id): event for event in events}
    ordered = [unique[key] for key in sorted(unique)]
    finishes = [event for event in ordered if event.type in FINISHES]
    starts = [event for event in ordered if event.type in (EventType.STARTED, EventType.PROGRESS)]
    rollbacks = [event for event in ordered if event.type is EventType.ROLLED_BACK]
    finish = finishes[-1] if finishes else None
    answer: dict[str, Any] = {
        "status": _status(ordered, starts, finish, rollbacks),
        "created_at": ordered[0].occurred_at,
        "started_at": starts[0].occurred_at if starts else None,
        "finished_at": finish and finish.occurred_at,
        "finish_status": finish and FINISHES[finish.type],
        "duration_us": _duration(starts, finish),
        "rolled_back_at": rollbacks[-1].occurred_at if rollbacks else None,
    }
    for name in ("environment", "network", "template", "framework", "actor"):
        answer[name] = _first(ordered, name)
    for name in ("to_deployment", "error", "attributes"):
        answer[name] = _first(ordered, name)
    return answer


def _status(
    ordered: list[DeploymentEvent],
    starts: list[DeploymentEvent],
    finish: DeploymentEvent | None,
    rollbacks: list[DeploymentEvent],
) -> Status:
    if rollbacks:
        return Status.ROLLED_BACK
    if finish:
        return FINISHES[finish.type]
    assert ordered
    return Status.IN_PROGRESS if starts else Status.QUEUED


def _duration(starts: list[DeploymentEvent], finish: DeploymentEvent | None) -> int | None:
    if finish is None:
        return None
    if finish.duration_us is not None:
        return finish.duration_us
    if not starts or starts[0].occurred_at > finish.occurred_at:
        return None
    return (finish.occurred_at - starts[0].occurred_at) // timedelta(microseconds=1)


def _first(ordered: list[DeploymentEvent], name: str) -> Any:
    return next((v for event in ordered if (v := getattr(event, name)) is not None), None)
