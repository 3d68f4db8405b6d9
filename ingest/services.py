"""Rollbacks of services: each undoes the latest earlier deployment, whichever order they come in.

A rollback among CDEvents names no deployment. `service_events` keeps the service's deployments and
rollbacks by time, so the match is a function of what is stored, not of the order of arrival: a late
deployment takes over the rollbacks between it and the next one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from ingest.events import DeploymentEvent
from ingest.fold import State, with_rollback
from storage.connections.database import Connection
from storage.facts.deployments import EventType
from storage.facts.services import ServiceEvent


class ProjectEvent(NamedTuple):
    """An event and the project it belongs to."""

    project_id: int
    event: DeploymentEvent


Key = tuple[int, UUID]


class EventPosition(NamedTuple):
    """An event's place among a deployment's events; of a rollback it is all that counts."""

    occurred_at: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Matches:
    """What matching changed: rollbacks that deployments gained, and deployments that lost one."""

    gained: dict[Key, list[EventPosition]] = field(default_factory=dict)
    lost: dict[Key, list[EventPosition]] = field(default_factory=dict)


def is_matched(event: DeploymentEvent) -> bool:
    """Whether this is a rollback that is matched by service instead of naming its deployment."""
    return event.service is not None and event.type is EventType.ROLLED_BACK


def is_waiting(event: DeploymentEvent) -> bool:
    """Whether this is such a rollback, and no deployment came before it yet."""
    return is_matched(event) and event.deployment_id == event.event_id


async def lock(connection: Connection, entries: Sequence[ProjectEvent]) -> None:
    """Wait until no other transaction matches rollbacks of these services.

    Taken before the events are inserted, so that nobody waits for an event while holding this.
    """
    services = {
        (entry.project_id, entry.event.environment, entry.event.service)
        for entry in entries
        if entry.event.service is not None
    }
    if services:
        await connection.execute(_LOCK, *_columns(services))


async def match(
    connection: Connection, fresh: Iterable[ProjectEvent], gone: Iterable[ProjectEvent] = ()
) -> Matches:
    """Keep service events, drop those gone, move the rollbacks whose deployment that changes."""
    told = [entry for entry in fresh if entry.event.service is not None]
    dropped = [entry for entry in gone if entry.event.service is not None]
    if not told and not dropped:
        return Matches()
    if dropped:
        await connection.execute(_DROP, *_columns([_row(entry)[:-1] for entry in dropped]))
    if told:
        await connection.execute(_KEEP, *_columns([_row(entry) for entry in told]))
    kinds = (ServiceEvent.ROLLED_BACK, ServiceEvent.DEPLOYED)
    moves = await connection.fetch(_MOVED, *_columns(_earliest([*told, *dropped])), *kinds)
    if not moves:
        return Matches()
    kept = _columns([tuple(move)[:6] for move in moves])
    await connection.execute(_MOVE_KEPT, *kept, ServiceEvent.ROLLED_BACK)
    places = [
        (move["project_id"], move["occurred_at"], move["event_id"], move["deployment_id"])
        for move in moves
    ]
    await connection.execute(_MOVE_EVENTS, *_columns(places))
    matches = Matches()
    for move in moves:
        rollback = EventPosition(move["occurred_at"], move["event_id"])
        for moved, deployment_id in (
            (matches.gained, move["deployment_id"]),
            (matches.lost, move["earlier_id"]),
        ):
            if deployment_id != rollback.event_id:  # else it waits for a deployment
                moved.setdefault((move["project_id"], deployment_id), []).append(rollback)
    return matches


def settle(states: Mapping[Key, State], matches: Matches) -> dict[Key, State]:
    """The states with the rollbacks that deployments gained."""
    settled = dict(states)
    for key, rollbacks in matches.gained.items():
        for rollback in rollbacks:
            settled[key] = with_rollback(settled[key], *rollback)
    return settled


def _row(entry: ProjectEvent) -> tuple[object, ...]:
    event = entry.event
    kind = ServiceEvent.ROLLED_BACK if is_matched(event) else ServiceEvent.DEPLOYED
    return (
        entry.project_id,
        event.environment,
        event.service,
        kind,
        event.occurred_at,
        event.event_id,
        event.deployment_id,
    )


def _earliest(told: Iterable[ProjectEvent]) -> list[tuple[object, ...]]:
    """Each service and the time from which its rollbacks may have a new match."""
    since: dict[tuple[int, str | None, str | None], datetime] = {}
    for project_id, event in told:
        service = (project_id, event.environment, event.service)
        since[service] = min(event.occurred_at, since.get(service, event.occurred_at))
    return [(*service, at) for service, at in since.items()]


def _columns(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


# In the order of the lock's own numbers, so that two batches never wait for each other.
_LOCK = """
select pg_advisory_xact_lock(number) from (
  select distinct
    hashtextextended(concat_ws('/', 'service:', project_id, environment, service), 0) as number
  from unnest($1::bigint[], $2::text[], $3::text[]) as given(project_id, environment, service)
  order by 1) as numbers
"""

_KEEP = """
insert into service_events
  (project_id, environment, service, kind, occurred_at, event_id, deployment_id)
select * from unnest(
  $1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[], $6::uuid[], $7::uuid[])
on conflict do nothing
"""

_DROP = """
delete from service_events as kept using unnest(
  $1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::timestamptz[], $6::uuid[])
  as given(project_id, environment, service, kind, occurred_at, event_id)
where kept.project_id = given.project_id and kept.environment = given.environment
  and kept.service = given.service and kept.kind = given.kind
  and kept.occurred_at = given.occurred_at and kept.event_id = given.event_id
"""

# A rollback without a deployment before it bears its own id.
_MOVED = """
select undo.project_id, undo.environment, undo.service, undo.occurred_at, undo.event_id,
  coalesce(target.deployment_id, undo.event_id) as deployment_id,
  undo.deployment_id as earlier_id
from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[])
  as touched(project_id, environment, service, since)
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

_MOVE_KEPT = """
update service_events as kept set deployment_id = given.deployment_id
from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[], $6::uuid[])
  as given(project_id, environment, service, occurred_at, event_id, deployment_id)
where kept.project_id = given.project_id and kept.environment = given.environment
  and kept.service = given.service and kept.kind = $7
  and kept.occurred_at = given.occurred_at and kept.event_id = given.event_id
"""

_MOVE_EVENTS = """
update deployment_events as event set deployment_id = given.deployment_id
from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::uuid[])
  as given(project_id, occurred_at, event_id, deployment_id)
where event.project_id = given.project_id and event.occurred_at = given.occurred_at
  and event.event_id = given.event_id
"""
