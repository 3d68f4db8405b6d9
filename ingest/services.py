"""Matches the rollbacks of services to deployments, whichever order they arrive in.

A rollback among CDEvents names no deployment: it undoes the latest earlier one of its service.
`service_events` holds each service's deployments and rollbacks by time, so the match depends on
what is stored and not on the order of arrival. A late deployment takes over the rollbacks between
it and the next deployment.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from ingest.events import EntityKey, Event, EventPosition, ProjectEvent
from ingest.identity import entity_uuid
from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.dimensions import ENVIRONMENT
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.lifecycle import EventType
from storage.facts.services import ServiceEvent

Positions = dict[EntityKey, list[EventPosition]]


# The entity that services have, and the type of their rollbacks.
ENTITY = DEPLOYMENTS
ROLLBACK = EventType.ROLLED_BACK

# The names of the fields that an event of a service must have.
REQUIRED = ("environment", "id")


def of_service(event: Event) -> Event:
    """The event of a service, whose name was read as that of a deployment.

    A rollback has its own id as its deployment's until it is matched.
    """
    service = event.entity
    name = f"{event.name(ENVIRONMENT)}/{service}/{event.event_id}"
    of = replace(event, service=service, entity=name, entity_id=entity_uuid(event.project, name))
    return replace(of, entity_id=of.event_id) if of.is_service_rollback else of


class Moves(NamedTuple):
    """The service rollbacks that deployments gained, and the events that they lost."""

    gained: Positions
    lost: Positions


async def lock(connection: Connection, entries: Iterable[ProjectEvent]) -> None:
    """Locks the services of these events against matching in other transactions.

    Call it before inserting the events, so that no transaction waits for one while holding it.
    """
    services = [_row(entry)[:3] for entry in entries if entry.event.service is not None]
    if services:
        await connection.execute(_LOCK, *columns_of(services))


async def match(
    connection: Connection, new: Iterable[ProjectEvent], replaced: Collection[ProjectEvent]
) -> Moves:
    """Updates `service_events` and matches rollbacks anew where these events change the match.

    Returns the deployments whose events change by that, or by the removal of replaced events.
    """
    moves = Moves(defaultdict(list), defaultdict(list))
    for entry in replaced:
        if not _is_unmatched(entry):
            position = EventPosition(entry.event.occurred_at, entry.event.event_id)
            moves.lost[entry.entity_key].append(position)
    removed = [_row(entry) for entry in replaced if entry.event.service is not None]
    added = [_row(entry) for entry in new if entry.event.service is not None]
    if removed:
        await connection.execute(_REMOVE, *columns_of(removed)[:6])
    if added:
        await connection.execute(_ADD, *columns_of(added))
    if not removed and not added:
        return moves
    project_ids, environments, services, _, times, *_ = columns_of([*added, *removed])
    rollbacks = await connection.fetch(
        _REMATCH,
        *(project_ids, environments, services, times),
        *(ServiceEvent.ROLLED_BACK, ServiceEvent.DEPLOYED),
    )
    if rollbacks:
        changes = columns_of(rollbacks)
        await connection.execute(_UPDATE_EVENTS, *changes[:4])
        await connection.execute(_UPDATE_SERVICE_EVENTS, *changes[:6], ServiceEvent.ROLLED_BACK)
    for project_id, at, event_id, deployment_id, _, _, earlier_id in rollbacks:
        rollback = EventPosition(at, event_id)
        if deployment_id != event_id:
            moves.gained[project_id, deployment_id].append(rollback)
        if earlier_id != event_id:
            moves.lost[project_id, earlier_id].append(rollback)
    return moves


def _is_unmatched(entry: ProjectEvent) -> bool:
    """Whether this is a service rollback without a deployment, so its deployment id is its own."""
    return entry.event.is_service_rollback and entry.event.entity_id == entry.event.event_id


def _row(entry: ProjectEvent) -> Sequence[object]:
    event = entry.event
    return (
        entry.project_id,
        event.name(ENVIRONMENT),
        event.service,
        ServiceEvent.ROLLED_BACK if event.is_service_rollback else ServiceEvent.DEPLOYED,
        event.occurred_at,
        event.event_id,
        event.entity_id,
    )


# SQL that finds the service of a stored event. Only one with a row in `service_events` has one.
JOIN = f"""
left join service_events as matched
  on matched.project_id = event.project_id and matched.environment = event.environment
  and matched.service = event.attributes ->> 'service'
  and matched.kind in ({", ".join(str(int(kind)) for kind in ServiceEvent)})
  and matched.occurred_at = event.occurred_at and matched.event_id = event.event_id
"""

# In the order of the lock's own numbers, so that two batches never wait for each other.
_LOCK = """
select pg_advisory_xact_lock(number) from (
  select distinct
    hashtextextended(concat_ws('/', 'service:', project_id, environment, service), 0) as number
  from unnest($1::bigint[], $2::text[], $3::text[]) as given(project_id, environment, service)
  order by 1) as numbers
"""

_ADD = """
insert into service_events
  (project_id, environment, service, kind, occurred_at, event_id, deployment_id)
select * from unnest(
  $1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[], $6::uuid[], $7::uuid[])
on conflict do nothing
"""

_REMOVE = """
delete from service_events as event using unnest(
  $1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[], $6::uuid[])
  as given(project_id, environment, service, kind, occurred_at, event_id)
where event.project_id = given.project_id and event.environment = given.environment
  and event.service = given.service and event.kind = given.kind
  and event.occurred_at = given.occurred_at and event.event_id = given.event_id
"""

# Rollbacks that now undo another deployment; one that finds no deployment gets its own event id.
_REMATCH = """
select undo.project_id, undo.occurred_at, undo.event_id,
  coalesce(target.deployment_id, undo.event_id) as deployment_id,
  undo.environment, undo.service, undo.deployment_id as earlier_id
from (
  select project_id, environment, service, min(occurred_at) as since
  from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[])
    as given(project_id, environment, service, occurred_at)
  group by 1, 2, 3) as touched
join service_events as undo
  on undo.project_id = touched.project_id and undo.environment = touched.environment
  and undo.service = touched.service and undo.kind = $5
  and undo.occurred_at >= touched.since
left join lateral (
  select made.deployment_id from service_events as made
  where made.project_id = undo.project_id and made.environment = undo.environment
    and made.service = undo.service and made.kind = $6
    and (made.occurred_at, made.event_id) < (undo.occurred_at, undo.event_id)
  order by made.occurred_at desc, made.event_id desc limit 1) as target on true
where coalesce(target.deployment_id, undo.event_id) <> undo.deployment_id
"""

_UPDATE_EVENTS = """
update deployment_events as event set deployment_id = given.deployment_id
from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::uuid[])
  as given(project_id, occurred_at, event_id, deployment_id)
where event.project_id = given.project_id and event.occurred_at = given.occurred_at
  and event.event_id = given.event_id
"""

_UPDATE_SERVICE_EVENTS = """
update service_events as event set deployment_id = given.deployment_id
from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
  as given(project_id, occurred_at, event_id, deployment_id, environment, service)
where event.project_id = given.project_id and event.environment = given.environment
  and event.service = given.service and event.kind = $7
  and event.occurred_at = given.occurred_at and event.event_id = given.event_id
"""
