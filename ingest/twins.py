"""Twins: events of one id and time with different contents, of which one counts.

Which one depends on the contents alone, so every order of arrival gives the same deployments.
"""

from collections.abc import Iterable, Mapping, Sequence
from json import JSONEncoder
from operator import attrgetter
from typing import Any

from ingest import services, stored
from ingest.events import DeploymentEvent, Written
from ingest.services import ProjectEvent, is_matched
from ingest.stored import EventKey, event_key
from storage.connections.database import Connection

Content = tuple[int, str]

_encoded = JSONEncoder(sort_keys=True).encode

_said = attrgetter(
    *("environment", "network", "template", "framework", "duration_us", "actor"),
    *("to_deployment", "error", "attributes", "source", "external_id"),
)


def content(event: DeploymentEvent) -> Content:
    """What an event says, the same before and after it is stored; the greater one counts.

    The type comes first, so that of two twins the one counts that is further on.
    """
    # A rollback that is matched by service does not say which deployment it is of.
    deployment = None if is_matched(event) else str(event.deployment_id)
    said = [deployment, *map(_plain, _said(event))]
    return int(event.type), _encoded(said)


def _plain(value: Any) -> Any:
    """The value with numbers as Postgres keeps them: 1.0 is 1, and zero has no sign."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def best(entries: Iterable[ProjectEvent]) -> dict[EventKey, ProjectEvent]:
    """Of each key the entry that counts."""
    found: dict[EventKey, ProjectEvent] = {}
    for entry in entries:
        held = found.setdefault(event_key(entry), entry)
        if held is not entry and held.event != entry.event and _outranks(entry, held):
            found[event_key(entry)] = entry
    return found


def told(
    entries: Sequence[ProjectEvent], known: Mapping[EventKey, ProjectEvent | None]
) -> list[Written]:
    """What became of each entry: whether its key was new, and if not, whether its content was."""
    first = dict(known)
    answers = []
    for entry in entries:
        key = event_key(entry)
        if key not in first:
            first[key] = entry
            answers.append(Written.NEW)
            continue
        earlier = first[key]
        same = earlier is None or content(earlier.event) == content(entry.event)
        answers.append(Written.KNOWN if same else Written.DIFFERS)
    return answers


async def take_out(
    connection: Connection, entries: Iterable[ProjectEvent], known: Mapping[EventKey, ProjectEvent]
) -> dict[EventKey, ProjectEvent]:
    """Remove the stored events that these outrank, for these to be stored in their place."""
    better = {
        event_key(entry): entry
        for entry in entries
        if event_key(entry) in known and _outranks(entry, known[event_key(entry)])
    }
    if not better:
        return {}
    # Another transaction may be about to replace them too: who comes second looks again.
    await connection.execute(_LOCK, *_columns(better))
    held = await stored.by_key(connection, better.values())
    beaten = {key: held[key] for key in better if key in held and _outranks(better[key], held[key])}
    if beaten:
        await services.lock(connection, list(beaten.values()))
        await connection.execute(_DELETE, *_columns(beaten))
    return beaten


def _outranks(entry: ProjectEvent, other: ProjectEvent) -> bool:
    return content(entry.event) > content(other.event)


def _columns(keys: Iterable[EventKey]) -> list[list[Any]]:
    return [list(column) for column in zip(*sorted(keys), strict=True)]


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
