"""Status events: the newest of many deployments in one statement."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Uuid,
    bindparam,
    func,
    select,
    true,
)

from storage.database import Database, Query
from storage.facts.deployments import deployment_events
from storage.queries.scoping import Reach, Scope, allowed, is_empty, reach, scope_parameters

Key = tuple[int, UUID]

COLUMNS = tuple(
    deployment_events.c[name]
    for name in (
        "project_id", "deployment_id", "event_id", "external_id", "type", "occurred_at", "actor",
        "duration_us", "error", "to_deployment", "source",
    )
)  # fmt: skip


async def latest(
    database: Database, scope: Scope, keys: Sequence[tuple[int, UUID, datetime]], first: int
) -> dict[Key, list[Any]]:
    """The newest status events, newest first, of deployments given with their creation times."""
    events: dict[Key, list[Any]] = {(project, id): [] for project, id, _ in keys}
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
        events[row["project_id"], row["deployment_id"]].append(row)
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
    return Query(
        "status_events_latest",
        select(newest)
        .select_from(wanted.join(newest, true()))
        .where(allowed(newest.c.project_id, reach))
        .order_by(newest.c.occurred_at.desc(), newest.c.type.desc(), newest.c.event_id.desc()),
    )


def _with_times() -> Any:
    projects: ColumnElement[Any] = bindparam("key_projects", type_=ARRAY(BigInteger), required=True)
    ids: ColumnElement[Any] = bindparam("key_ids", type_=ARRAY(Uuid), required=True)
    times: ColumnElement[Any] = bindparam(
        "key_times", type_=ARRAY(DateTime(timezone=True)), required=True
    )
    return (
        func.unnest(projects, ids, times)
        .table_valued("project_id", "deployment_id", "created_at", name="wanted")
        .render_derived()
    )
