"""Turns a deployment event in any accepted spelling into its canonical form, or a rejection."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ingest.aliases import COMPLETED, TYPE_OF_WORD, plain_word
from ingest.events import (
    FARTHEST_AHEAD,
    MAX_ACTOR_LENGTH,
    MAX_ERROR_LENGTH,
    MAX_ID_LENGTH,
    MAX_SOURCE_LENGTH,
    PARTITION,
    Code,
    DeploymentEvent,
    Note,
    Rejection,
)
from ingest.fields import MAX_PATH_LENGTH, FieldError, Fields
from ingest.formats.raw import FormatDetails, Unchecked
from ingest.identity import as_uuid, content_uuid, deployment_uuid, event_uuid, uuid7_time
from ingest.times import read_time
from storage.facts.deployments import STATUS_OF_EVENT, EventType
from storage.keeping.windows import DEFAULT, Retention
from storage.names import MAX_NAME_LENGTH, clean_text

_MAX_WORD_LENGTH = 64
_FINISHES = (EventType.SUCCEEDED, EventType.FAILED, EventType.CANCELLED, EventType.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The times that are accepted; None leaves a side open, as for imports of old data."""

    oldest: datetime | None
    newest: datetime | None

    @classmethod
    def at(cls, now: datetime, retention: Retention = DEFAULT) -> "TimeWindow":
        """The accepted times now: events are kept a partition longer, so repeats are recognised."""
        kept = [days for days in (retention.events_days, retention.fine_days) if days]
        back = max(timedelta(days=min(kept, default=0)) - PARTITION, FARTHEST_AHEAD)
        return cls(now - back if kept else None, now + FARTHEST_AHEAD)


def normalise(
    raw: Unchecked, window: TimeWindow, default_project: str | None = None
) -> DeploymentEvent | Rejection:
    """Reads one event; an invalid one becomes a Rejection."""
    if isinstance(raw, Rejection):
        return raw
    value, details = raw.value, raw.details
    if not isinstance(value, dict):
        return Rejection(Code.NOT_AN_OBJECT, "An event must be a JSON object.")
    try:
        fields = Fields(value, details.paths, details.prefix)
        return _read(fields, window, default_project, details)
    except FieldError as error:
        return replace(error.rejection, id=_shown_id(value))


def _shown_id(event: dict[str, Any]) -> str | None:
    value = event.get("id", event.get("eventId", event.get("event_id")))
    return value if isinstance(value, str) and value.isprintable() and len(value) < 1000 else None


def _read(
    fields: Fields, window: TimeWindow, default_project: str | None, details: FormatDetails
) -> DeploymentEvent:
    if default_project is not None:
        fields.values.setdefault("project", default_project)
    project = fields.required("project", MAX_NAME_LENGTH)
    kind = _read_type(fields)
    external_id = fields.identifier("id", MAX_ID_LENGTH)
    source = fields.name("source", MAX_SOURCE_LENGTH)
    event_id = _event_id(project, source, external_id, details)
    environment = fields.name("environment", MAX_NAME_LENGTH)
    deployment = fields.required("deployment", MAX_ID_LENGTH)
    service = deployment if details.is_service else None
    if service is not None:
        deployment = _deployment_of_service(fields, service, environment, event_id)
    occurred_at = _read_time(fields, window, external_id)
    error, cut = fields.error()
    network = fields.name("network", MAX_NAME_LENGTH)
    values: dict[str, Any] = {
        "deployment_id": _deployment_id(project, deployment, kind, service, event_id),
        "deployment": deployment,
        "type": kind,
        "occurred_at": occurred_at,
        "environment": environment,
        "network": network.lower() if network else None,
        "template": fields.name("template", MAX_NAME_LENGTH),
        "framework": fields.name("framework", MAX_NAME_LENGTH),
        "duration_us": fields.duration_us(),
        "actor": fields.name("actor", MAX_ACTOR_LENGTH),
        "to_deployment": fields.identifier("toDeployment", MAX_ID_LENGTH),
        "error": error,
        "attributes": fields.attributes(),
        "source": source,
    }
    return DeploymentEvent(
        event_id=event_id or content_uuid(project, values),
        project=project,
        external_id=external_id,
        service=service,
        note=_note(fields, cut),
        **values,
    )


