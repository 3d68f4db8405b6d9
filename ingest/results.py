"""The results that a sender gets for its events."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ingest.events import Code, Event, EventStatus, Note, Rejection, Result, Written
from storage.dimensions import Dimension
from storage.facts.fact import Append, Entity

Read = Event | Rejection

_NEW = (Written.NEW, Written.OTHER)
_DIFFERS = Note(
    Code.CONTENT_DIFFERS,
    "came with other content too; which one counts does not depend on the order of arrival",
    "id",
)
_FIRST_COUNTS = Note(
    Code.CONTENT_DIFFERS, "came with other content before, and that content counts", "id"
)
_TOO_MANY = Note(
    Code.COUNTED_AS_OTHER,
    "is of a combination of names beyond those that the project may have; it is counted as 'other'",
    "type",
)


def unknown_name(event: Event, dimension: Dimension) -> Note:
    """The note to an event whose name is not provisioned."""
    message = f"is not provisioned; it is counted under 'other' in {event.fact.noun} until it is"
    return Note(Code[f"UNKNOWN_{dimension.name.upper()}"], message, dimension.name)


def over_budget(event: Event, seconds: float) -> Rejection:
    """Rejects an event of a project without budget for a number of seconds."""
    message = f"Too many events of this project: send it again in {math.ceil(seconds)} seconds."
    shown = event.external_id or str(event.event_id)
    return Rejection(Code.RATE_LIMITED, message, "project", shown, seconds)


def unrecorded(event: Event) -> Rejection:
    """Ignores an event of a fact that this gateway does not record."""
    shown = event.external_id or str(event.event_id)
    message = f"This gateway does not record {event.fact.noun}."
    return Rejection(Code.NOT_RELEVANT, message, "type", shown)


def ends(read: Iterable[Read], results: Iterable[Result]) -> Iterator[tuple[str, str]]:
    """The fact and the status of each accepted event that ends an entity."""
    for item, result in zip(read, results, strict=True):
        if not isinstance(item, Event) or result.status is not EventStatus.ACCEPTED:
            continue
        if isinstance(item.fact, Entity):
            life = item.fact.lifecycle
            if (status := life.status_of[item.type]) in life.finishes:
                yield item.fact.name, status.name.lower()


def result_of(index: int, item: Read, written: Written | None, note: Note | None) -> Result:
    """Returns an event's result; `written` is None if the sender cannot write to its project."""
    if isinstance(item, Rejection):
        result = Result(index, item.id, item.status, item.path, item.code, item.message)
        return replace(result, retry_after_seconds=item.retry_after_seconds)
    shown = item.external_id or str(item.event_id)
    if written is None:
        message = f"There is no project {item.project!r}."
        return Result(index, shown, EventStatus.REJECTED, "project", Code.UNKNOWN_PROJECT, message)
    if written is Written.REFUSED:
        message = "The database cannot store this event's values."
        return Result(index, shown, EventStatus.REJECTED, None, Code.NOT_STORABLE, message)
    result = Result(
        index,
        shown,
        EventStatus.ACCEPTED if written in _NEW else EventStatus.DUPLICATE,
        project=item.project,
        fact=item.fact,
        entity_id=None if item.is_service_rollback else item.entity_id,
        time=item.occurred_at,
    )
    differs = _FIRST_COUNTS if isinstance(item.fact, Append) else _DIFFERS
    if note := {Written.DIFFERS: differs, Written.OTHER: _TOO_MANY}.get(written, note):
        return replace(result, code=note.code, path=note.path, message=note.message)
    return result
