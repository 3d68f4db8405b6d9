"""Reads stored events: by their keys, or all events of a deployment."""

from collections.abc import Iterable, Mapping
from typing import Any

from ingest.events import DeploymentEvent, DeploymentKey, EventKey, ProjectEvent
from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.deployments import EventType
from storage.facts.services import ServiceEvent
from storage.rollups.statements import insert_events

_KINDS = list(ServiceEvent)
_CONVERTED = ("project_id", "type")
_AS_STORED = (*(name for name in insert_events().columns if name not in _CONVERTED), "service")


async def events_by_key(
    connection: Connection, entries: Iterable[ProjectEvent]
) -> dict[EventKey, ProjectEvent]:
    """The stored events with the same keys as the given ones."""
    rows = await connection.fetch(_BY_KEY, _KINDS, *columns_of(entry.key for entry in entries))
    found = [ProjectEvent(row["project_id"], _event(row)) for row in rows]
    return {entry.key: entry for entry in found}


async def events_by_deployment(
    connection: Connection, names: Mapping[DeploymentKey, str]
) -> dict[DeploymentKey, list[DeploymentEvent]]:
    """All stored events of these deployments, which are given with their external ids."""
    events: dict[DeploymentKey, list[DeploymentEvent]] = {key: [] for key in names}
    if names:
        for row in await connection.fetch(_BY_DEPLOYMENT, _KINDS, *columns_of(names)):
            key = (row["project_id"], row["deployment_id"])
            events[key].append(_event(row, names[key]))
    return events


def _event(row: Any, deployment: str = "") -> DeploymentEvent:
    """The event in a row, which holds neither the project's slug nor the deployment's name."""
    values = {name: row[name] for name in _AS_STORED}
    return DeploymentEvent(project="", deployment=deployment, type=EventType(row["type"]), **values)


# Only an event that has a row in `service_events` is one of a service.
_SELECT = """
select event.*, matched.service
from unnest({arrays}) as given({key})
join deployment_events as event using ({key})
left join service_events as matched
  on matched.project_id = event.project_id and matched.environment = event.environment
  and matched.service = event.attributes ->> 'service' and matched.kind = any($1::smallint[])
  and matched.occurred_at = event.occurred_at and matched.event_id = event.event_id
"""
_BY_KEY = _SELECT.format(
    arrays="$2::bigint[], $3::timestamptz[], $4::uuid[]", key="project_id, occurred_at, event_id"
)
_BY_DEPLOYMENT = _SELECT.format(arrays="$2::bigint[], $3::uuid[]", key="project_id, deployment_id")
