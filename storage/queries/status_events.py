"""Status events: the newest of many deployments in one statement."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Double,
    Integer,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    select,
    true,
)

from storage.database import Database, Query
from storage.facts.deployments import STATUS_OF_EVENT, EventType, deployment_events
from storage.queries.scoping import Reach, Scope, allowed, is_empty, reach, scope_parameters

# A deployment with its creation time.
Key = tuple[int, UUID, datetime]

COLUMNS = tuple(
    deployment_events.c[name]
    for name in (
        "project_id", "event_id", "external_id", "type", "occurred_at", "actor", "duration_us",
        "error", "to_deployment", "source",
    )
)  # fmt: skip
# By their codes: quicker than asking the enum, and every row asks.
TYPES = tuple(EventType)
STATUSES = tuple(map(STATUS_OF_EVENT.__getitem__, EventType))


class StatusEvent(asyncpg.Record):  # type: ignore[misc]  # the driver ships no types
    """One report about a deployment: the driver's row itself, so that nothing is copied."""

    __slots__ = ()

    position = property(itemgetter(0))  # of its deployment among those asked for
    id = property(itemgetter(1))
    external_id = property(itemgetter(2))
    type = property(lambda self: TYPES[self[3]])
    status = property(lambda self: STATUSES[self[3]])
    occurred_at = property(itemgetter(4))
    actor = property(itemgetter(5))
    duration_ms = property(itemgetter(6))
    error = property(itemgetter(7))
    to_deployment = property(itemgetter(8))
    source = property(itemgetter(9))


async def latest(
    database: Database, scope: Scope, keys: Sequence[Key], first: int
) -> list[list[StatusEvent]]:
    """The newest status events of each of these deployments, newest first."""
    events: list[list[StatusEvent]] = [[] for _ in keys]
    if is_empty(scope) or not keys or first <= 0:
        return events
    rows = await database.fetch(
        _latest(reach(scope)),
        **scope_parameters(scope),
        key_projects=[key[0] for key in keys],
        key_ids=[key[1] for key in keys],
        key_times=[key[2] for key in keys],
        first=first,
    )
    for row in rows:
        events[row[0] - 1].append(row)
    return events


@lru_cache
def _latest(reach: Reach) -> Query:
    wanted = _with_times()
    source = deployment_events.c
    newest = (
        select(*COLUMNS)
        .where(
            source.project_id == wanted.c.project_id,
            source.deployment_id == wanted.c.deployment_id,
            # A deployment begins with its earliest event: older partitions are not opened.
            source.occurred_at >= wanted.c.created_at,
        )
        # Of events of the same instant the one that goes further is the later one.
        .order_by(source.occurred_at.desc(), source.type.desc(), source.event_id.desc())
        .limit(bindparam("first", type_=Integer, required=True))
        .lateral("newest")
    )
    found = newest.c
    statement = (
        # In the order in which StatusEvent reads them.
        select(
            wanted.c.position,
            cast(found.event_id, Text),
            found.external_id,
            found.type,
            found.occurred_at,
            found.actor,
            cast(found.duration_us, Double) / 1000,
            found.error,
            found.to_deployment,
            found.source,
        )
        .select_from(wanted.join(newest, true()))
        .where(allowed(found.project_id, reach))
        .order_by(found.occurred_at.desc(), found.type.desc(), found.event_id.desc())
    )
    return Query("status_events_latest", statement, StatusEvent)


def _with_times() -> Any:
    projects: ColumnElement[Any] = bindparam("key_projects", type_=ARRAY(BigInteger), required=True)
    ids: ColumnElement[Any] = bindparam("key_ids", type_=ARRAY(Uuid), required=True)
    times: ColumnElement[Any] = bindparam(
        "key_times", type_=ARRAY(DateTime(timezone=True)), required=True
    )
    return (
        func.unnest(projects, ids, times)
        .table_valued(
            "project_id", "deployment_id", "created_at", with_ordinality="position", name="wanted"
        )
        .render_derived()
    )
