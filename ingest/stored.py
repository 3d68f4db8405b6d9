"""Stored events, read back: by their keys, or all of a deployment that must be folded anew."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ingest.events import DeploymentEvent
from ingest.fold import State, fold, without
from ingest.services import EventPosition, Key, ProjectEvent
from storage.connections.database import Connection
from storage.facts.deployments import EventType
from storage.facts.services import ServiceEvent

EventKey = tuple[int, datetime, UUID]

_KINDS = list(ServiceEvent)
_AS_STORED = (
    *("event_id", "deployment_id", "occurred_at", "environment", "network", "template"),
    *("framework", "duration_us", "actor", "to_deployment", "error", "attributes", "source"),
    *("external_id", "service"),
)


def event_key(entry: ProjectEvent) -> EventKey:
    """What makes two deliveries the same event."""
    return entry.project_id, entry.event.occurred_at, entry.event.event_id


async def by_key(
    connection: Connection, entries: Iterable[ProjectEvent]
) -> dict[EventKey, ProjectEvent]:
    """What is stored under the keys of these events."""
    keys = [event_key(entry) for entry in entries]
    rows = await connection.fetch(_BY_KEY, *map(list, zip(*keys, strict=True)), _KINDS)
    found = [ProjectEvent(row["project_id"], _event(row)) for row in rows]
    return {event_key(entry): entry for entry in found}


async def refolded(
    connection: Connection, held: Mapping[Key, State], lost: Mapping[Key, Collection[EventPosition]]
) -> dict[Key, State]:
    """The states of deployments that have lost events, from what is left."""
    if not lost:
        return {}
    left: dict[Key, list[DeploymentEvent]] = {key: [] for key in lost}
    columns = map(list, zip(*lost, strict=True))
    for row in await connection.fetch(_OF_DEPLOYMENTS, *columns, _KINDS):
        key = (row["project_id"], row["deployment_id"])
        left[key].append(_event(row, held[key].external_id or ""))
    states = {}
    for key, places in lost.items():
        state = held[key]
        for at, event_id in places:
            state = without(state, at, event_id)
        states[key] = fold(state, left[key])
    return states


def _event(row: Any, deployment: str = "") -> DeploymentEvent:
    """The event in a row; the names of project and deployment do not stand there."""
    values = {name: row[name] for name in _AS_STORED}
    return DeploymentEvent(project="", deployment=deployment, type=EventType(row["type"]), **values)


# A service event has its service among the attributes, and a row that says what it is matched to.
_BY_KEY = """
select event.*, told.service
from unnest($1::bigint[], $2::timestamptz[], $3::uuid[])
  as given(project_id, occurred_at, event_id)
join deployment_events as event using (project_id, occurred_at, event_id)
left join service_events as told
  on told.project_id = event.project_id and told.environment = event.environment
  and told.service = event.attributes ->> 'service' and told.kind = any($4::smallint[])
  and told.occurred_at = event.occurred_at and told.event_id = event.event_id
"""

_OF_DEPLOYMENTS = """
select event.*, told.service
from unnest($1::bigint[], $2::uuid[]) as given(project_id, deployment_id)
join deployment_events as event using (project_id, deployment_id)
left join service_events as told
  on told.project_id = event.project_id and told.environment = event.environment
  and told.service = event.attributes ->> 'service' and told.kind = any($3::smallint[])
  and told.occurred_at = event.occurred_at and told.event_id = event.event_id
"""
