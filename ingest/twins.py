"""Chooses among twins: events with the same id and time but different contents.

The choice depends on the contents alone, so every order of arrival gives the same deployments.
"""

from collections.abc import Iterable, Mapping, Sequence
from json import JSONEncoder
from typing import Any

from ingest.events import Event, ProjectEvent, Written
from storage.rollups.statements import EventKey

_encoded = JSONEncoder(sort_keys=True, default=str).encode


def content(event: Event) -> tuple[int, str]:
    """An event's content, the same before and after it is stored; the greater one counts.

    The type comes first, so that of two twins the one with the later type counts.
    """
    # The deployment of a service rollback is the result of matching, not part of the event.
    entity = None if event.is_service_rollback else str(event.entity_id)
    # An event without an id is archived with the one it was given.
    sent_id = None if event.external_id == str(event.event_id) else event.external_id
    values = (*event.names, event.duration_us, *event.values, event.source, sent_id)
    return event.type, _encoded([entity, *map(_as_stored, values)])


def _as_stored(value: Any) -> Any:
    """The value with numbers as Postgres stores them: 1.0 is 1, and zero has no sign."""
    if isinstance(value, dict):
        return {name: _as_stored(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_stored(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def choose(entries: Iterable[ProjectEvent]) -> dict[EventKey, ProjectEvent]:
    """The entry that counts, for each key."""
    chosen: dict[EventKey, ProjectEvent] = {}
    for entry in entries:
        other = chosen.setdefault(entry.key, entry)
        if other is not entry and other.event != entry.event and outranks(entry, other):
            chosen[entry.key] = entry
    return chosen


def compare(
    entries: Sequence[ProjectEvent], known: Mapping[EventKey, ProjectEvent | None]
) -> list[Written]:
    """For each entry whether its key is new, and if not, whether its content differs."""
    first = dict(known)
    results = []
    for entry in entries:
        key = entry.key
        if key not in first:
            first[key] = entry
            results.append(Written.NEW)
            continue
        earlier = first[key]
        same = earlier is None or content(earlier.event) == content(entry.event)
        results.append(Written.KNOWN if same else Written.DIFFERS)
    return results


def outranks(entry: ProjectEvent, other: ProjectEvent) -> bool:
    return content(entry.event) > content(other.event)
