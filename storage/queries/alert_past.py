"""How a rule and its instances were at a moment, by their revisions and their history."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on

from storage.alerts.tables import TIME, alert_events, alert_revisions, alert_rules
from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within


async def revision_at(
    database: Database, scope: ProjectScope, rule_id: UUID, at: datetime
) -> Any | None:
    """The revision of a rule that held at a moment; None before its first one."""
    rows = await fetch_within(database, scope, _revision, rule_id=rule_id, at=at)
    return rows[0] if rows else None


async def events_at(
    database: Database,
    scope: ProjectScope,
    rule_id: UUID,
    transitions: Collection[str],
    since: datetime,
    at: datetime,
) -> list[Any]:
    """The last of these transitions of each instance up to a moment, and not before ``since``."""
    values = {"rule_id": rule_id, "transitions": list(transitions), "since": since, "at": at}
    return await fetch_within(database, scope, _events, **values)


@lru_cache
def _revision(scope_size: ScopeSize) -> SqlQuery:
    found = (
        select(alert_revisions)
        .join(alert_rules, alert_rules.c.rule_id == alert_revisions.c.rule_id)
        .where(
            allowed(alert_rules.c.project_id, scope_size),
            alert_revisions.c.rule_id == _given("rule_id", alert_revisions.c.rule_id.type),
            alert_revisions.c.changed_at <= _given("at", TIME),
        )
        .order_by(alert_revisions.c.revision.desc())
        .limit(1)
    )
    return SqlQuery("alert_revision_at", found)


@lru_cache
def _events(scope_size: ScopeSize) -> SqlQuery:
    of = alert_events.c
    found = (
        select(alert_events)
        .ext(distinct_on(of.instance))
        .where(
            allowed(of.project_id, scope_size),
            of.rule_id == _given("rule_id", of.rule_id.type),
            any_of(of.transition, "transitions"),
            of.at >= _given("since", TIME),
            of.at <= _given("at", TIME),
        )
        .order_by(of.instance, of.at.desc(), of.event_id)
    )
    return SqlQuery("alert_events_at", found)


def _given(name: str, kind: Any) -> Any:
    return bindparam(name, type_=kind, required=True)