def _deployment_of_service(
    fields: Fields, service: str, environment: str | None, event_id: UUID | None
) -> str:
    if environment is None:
        raise fields.missing("environment")
    if event_id is None:
        raise fields.missing("id")
    return f"{environment}/{service}/{event_id}"


def _deployment_id(
    project: str, deployment: str, kind: EventType, service: str | None, event_id: UUID | None
) -> UUID:
    """A service rollback has its own id as its deployment's until it is matched."""
    if service is not None and kind is EventType.ROLLED_BACK and event_id is not None:
        return event_id
    return deployment_uuid(project, deployment)


def _event_id(
    project: str, source: str | None, external_id: str | None, details: FormatDetails
) -> UUID | None:
    if external_id is None:
        return None
    if not details.ids_within_source and (given := as_uuid(external_id)):
        return given
    return event_uuid(project, source, external_id)


def _read_time(fields: Fields, window: TimeWindow, external_id: str | None) -> datetime:
    value = fields.values.get("time")
    time = _time_of_id(external_id) if value is None else read_time(value)
    if time is None:
        raise fields.invalid("time", Code.MISSING_FIELD, "is required unless the id is a UUIDv7")
    if isinstance(time, str):
        raise fields.invalid("time", Code.INVALID_TIME, time)
    if window.oldest is not None and time < window.oldest:
        raise fields.invalid(
            "time", Code.TOO_OLD, f"lies before {window.oldest:%Y-%m-%dT%H:%M:%SZ}"
        )
    if window.newest is not None and time > window.newest:
        raise fields.invalid(
            "time", Code.IN_FUTURE, f"lies after {window.newest:%Y-%m-%dT%H:%M:%SZ}"
        )
    return time


def _time_of_id(external_id: str | None) -> datetime | None:
    given = as_uuid(external_id) if external_id else None
    return uuid7_time(given) if given else None


def _read_type(fields: Fields) -> EventType:
    """The event's type; taken from `status` if the type is missing or `completed`."""
    word = _word(fields, "type")
    if word is None or word in COMPLETED:
        return _type_of_status(fields, word)
    kind = TYPE_OF_WORD.get(word)
    if kind is None:
        raise fields.invalid("type", Code.UNKNOWN_TYPE, f"{word!r} is not a deployment event type")
    status = _word(fields, "status")
    if status is not None and status not in COMPLETED:
        stated = TYPE_OF_WORD.get(status)
        if stated is None:
            raise fields.invalid("status", Code.INVALID_VALUE, f"{status!r} is not a known status")
        if STATUS_OF_EVENT[stated] is not STATUS_OF_EVENT[kind]:
            raise fields.invalid(
                "status", Code.CONFLICTING_FIELDS, f"{status!r} contradicts the type {word!r}"
            )
    return kind


def _type_of_status(fields: Fields, completed: str | None) -> EventType:
    status = _word(fields, "status")
    if status is None:
        raise fields.missing("status" if completed else "type")
    kind = TYPE_OF_WORD.get(status)
    if kind is None or (completed and kind not in _FINISHES):
        raise fields.invalid("status", Code.INVALID_VALUE, f"{status!r} does not say how it went")
    return kind


def _word(fields: Fields, field: str) -> str | None:
    value = fields.values.get(field)
    if value is None:
        return None
    if type(value) is not str or len(value) > _MAX_WORD_LENGTH:
        raise fields.invalid(field, Code.INVALID_VALUE, "must be a short text")
    return plain_word(value) or None


def _note(fields: Fields, cut: bool) -> Note | None:
    if cut:
        return Note(
            Code.TRUNCATED, f"was cut to {MAX_ERROR_LENGTH} characters", fields.spelling("error")
        )
    if fields.unknown is not None:
        shown = clean_text(fields.unknown[:MAX_PATH_LENGTH])
        return Note(Code.UNKNOWN_FIELD, "is not a field of an event and was left out", shown)
    return None
