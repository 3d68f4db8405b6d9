"""Folds the events of an entity into its state, the same for any order and repetition.

Every part of the state is a maximum or minimum by (time, event id), or by (rank, time, event id),
so folding commutes, and folding an event twice changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, cast
from uuid import UUID

from ingest.events import Event
from ingest.times import duration_us
from storage.facts.fact import Entity
from storage.facts.lifecycle import Lifecycle, steps
from storage.rollups.statements import written_columns

# `attribute_keys` holds, by column, the stamp of the event that gave the value. The commonest stamp
# is stored once, under this key.
_COMMON = "*"


class State(NamedTuple):
    """The row of an entity, without the revision.

    `given` has the values of the columns `given_columns`; of each the earliest value given counts.
    """

    project_id: int
    entity_id: UUID
    series_id: int | None
    status: int | None
    state_rank: int | None
    state_at: datetime | None
    state_event_id: UUID | None
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime | None
    finish_event_id: UUID | None
    finish_status: int | None
    finish_duration_us: int | None
    duration_us: int | None
    given: tuple[Any, ...]
    attribute_keys: dict[str, str] | None

    @classmethod
    def empty(cls, entity: Entity, project_id: int, entity_id: UUID) -> "State":
        """The state of an entity without events."""
        return cls.of_row((project_id, entity_id, *[None] * (len(written_columns(entity)) - 2)))

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> "State":
        """The state in a row of the entity's `written_columns`."""
        project_id, entity_id, external_id, *others = row
        given = (external_id, *others[_PLAIN:-1])
        return cls._make((project_id, entity_id, *others[:_PLAIN], given, others[-1]))

    @property
    def row(self) -> tuple[Any, ...]:
        """The row of the entity's `written_columns`."""
        external_id, *values = self.given
        return (*self[:2], external_id, *self[2:_GIVEN], *values, self.attribute_keys)

    @property
    def external_id(self) -> str | None:
        return cast("str | None", self.given[0])

    def names(self, entity: Entity) -> tuple[str | None, ...]:
        """The names of its dimensions."""
        return self.given[1 : len(entity.dimensions) + 1]


_GIVEN = State._fields.index("given")
_PLAIN = _GIVEN - 2  # the fields between the key and them


@cache
def given_columns(entity: Entity) -> tuple[str, ...]:
    """The columns that hold what events give: the external id, names and further values."""
    return ("external_id", *entity.given)


def fold(entity: Entity, state: State, events: Iterable[Event]) -> State:
    """Returns the state with these events added."""
    draft = state._asdict()
    columns = given_columns(entity)
    given, stamps = list(state.given), _stamps(columns, state)
    for event in events:
        _advance(entity.lifecycle, draft, event.type, event.occurred_at, event.event_id)
        _advance_times(entity.lifecycle, draft, event)
        # A service rollback may be matched to another deployment later, so it sets nothing else.
        if not event.is_service_rollback:
            _take_values(given, stamps, event)
    draft["duration_us"] = _duration_us(draft)
    draft["given"], draft["attribute_keys"] = tuple(given), _attribute_keys(columns, stamps)
    return State(**draft)


def without(entity: Entity, state: State, at: datetime, event_id: UUID) -> State:
    """Returns the state without the values of one event; fold in the remaining events next.

    Older events may have been deleted by retention. Their values stay, and a status or latest time
    that came from the removed event is derived from the other times.
    """
    draft = state._asdict()
    if (draft["finished_at"], draft["finish_event_id"]) == (at, event_id):
        draft["finished_at"] = draft["finish_event_id"] = None
        draft["finish_status"] = draft["finish_duration_us"] = None
    for name in ("created_at", "started_at"):
        if draft[name] == at:
            draft[name] = None
    if (draft["state_at"], draft["state_event_id"]) == (at, event_id):
        _fall_back(entity.lifecycle, draft)
    if draft["updated_at"] == at:
        names = ("state_at", "finished_at", "started_at", "created_at")
        draft["updated_at"] = max((draft[n] for n in names if draft[n] is not None), default=None)
    columns, gone = given_columns(entity), _stamp(at, event_id)
    stamps = _stamps(columns, state)
    left = [None if stamp == gone else stamp for stamp in stamps]
    values = zip(state.given, left, strict=True)
    draft["given"] = tuple(None if stamp is None else value for value, stamp in values)
    draft["attribute_keys"] = _attribute_keys(columns, left)
    return State(**draft)


