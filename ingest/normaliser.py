"""Turns an event of any fact in any accepted spelling into its canonical form, or a rejection."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ingest.events import (
    FARTHEST_AHEAD,
    MAX_ERROR_LENGTH,
    PARTITION,
    Code,
    Event,
    Note,
    Rejection,
)
from ingest.formats.raw import FormatDetails, Unchecked
from ingest.identity import as_uuid, content_uuid, entity_uuid, event_uuid, uuid7_time
from ingest.times import duration_us
from ingest.wire import EventKind, event_kind
from ingest.wire.kinds import FieldError, is_blank
from ingest.wire.wire import (
    COMPLETED,
    DURATION,
    ENTITY,
    EXTERNAL_ID,
    ID,
    IDENTITY,
    NAMES,
    PROJECT,
    PROJECT_FIELD,
    SOURCE,
    STARTED,
    STATUS,
    STATUS_FIELD,
    TIME,
    TIME_FIELD,
    TYPE_FIELD,
    Field,
    Wire,
)
from storage.facts.fact import Entity, EventKeep, Fact
from storage.facts.lifecycle import steps
from storage.keeping.windows import DEFAULT, Retention
from storage.names import clean_text

_MAX_PATH_LENGTH = 200
_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The times that are accepted; None leaves a side open, as for imports of old data.

    How long events are kept decides the earliest one.
    """

    oldest: Mapping[EventKeep, datetime | None] | None
    newest: datetime | None

    @classmethod
    def at(cls, now: datetime, retention: Retention = DEFAULT) -> "TimeWindow":
        """The accepted times now: events are kept a partition longer, so repeats are recognised."""
        oldest = {kept: _oldest(retention, kept, now) for kept in EventKeep}
        return cls(oldest, now + FARTHEST_AHEAD)

    def oldest_of(self, fact: Fact) -> datetime | None:
        """The earliest time that is accepted of a fact."""
        return None if self.oldest is None else self.oldest[fact.kept]


def _oldest(retention: Retention, keep: EventKeep, now: datetime) -> datetime | None:
    kept = [days for days in (retention.days_of(keep), retention.fine_days) if days]
    back = max(timedelta(days=min(kept, default=0)) - PARTITION, FARTHEST_AHEAD)
    return now - back if kept else None


def normalise(
    raw: Unchecked, window: TimeWindow, default_project: str | None = None
) -> Event | Rejection:
    """Reads one event; an invalid one becomes a Rejection."""
    if isinstance(raw, Rejection):
        return raw
    value, details = raw.value, raw.details
    if not isinstance(value, dict):
        return Rejection(Code.NOT_AN_OBJECT, "An event must be a JSON object.")
    try:
        return _read(value, details, window, default_project)
    except FieldError as error:
        path = _path(error.field, value, details, error.given) + error.inside
        path = clean_text(path[:_MAX_PATH_LENGTH])
        return Rejection(error.code, f"{path} {error.message}", path, _shown_id(value))


def _path(field: Field, value: Mapping[str, Any], details: FormatDetails, given: str = "") -> str:
    """The path at which the sender wrote the field, or should have."""
    if field.name in details.paths:
        return details.paths[field.name]
    names = (name for name in field.names if not is_blank(value.get(name)))
    return details.prefix + (given or next(names, field.name))


def _shown_id(event: Mapping[str, Any]) -> str | None:
    value = event.get("id", event.get("eventId", event.get("event_id")))
    return value if isinstance(value, str) and value.isprintable() and len(value) < 1000 else None


def _read(
    value: dict[str, Any], details: FormatDetails, window: TimeWindow, default_project: str | None
) -> Event:
    wire, type_ = _kind(value)
    row, unknown = _fields(wire, value)
    if row[STATUS] is not None or type_ == COMPLETED:
        type_ = _type_by_status(wire, type_, row[STATUS])
    project = row[PROJECT] or (default_project and PROJECT_FIELD.read(default_project))
    if project is None:
        raise _missing(PROJECT_FIELD)
    external_id = row[IDENTITY] or row[ID]
    occurred_at = _time(row[TIME], window, wire.fact, external_id)
    _complete(wire, row, project, occurred_at, details)
    cut = _cut_text(wire, row)
    entity = row[ENTITY]
    event = Event(
        fact=wire.fact,
        type=type_,
        event_id=_event_id(project, row[SOURCE], external_id, details) or _NO_ID,
        project=project,
        occurred_at=occurred_at,
        names=tuple(row[NAMES : wire.values]),
        values=tuple(row[wire.values : wire.content]),
        entity_id=None if entity is None else entity_uuid(project, entity),
        entity=entity,
        duration_us=row[DURATION],
        source=row[SOURCE],
        external_id=row[EXTERNAL_ID] or external_id,
        pair=row[IDENTITY],
        content=_content(wire, row),
        note=_note(cut, unknown, value, details) if cut or unknown else None,
    )
    if event.event_id is _NO_ID:
        event = replace(event, event_id=_content_id(event))
    return details.adapted(event) if details.adapted else event


def _kind(value: dict[str, Any]) -> EventKind:
    """The event's fact and type; taken from `status` if the type is missing."""
    given = value.get("type")
    if type(given) is str and (kind := event_kind(given)):
        return kind
    for field, code in ((TYPE_FIELD, Code.UNKNOWN_TYPE), (STATUS_FIELD, Code.INVALID_VALUE)):
        for name in field.names:
            if word := None if is_blank(value.get(name)) else field.read(value[name], name):
                if kind := event_kind(word):
                    return kind
                raise FieldError(code, f"{word!r} is not a known event type", field)
    raise _missing(TYPE_FIELD)


