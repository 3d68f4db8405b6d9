"""Status events: the newest ones of many deployments, read by one statement."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    FromClause,
    Integer,
    Uuid,
    bindparam,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from storage.connections.database import Database
from storage.connections.query import SqlQuery, unnested
from storage.facts.deployments import STATUS_OF_EVENT, EventType, deployment_events
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within
from storage.queries.times import as_text, parse_time

# A deployment with its creation time.
Key = tuple[int, UUID, datetime]

# Statuses by event code; a tuple is faster than the enum's look-up, which each row would need.
STATUSES = tuple(map(STATUS_OF_EVENT.__getitem__, EventType))

_source = deployment_events.c
# In the order of StatusEvent's properties.
_COLUMNS = (
    _source.event_id,
    _source.external_id,
    _source.type,
    _source.occurred_at,
    _source.actor,
    _source.duration_us,
    _source.error,
    _source.to_deployment,
    _source.source,
)


class StatusEvent(tuple[Any, ...]):
    """A status event: its columns as JSON values, in the order of `_COLUMNS`."""

    __slots__ = ()

    id = property(itemgetter(0))
    external_id = property(itemgetter(1))
    type = property(itemgetter(2))  # an int, equal to a member of EventType
    status = property(lambda self: STATUSES[self[2]])
    occurred_at = property(itemgetter(3))
    actor = property(itemgetter(4))
    duration_ms = property(lambda self: None if self[5] is None else self[5] / 1000)
    error = property(itemgetter(6))
    to_deployment = property(itemgetter(7))
    source = property(itemgetter(8))


def key_of(row: Any) -> Key:
    """The key of a deployment's row."""
    return row["project_id"], row["deployment_id"], parse_time(row["created_at"])


async def latest(
    database: Database, scope: ProjectScope, keys: Sequence[Key], first: int
) -> list[list[StatusEvent]]:
    """The newest status events of each deployment, newest first, in the order of the keys."""
    events: list[list[StatusEvent]] = [[] for _ in keys]
    rows = await fetch_within(
        database,
        scope,
        _latest,
        key_projects=[key[0] for key in keys],
        key_ids=[key[1] for key in keys],
        key_times=[key[2] for key in keys],
        events=first,
    )
    for row in rows:
        events[row["position"] - 1] = status_events(row["status_events"])
    return events


def status_events(rows: Sequence[Sequence[Any]] | None) -> list[StatusEvent]:
    """The events in a value of `newest`."""
    return [] if rows is None else list(map(StatusEvent, rows))


def newest(deployment: FromClause) -> Any:
    """A deployment's newest status events as one JSON value, which is cheaper than rows.

    It is null if there are none. The parameter `events` limits their number.
    """
    # Of events at the same time, the one with the higher type is later.
    order = (_source.occurred_at.desc(), _source.type.desc(), _source.event_id.desc())
    found = (
        select(*_COLUMNS)
        .where(
            _source.project_id == deployment.c.project_id,
            _source.deployment_id == deployment.c.deployment_id,
            # No event is earlier than its deployment, so older partitions are not opened.
            _source.occurred_at >= deployment.c.created_at,
        )
        .order_by(*order)
        .limit(bindparam("events", type_=Integer, required=True))
        .correlate(deployment)
        .lateral("event")
    )
    event: Any = func.json_build_array(*as_text(found.c))
    by_time = (found.c.occurred_at.desc(), found.c.type.desc(), found.c.event_id.desc())
    events = func.json_agg(aggregate_order_by(event, *by_time), type_=JSON)
    return select(events.label("status_events")).select_from(found).lateral("newest")


@lru_cache
def _latest(scope_size: ScopeSize) -> SqlQuery:
    wanted = unnested(
        {
            "project_id": ("key_projects", BigInteger),
            "deployment_id": ("key_ids", Uuid),
            "created_at": ("key_times", DateTime(timezone=True)),
        },
        position="position",
    )
    found = newest(wanted)
    statement = (
        select(wanted.c.position, found.c.status_events)
        .select_from(wanted.join(found, true()))
        .where(allowed(wanted.c.project_id, scope_size))
    )
    return SqlQuery("status_events_latest", statement)
