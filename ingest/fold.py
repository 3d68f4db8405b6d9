"""Folds a deployment's events into its state, the same for any order and repetition.

Every part of the state is a maximum or minimum by (time, event id), or by (rank, time, event id),
so folding commutes, and folding an event twice changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from ingest.events import MAX_DURATION, DeploymentEvent
from storage.facts.deployments import RANK_OF_STATUS, STATUS_OF_EVENT, EventType, Status

_FINISH_RANK = 2
_STARTS = (EventType.STARTED, EventType.PROGRESS)
_STATUS_AND_RANK = {
    kind: (int(status), RANK_OF_STATUS[status]) for kind, status in STATUS_OF_EVENT.items()
}

# Columns of the deployment with attributes of the event; the earliest given value counts.
_FIRST_GIVEN = (
    ("external_id", "deployment"),
    *((name, name) for name in ("environment", "network", "template", "framework", "actor")),
    *((name, name) for name in ("to_deployment", "error", "attributes")),
)

_MICROSECOND = timedelta(microseconds=1)

# `attribute_keys` holds, by column, the stamp of the event that gave the value. The commonest stamp
# is stored once, under this key.
_COMMON = "*"


class State(NamedTuple):
    """A deployment's row, in the order of its table's columns, without the revision."""

    project_id: int
    deployment_id: UUID
    external_id: str | None = None
    series_id: int | None = None
    status: int | None = None
    state_rank: int | None = None
    state_at: datetime | None = None
    state_event_id: UUID | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    finish_event_id: UUID | None = None
    finish_status: int | None = None
    finish_duration_us: int | None = None
    duration_us: int | None = None
    rolled_back_at: datetime | None = None
    environment: str | None = None
    network: str | None = None
    template: str | None = None
    framework: str | None = None
    actor: str | None = None
    to_deployment: str | None = None
    error: str | None = None
    attributes: dict[str, Any] | None = None
    attribute_keys: dict[str, str] | None = None

    @property
    def dimensions(self) -> tuple[str | None, str | None, str | None, str | None]:
        return self.environment, self.network, self.template, self.framework


def fold(state: State, events: Iterable[DeploymentEvent]) -> State:
    """Returns the state with these events added."""
    draft = state._asdict()
    for event in events:
        _advance(draft, event.type, event.occurred_at, event.event_id)
        _advance_times(draft, event)
        # A service rollback may be matched to another deployment later, so it sets nothing else.
        if not event.is_service_rollback:
            _take_attributes(draft, event)
    draft["duration_us"] = _duration_us(draft)
    return State(**draft)


def without(state: State, at: datetime, event_id: UUID) -> State:
    """Returns the state without the values of one event; fold in the remaining events next.

    Older events may have been deleted by retention. Their values stay, and a status that came from
    the removed event is derived from the times.
    """
    draft = state._asdict()
    if (draft["finished_at"], draft["finish_event_id"]) == (at, event_id):
        draft["finished_at"] = draft["finish_event_id"] = None
        draft["finish_status"] = draft["finish_duration_us"] = None
    for name in ("created_at", "started_at"):
        if draft[name] == at:
            draft[name] = None
    if (draft["state_at"], draft["state_event_id"]) == (at, event_id):
        _fall_back(draft)
    _drop_attributes(draft, _stamp(at, event_id))
    return State(**draft)


def with_rollback(state: State, at: datetime, event_id: UUID) -> State:
    """Returns the state with a rollback that sets nothing else."""
    draft = state._asdict()
    _advance(draft, EventType.ROLLED_BACK, at, event_id)
    return State(**draft)


def _advance(draft: dict[str, Any], kind: EventType, at: datetime, event_id: UUID) -> None:
    status, rank = _STATUS_AND_RANK[kind]
    held = draft["state_rank"]
    if held is None or (rank, at, event_id) > (held, draft["state_at"], draft["state_event_id"]):
        draft["status"], draft["state_rank"] = status, rank
        draft["state_at"], draft["state_event_id"] = at, event_id
        draft["rolled_back_at"] = at if status == Status.ROLLED_BACK else None


def _fall_back(draft: dict[str, Any]) -> None:
    """Derives the status from the times; a real event of the same time outranks it."""
    no_event = UUID(int=0)
    finish = draft["finish_status"], _FINISH_RANK, draft["finished_at"], draft["finish_event_id"]
    start = *_STATUS_AND_RANK[EventType.STARTED], draft["started_at"], no_event
    creation = *_STATUS_AND_RANK[EventType.QUEUED], draft["created_at"], no_event
    candidates = (state for state in (finish, start, creation) if state[2] is not None)
    names = ("status", "state_rank", "state_at", "state_event_id")
    draft |= dict(zip(names, next(candidates, (None,) * len(names)), strict=True))
    draft["rolled_back_at"] = None


def _advance_times(draft: dict[str, Any], event: DeploymentEvent) -> None:
    at = event.occurred_at
    if draft["created_at"] is None or at < draft["created_at"]:
        draft["created_at"] = at
    if event.type in _STARTS and (draft["started_at"] is None or at < draft["started_at"]):
        draft["started_at"] = at
    status, rank = _STATUS_AND_RANK[event.type]
    if rank == _FINISH_RANK:
        held = draft["finished_at"]
        if held is None or (at, event.event_id) > (held, draft["finish_event_id"]):
            draft["finished_at"], draft["finish_event_id"] = at, event.event_id
            draft["finish_status"], draft["finish_duration_us"] = status, event.duration_us


def _duration_us(draft: dict[str, Any]) -> int | None:
    """The duration given by the finish, else the time since the start, if it is plausible."""
    given: int | None = draft["finish_duration_us"]
    started: datetime | None = draft["started_at"]
    finished: datetime | None = draft["finished_at"]
    if given is not None or started is None or finished is None or started > finished:
        return given
    duration = finished - started
    return duration // _MICROSECOND if duration <= MAX_DURATION else None


def _take_attributes(draft: dict[str, Any], event: DeploymentEvent) -> None:
    stamp = _stamp(event.occurred_at, event.event_id)
    given: dict[str, str] = {}
    for column, attribute in _FIRST_GIVEN:
        value = getattr(event, attribute)
        if value is not None and (draft[column] is None or stamp < _giver(draft, column)):
            draft[column] = value
            given[column] = stamp
    if given:
        draft["attribute_keys"] = _shortened(_givers(draft) | given)


def _stamp(at: datetime, event_id: UUID) -> str:
    return f"{at.isoformat(timespec='microseconds')} {event_id}"


def _drop_attributes(draft: dict[str, Any], stamp: str) -> None:
    """Sets the values to None that came from the event with this stamp."""
    givers = _givers(draft)
    left = {column: giver for column, giver in givers.items() if giver != stamp}
    draft |= dict.fromkeys(givers.keys() - left.keys())
    draft["attribute_keys"] = _shortened(left) if left else None


def _giver(draft: dict[str, Any], column: str) -> str:
    keys: dict[str, str] = draft["attribute_keys"]
    return keys.get(column) or keys[_COMMON]


def _givers(draft: dict[str, Any]) -> dict[str, str]:
    """The stamp of the event that gave each value."""
    if draft["attribute_keys"] is None:
        return {}
    return {
        column: _giver(draft, column) for column, _ in _FIRST_GIVEN if draft[column] is not None
    }


def _shortened(givers: dict[str, str]) -> dict[str, str]:
    stamps = list(givers.values())
    common = min(stamps, key=lambda stamp: (-stamps.count(stamp), stamp))
    return {_COMMON: common} | {
        column: stamp for column, stamp in sorted(givers.items()) if stamp != common
    }