def _fields(wire: Wire, value: dict[str, Any]) -> tuple[list[Any], str | None]:
    """The row of clean values, and the name of the first field that the wire does not know."""
    row: list[Any] = [None] * wire.width
    unknown = None
    slots = wire.slots
    for name, given in value.items():
        if given is None:
            continue
        slot = slots.get(name)
        if slot is None:
            unknown = unknown or (None if is_blank(given) else name)
            continue
        place, read = slot
        try:
            clean = read(given)
            if row[place] is None:
                row[place] = clean
            elif clean is not None and clean != row[place]:
                raise FieldError(Code.CONFLICTING_FIELDS, "is given twice, with different values")
        except FieldError as error:
            if not is_blank(given):
                error.field, error.given = wire.field_at[place], name
                raise
    return row, unknown


def _type_by_status(wire: Wire, type_: int, status: str | None) -> int:
    """The type of a `completed` event; of others the type, which the status must not contradict."""
    if status is None:
        raise _missing(STATUS_FIELD)
    assert isinstance(wire.fact, Entity)
    lifecycle, stated = wire.fact.lifecycle, wire.type_of.get(status)
    if stated is None:
        raise FieldError(Code.INVALID_VALUE, f"{status!r} is not a known status", STATUS_FIELD)
    reached = steps(lifecycle)
    if type_ == COMPLETED:
        if stated == COMPLETED or reached[stated].rank < lifecycle.finish_rank:
            message = f"{status!r} does not say how it went"
            raise FieldError(Code.INVALID_VALUE, message, STATUS_FIELD)
        return stated
    if stated != COMPLETED and reached[stated] != reached[type_]:
        message = f"{status!r} contradicts the type {wire.typed(type_)!r}"
        raise FieldError(Code.CONFLICTING_FIELDS, message, STATUS_FIELD)
    return type_


def _time(
    time: datetime | None, window: TimeWindow, fact: Fact, external_id: str | None
) -> datetime:
    if time is None:
        given = as_uuid(external_id) if external_id else None
        time = uuid7_time(given) if given else None
    if time is None:
        message = "is required unless the id is a UUIDv7"
        raise FieldError(Code.MISSING_FIELD, message, TIME_FIELD)
    oldest = window.oldest_of(fact)
    if oldest is not None and time < oldest:
        message = f"lies before {oldest:%Y-%m-%dT%H:%M:%SZ}"
        raise FieldError(Code.TOO_OLD, message, TIME_FIELD)
    if window.newest is not None and time > window.newest:
        message = f"lies after {window.newest:%Y-%m-%dT%H:%M:%SZ}"
        raise FieldError(Code.IN_FUTURE, message, TIME_FIELD)
    return time


def _complete(
    wire: Wire, row: list[Any], project: str, occurred_at: datetime, details: FormatDetails
) -> None:
    """Fills in defaults, ids of other entities and the duration; checks the required fields."""
    for place, default in wire.defaults:
        if row[place] is None:
            row[place] = default
    for place in wire.required:
        if row[place] is None:
            raise _missing(wire.field_at[place])
    for name in details.required:
        if row[wire.places[name]] is None:
            raise _missing(wire.field_at[wire.places[name]])
    for place in wire.references:
        if row[place] is not None:
            row[place] = entity_uuid(project, row[place])
    if row[STARTED] is not None and row[wire.duration] is None:
        row[wire.duration] = duration_us(row[STARTED], occurred_at)


def _cut_text(wire: Wire, row: list[Any]) -> Field | None:
    """Cuts texts to their limits; returns the field of a text that is too long.

    What is in no row is cut as it is scrubbed: of a secret across the limit no part would be known.
    """
    cut = None
    for place in wire.texts:
        text = row[place]
        if text is not None and len(text) > MAX_ERROR_LENGTH:
            cut = wire.field_at[place]
            if place < wire.content:
                row[place] = text[: MAX_ERROR_LENGTH - 1] + "…"
    return cut


def _content(wire: Wire, row: list[Any]) -> dict[str, Any] | None:
    """What is in no row of the fact, by name."""
    names = wire.fact.content.names
    return dict(zip(names, row[wire.content :], strict=True)) if names else None


def _event_id(
    project: str, source: str | None, external_id: str | None, details: FormatDetails
) -> UUID | None:
    if external_id is None:
        return None
    if not details.ids_within_source and (given := as_uuid(external_id)):
        return given
    return event_uuid(project, source, external_id)


def _content_id(event: Event) -> UUID:
    fact = event.fact
    names = (dimension.name for dimension in fact.dimensions)
    content = dict(zip((*names, *fact.columns), event.names + event.values, strict=True))
    content |= event.content or {}
    content |= {"type": event.type, "occurred_at": event.occurred_at, "source": event.source}
    if isinstance(fact, Entity):
        content |= {f"{fact.name}_id": event.entity_id, fact.name: event.entity}
        content["duration_us"] = event.duration_us
    return content_uuid(event.project, content)


def _missing(field: Field) -> FieldError:
    return FieldError(Code.MISSING_FIELD, "is required", field)


def _note(
    cut: Field | None, unknown: str | None, value: dict[str, Any], details: FormatDetails
) -> Note:
    if cut is not None:
        path = _path(cut, value, details)
        return Note(Code.TRUNCATED, f"was cut to {MAX_ERROR_LENGTH} characters", path)
    shown = clean_text((unknown or "")[:_MAX_PATH_LENGTH])
    return Note(Code.UNKNOWN_FIELD, "is not a field of such an event and was left out", shown)