def with_status(entity: Entity, state: State, type_: int, at: datetime, event_id: UUID) -> State:
    """Returns the state with an event that sets nothing but the status."""
    draft = state._asdict()
    _advance(entity.lifecycle, draft, type_, at, event_id)
    return State(**draft)


def _advance(
    lifecycle: Lifecycle, draft: dict[str, Any], type_: int, at: datetime, event_id: UUID
) -> None:
    status, rank = steps(lifecycle)[type_]
    held = draft["state_rank"]
    if held is None or (rank, at, event_id) > (held, draft["state_at"], draft["state_event_id"]):
        draft["status"], draft["state_rank"] = status, rank
        draft["state_at"], draft["state_event_id"] = at, event_id
    if draft["updated_at"] is None or at > draft["updated_at"]:
        draft["updated_at"] = at


def _fall_back(lifecycle: Lifecycle, draft: dict[str, Any]) -> None:
    """Derives the status from the times; a real event of the same time outranks it."""
    no_event, step = UUID(int=0), steps(lifecycle)
    finish = draft["finish_status"], lifecycle.finish_rank
    candidates = (
        (*finish, draft["finished_at"], draft["finish_event_id"]),
        (*step[lifecycle.start], draft["started_at"], no_event),
        (*step[lifecycle.creation], draft["created_at"], no_event),
    )
    state = next((each for each in candidates if each[2] is not None), (None,) * 4)
    names = ("status", "state_rank", "state_at", "state_event_id")
    draft |= dict(zip(names, state, strict=True))


def _advance_times(lifecycle: Lifecycle, draft: dict[str, Any], event: Event) -> None:
    at, type_ = event.occurred_at, event.type
    if draft["created_at"] is None or at < draft["created_at"]:
        draft["created_at"] = at
    if type_ in lifecycle.starts and (draft["started_at"] is None or at < draft["started_at"]):
        draft["started_at"] = at
    status, rank = steps(lifecycle)[type_]
    if rank == lifecycle.finish_rank:
        held = draft["finished_at"]
        if held is None or (at, event.event_id) > (held, draft["finish_event_id"]):
            draft["finished_at"], draft["finish_event_id"] = at, event.event_id
            draft["finish_status"], draft["finish_duration_us"] = status, event.duration_us


def _duration_us(draft: dict[str, Any]) -> int | None:
    """The duration given by the finish, else the time since the start, if it is plausible."""
    given: int | None = draft["finish_duration_us"]
    started, finished = draft["started_at"], draft["finished_at"]
    if given is not None or started is None or finished is None:
        return given
    return duration_us(started, finished)


def _take_values(given: list[Any], stamps: list[str | None], event: Event) -> None:
    """Takes the values that no earlier event gave."""
    stamp = _stamp(event.occurred_at, event.event_id)
    for place, value in enumerate((event.entity, *event.names, *event.values)):
        if value is not None:
            held = stamps[place]
            if held is None or stamp < held:
                given[place], stamps[place] = value, stamp


def _stamp(at: datetime, event_id: UUID) -> str:
    return f"{at.isoformat(timespec='microseconds')} {event_id}"


def _stamps(columns: Sequence[str], state: State) -> list[str | None]:
    """The stamp of the event that gave each value."""
    keys = state.attribute_keys or {}
    values = zip(columns, state.given, strict=True)
    return [None if v is None else keys.get(column) or keys[_COMMON] for column, v in values]


def _attribute_keys(columns: Sequence[str], stamps: Sequence[str | None]) -> dict[str, str] | None:
    givers = {column: stamp for column, stamp in zip(columns, stamps, strict=True) if stamp}
    if not givers:
        return None
    every = list(givers.values())
    common = min(set(every), key=lambda stamp: (-every.count(stamp), stamp))
    return {_COMMON: common} | {
        column: stamp for column, stamp in sorted(givers.items()) if stamp != common
    }
