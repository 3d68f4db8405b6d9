"""Lists of rules with their state, of what happened to them, and of whom they tell."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Table, Text, bindparam, case, cast, func, select, true
from sqlalchemy.sql.elements import ColumnElement

from storage.alerts.tables import (
    alert_attempts,
    alert_channels,
    alert_events,
    alert_instances,
    alert_revisions,
    alert_rules,
    alert_sends,
    alert_silences,
)
from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.queries.paging import OrderColumn, TableList
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within

# From the least to the worst, as documents have them; one that has none of these is a warning.
SEVERITIES = ("info", "warning", "critical")
_USUAL = "warning"
FIRING = 2


def _state() -> Any:
    """The worst phase and health of a rule's instances, read for those rules alone."""
    instance = alert_instances.c
    return (
        select(
            func.max(instance.phase).label("phase"),
            func.max(instance.health).label("health"),
            func.count().filter(instance.phase == FIRING).label("firing"),
        )
        .where(instance.rule_id == alert_rules.c.rule_id)
        .lateral("state")
    )


def _rank(severity: ColumnElement[Any]) -> ColumnElement[int]:
    return func.array_position(cast(list(SEVERITIES), ARRAY(Text)), severity, type_=Integer)


def _rules() -> Any:
    state = _state()
    stored = alert_rules.c.document["severity"].astext
    severity = case((_rank(stored).is_(None), _USUAL), else_=stored)
    columns = (
        *alert_rules.c,
        alert_rules.c.deleted_at.is_not(None).label("is_deleted"),
        alert_rules.c.project_id.is_(None).label("is_platform"),
        severity.label("severity"),
        _rank(severity).label("rank"),
        func.coalesce(state.c.phase, 0, type_=Integer).label("state"),
        func.coalesce(state.c.health, 0, type_=Integer).label("health"),
        func.coalesce(state.c.firing, 0, type_=Integer).label("firing"),
    )
    joined = alert_rules.join(state, true(), isouter=True)
    return select(*columns).select_from(joined).subquery("rules")


_RULES = _rules()


def _list(name: str, table: Any, *order: tuple[str, bool]) -> TableList:
    columns = [OrderColumn(table.c[column], descending) for column, descending in order]
    return TableList(name, table, columns, project_id=table.c.project_id)


# What rules are sorted by first, from its name in the API; then by their names.
ORDERS = {
    "state": ("state", "rank"),
    "severity": ("rank",),
    "changed_at": ("changed_at",),
    "name": ("name",),
}


def _sorted(order: str, descending: bool) -> TableList:
    first = dict.fromkeys(ORDERS[order], descending)
    by = {"name": False, "rule_id": False, **first}
    return _list(f"alerts_by_{order}", _RULES, *(first | by).items())


RULES = {
    (order, descending): _sorted(order, descending)
    for order in ORDERS
    for descending in (False, True)
}
_WORST_FIRST = RULES["state", True]
EVENTS = _list("alert_events", alert_events, ("at", True), ("event_id", True))
CHANNELS = _list("notification_channels", alert_channels, ("name", False), ("channel_id", False))
_SILENCES = select(
    alert_silences, alert_silences.c.ended_at.is_not(None).label("is_ended")
).subquery("silences")
SILENCES = _list("silences", _SILENCES, ("ends_at", True), ("silence_id", True))
SENDS = _list("notification_sends", alert_sends, ("created_at", True), ("send_id", True))


async def rows_by_id(
    database: Database, scope: ProjectScope, rows: TableList, column: str, ids: Sequence[UUID]
) -> dict[UUID, Any]:
    """The rows of a list with these values of its id."""
    return await rows.with_values(database, scope, column, ids)


async def rules_of(
    database: Database, scope: ProjectScope, first: int, project_ids: Sequence[int]
) -> dict[int, list[Any]]:
    """The first rules of each project, in the order of the list; not those that were deleted."""
    found = defaultdict[int, list[Any]](list)
    values = {"wanted": list(project_ids), "first": first}
    for row in await fetch_within(database, scope, _of_projects, **values):
        found[row["project_id"]].append(row)
    return found


@lru_cache
def _of_projects(scope_size: ScopeSize) -> SqlQuery:
    rules = _RULES.c
    order = [each.column.desc() if each.descending else each.column for each in _WORST_FIRST.order]
    place = func.row_number().over(partition_by=rules.project_id, order_by=order).label("place")
    owned = any_of(rules.project_id, "wanted"), allowed(rules.project_id, scope_size)
    numbered = select(_RULES, place).where(*owned, ~rules.is_deleted).subquery("numbered")
    first = bindparam("first", type_=Integer, required=True)
    found = select(numbered).where(numbered.c.place <= first)
    return SqlQuery("alerts_of_projects", found.order_by(numbered.c.project_id, numbered.c.place))


class Part(NamedTuple):
    """Rows of which several belong to one thing, by a column that both have, in an order."""

    name: str
    table: Table
    owner: Table  # says in whose scope the rows are
    column: str
    order: tuple[ColumnElement[Any], ...]


# Those that fire first; the newest first; the last first.
INSTANCES = Part(
    "alert_instances",
    alert_instances,
    alert_rules,
    "rule_id",
    (alert_instances.c.phase.desc(), alert_instances.c.instance),
)
REVISIONS = Part(
    "alert_revisions",
    alert_revisions,
    alert_rules,
    "rule_id",
    (alert_revisions.c.revision.desc(),),
)
ATTEMPTS = Part(
    "alert_attempts", alert_attempts, alert_sends, "send_id", (alert_attempts.c.attempt.desc(),)
)


async def parts_of(
    database: Database, scope: ProjectScope, part: Part, first: int, ids: Sequence[UUID]
) -> dict[UUID, list[Any]]:
    """The first parts of each thing, such as the instances of each rule."""
    found = defaultdict[UUID, list[Any]](list)
    values = {"wanted": list(ids), "first": first}
    for row in await fetch_within(database, scope, _of_several, part, **values):
        found[row[part.column]].append(row)
    return found


@lru_cache
def _of_several(scope_size: ScopeSize, part: Part) -> SqlQuery:
    key = part.table.c[part.column]
    place = func.row_number().over(partition_by=key, order_by=part.order).label("place")
    numbered = (
        select(part.table, place)
        .join(part.owner, part.owner.c[part.column] == key)
        .where(allowed(part.owner.c.project_id, scope_size), any_of(key, "wanted"))
        .subquery("numbered")
    )
    first = bindparam("first", type_=Integer, required=True)
    found = select(numbered).where(numbered.c.place <= first)
    return SqlQuery(part.name, found.order_by(numbered.c[part.column], numbered.c.place))
