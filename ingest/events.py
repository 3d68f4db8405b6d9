"""An event of any fact in canonical form, its limits, and the result its sender gets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from storage.dimensions import Dimension
from storage.facts.fact import Fact
from storage.facts.lifecycle import EventType
from storage.rollups.statements import EventKey

MAX_ID_LENGTH = 200
MAX_ACTOR_LENGTH = 320
MAX_SOURCE_LENGTH = 1_000
MAX_ERROR_LENGTH = 10_000
MAX_ATTRIBUTES_BYTES = 16_384
MAX_ATTRIBUTES_DEPTH = 8
MAX_BATCH_EVENTS = 10_000
MAX_BODY_BYTES = 10_000_000

# Old events are deleted by partition, so the oldest partition may be gone in part.
PARTITION = timedelta(days=7)
FARTHEST_AHEAD = timedelta(days=1)


class Code(StrEnum):
    """Why an event was rejected, or what its sender should know about an accepted one."""

    UNREADABLE = "UNREADABLE"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    MISSING_FIELD = "MISSING_FIELD"
    INVALID_VALUE = "INVALID_VALUE"
    INVALID_TEXT = "INVALID_TEXT"
    INVALID_NUMBER = "INVALID_NUMBER"
    INVALID_TIME = "INVALID_TIME"
    CONFLICTING_FIELDS = "CONFLICTING_FIELDS"
    TOO_LONG = "TOO_LONG"
    TOO_LARGE = "TOO_LARGE"
    TOO_DEEP = "TOO_DEEP"
    TOO_OLD = "TOO_OLD"
    IN_FUTURE = "IN_FUTURE"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    NOT_RELEVANT = "NOT_RELEVANT"
    UNKNOWN_PROJECT = "UNKNOWN_PROJECT"
    NOT_STORABLE = "NOT_STORABLE"
    RATE_LIMITED = "RATE_LIMITED"
    CONTENT_DIFFERS = "CONTENT_DIFFERS"
    UNKNOWN_NETWORK = "UNKNOWN_NETWORK"
    UNKNOWN_TEMPLATE = "UNKNOWN_TEMPLATE"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    TRUNCATED = "TRUNCATED"
    COUNTED_AS_OTHER = "COUNTED_AS_OTHER"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an event is rejected or ignored, and the path of the field at fault.

    One without budget is accepted later: `retry_after_seconds` says when.
    """

    code: Code
    message: str
    path: str | None = None
    id: str | None = None
    retry_after_seconds: float | None = None

    @property
    def status(self) -> "EventStatus":
        """IGNORED for a valid event about something that is not stored, which is no mistake."""
        return EventStatus.IGNORED if self.code is Code.NOT_RELEVANT else EventStatus.REJECTED


@dataclass(frozen=True, slots=True)
class Note:
    """A remark to the sender about an accepted event."""

    code: Code
    message: str
    path: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: to an entity, or as a row of an append fact.

    `names` are in the order of the fact's dimensions, `values` in the order of its columns. Only
    events of entities have an entity and a duration; that of an append fact is one of its columns.
    `content` is what the event gives besides, by name, and later what is made of it.

    `service` is set on CDEvents service events only. A rollback among them names no deployment; it
    is matched to the latest earlier one of the same environment and service.
    """

    fact: Fact
    type: int
    event_id: UUID
    project: str
    occurred_at: datetime
    names: tuple[str | None, ...]
    values: tuple[Any, ...]
    entity_id: UUID | None = None
    entity: str | None = None
    duration_us: int | None = None
    source: str | None = None
    external_id: str | None = None
    pair: str | None = None  # the sender's id that a start and its end have in common
    service: str | None = None
    content: Any = None
    note: Note | None = None

    @property
    def is_service_rollback(self) -> bool:
        """Whether this is a rollback that is matched by service."""
        return self.service is not None and self.type == EventType.ROLLED_BACK

    def name(self, dimension: Dimension) -> str | None:
        """Its name in one of the fact's dimensions."""
        return self.names[self.fact.dimensions.index(dimension)]

    def value(self, column: str) -> Any:
        """Its value for one of the fact's own columns."""
        return self.values[self.fact.columns.index(column)]


EntityKey = tuple[int, UUID]  # project id, entity id


class EventPosition(NamedTuple):
    """An event's position among its entity's events."""

    occurred_at: datetime
    event_id: UUID


class ProjectEvent(NamedTuple):
    """An event and the id of its project."""

    project_id: int
    event: Event

    @property
    def key(self) -> EventKey:
        """Two deliveries with the same fact and key are the same event."""
        return self.project_id, self.event.occurred_at, self.event.event_id

    @property
    def series_key(self) -> tuple[int, tuple[str | None, ...]]:
        return self.project_id, self.event.names

    @property
    def entity_key(self) -> EntityKey:
        assert self.event.entity_id is not None
        return self.project_id, self.event.entity_id


class Written(Enum):
    """The result of writing an event to the database."""

    NEW = "new"
    OTHER = "other"  # new, and counted as "other"
    KNOWN = "known"
    DIFFERS = "differs"  # known, with other content
    REFUSED = "refused"


class EventStatus(StrEnum):
    """The status of an event, as its sender gets it."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Result:
    """The result of the event at `index`; accepted and duplicate ones are committed."""

    index: int
    id: str | None
    status: EventStatus
    path: str | None = None
    code: Code | None = None
    message: str | None = None
    project: str | None = None
    fact: Fact | None = None
    entity_id: UUID | None = None
    time: datetime | None = None
    retry_after_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The JSON form, without the fields that are not set."""
        answer: dict[str, Any] = {"index": self.index, "id": self.id, "status": self.status}
        if self.fact is not None and self.entity_id is not None:
            answer[self.fact.name] = str(self.entity_id)
        for name in ("path", "code", "message"):
            if (value := getattr(self, name)) is not None:
                answer[name] = value
        return answer
