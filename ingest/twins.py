"""Chooses among twins: events with the same id and time but different contents.

The choice depends on the contents alone, so every order of arrival gives the same deployments.
"""

from collections.abc import Iterable, Mapping, Sequence
from json import JSONEncoder
from operator import attrgetter
from typing import Any

from ingest import services
from ingest.events import DeploymentEvent, EventKey, ProjectEvent, Written
from ingest.stored import events_by_key
from storage.connections.database import Connection
from storage.connections.query import columns_of

_encoded = JSONEncoder(sort_keys=True).encode

_values = attrgetter(
    *("environment", "network", "template", "framework", "duration_us", "actor"),
    *("to_deployment", "error", "attributes", "source", "external_id"),
)


def content(event: DeploymentEvent) -> tuple[int, str]:
    """An event's content, the same before and after it is stored; the greater one counts.

    The type comes first, so that of two twins the one with the later type counts.
    """
    # The deployment of a service rollback is the result of matching, not part of the event.
    deployment = None if event.is_service_rollback else str(event.deployment_id)
    return int(event.type), _encoded([deployment, *map(_as_stored, _values(event))])


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
        if other is not entry and other.event != entry.event and _outranks(entry, other):
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


async def remove_outranked(
    connection: Connection, entries: Iterable[ProjectEvent], known: Mapping[EventKey, ProjectEvent]
) -> dict[EventKey, ProjectEvent]:
    """Deletes stored events that the given ones outrank; returns the deleted ones."""
    better = {
        entry.key: entry
        for entry in entries
        if entry.key in known and _outranks(entry, known[entry.key])
    }
    if not better:
        return {}
    # Another transaction may be replacing them too, so they are read again under a lock.
    await connection.execute(_LOCK, *columns_of(sorted(better)))
    stored = await events_by_key(connection, better.values())
    outranked = {key: entry for key, entry in stored.items() if _outranks(better[key], entry)}
    if outranked:
        await services.lock(connection, outranked.values())
        await connection.execute(_DELETE, *columns_of(sorted(outranked)))
    return outranked


def _outranks(entry: ProjectEvent, other: ProjectEvent) -> bool:
    return content(entry.event) > content(other.event)


_LOCK = """
select 1
from unnest($1::bigint[], $2::timestamptz[], $3::uuid[])
  as given(project_id, occurred_at, event_id)
join deployment_events as event using (project_id, occurred_at, event_id)
order by project_id, occurred_at, event_id for update of event
"""

_DELETE = """
delete from deployment_events as event
using unnest($1::bigint[], $2::timestamptz[], $3::uuid[])
  as given(project_id, occurred_at, event_id)
where event.project_id = given.project_id and event.occurred_at = given.occurred_at
  and event.event_id = given.event_id
"""
