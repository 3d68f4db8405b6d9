"""Rules: adds, changes and deletes them, and keeps each revision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal_column, select

from storage.alerts.changes import ALERTS
from storage.alerts.tables import alert_rules
from storage.connections.database import Connection
from storage.connections.query import Fetch, SqlQuery, any_of
from storage.feed.counters import platform_versions

RULES_OF_PROJECT_AT_MOST = 200
RULES_OF_PLATFORM_AT_MOST = 1_000


class RuleChange(StrEnum):
    """What made a revision of a rule."""

    CREATED = "created"
    CHANGED = "changed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"


class Refusal(StrEnum):
    """Why something is not stored, or not deleted."""

    NAME_TAKEN = "name_taken"
    TOO_MANY = "too_many"
    IN_USE = "in_use"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as it is stored; its document is read and written by `alerts.rules.RULE`."""

    rule_id: UUID
    project_id: int | None
    name: str
    enabled: bool
    document: Mapping[str, Any]
    revision: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str

    @classmethod
    def of(cls, row: Any) -> "RuleRow":
        return cls(*(row[name] for name in cls.__match_args__))


async def load_enabled(fetch: Fetch, known: Mapping[UUID, int]) -> tuple[list[RuleRow], set[UUID]]:
    """Returns the rules to evaluate that are not known at their revision, and those to forget."""
    revisions = dict(await fetch(_REVISIONS))
    gone = known.keys() - revisions.keys()
    wanted = [id for id, revision in revisions.items() if known.get(id) != revision]
    rows = await fetch(_ENABLED, ids=wanted) if wanted else []
    return [RuleRow.of(row) for row in rows], gone


async def load_rules(fetch: Fetch, ids: Iterable[UUID]) -> list[RuleRow]:
    """Returns these rules, also disabled and deleted ones."""
    return [RuleRow.of(row) for row in await fetch(_RULES, ids=list(ids))]


async def load_number(fetch: Fetch) -> int:
    """Returns a number that rises with every change of rules or instances."""
    return int((await fetch(_NUMBER))[0][0])


def rules_at_most(project_id: int | None) -> int:
    """How many rules a project, or the platform, may have."""
    return RULES_OF_PLATFORM_AT_MOST if project_id is None else RULES_OF_PROJECT_AT_MOST


async def add(connection: Connection, row: RuleRow) -> Refusal | None:
    """Inserts a new rule with its first revision; returns why it cannot."""
    await lock_owner(connection, row.project_id)
    count = await connection.fetchval(_COUNT, row.project_id)
    if count >= rules_at_most(row.project_id):
        return Refusal.TOO_MANY
    status: str = await connection.execute(
        _ADD, *(getattr(row, name) for name in RuleRow.__match_args__)
    )
    if not status.endswith(" 1"):
        return Refusal.NAME_TAKEN
    await _note(connection, row, RuleChange.CREATED)
    return None


async def find(connection: Connection, rule_id: UUID) -> RuleRow | None:
    """Returns a rule that is not deleted; None if there is none."""
    row = await connection.fetchrow(_FIND, rule_id)
    return None if row is None else RuleRow.of(row)


async def lock(connection: Connection, rule_id: UUID) -> RuleRow | None:
    """Returns a rule that is not deleted, which nobody else changes meanwhile."""
    row = await connection.fetchrow(_LOCK, rule_id)
    return None if row is None else RuleRow.of(row)


async def change(
    connection: Connection, before: RuleRow, after: RuleRow, what: RuleChange
) -> Refusal | None:
    """Stores a locked rule as it is now, as its next revision; returns why it cannot."""
    if after.name != before.name:
        await lock_owner(connection, before.project_id)
        taken = await connection.fetchval(_TAKEN, after.project_id, after.name, after.rule_id)
        if taken:
            return Refusal.NAME_TAKEN
    row = replace(after, revision=before.revision + 1)
    values = row.name, row.enabled, row.document, row.revision, row.changed_at, row.changed_by
    await connection.execute(_CHANGE, row.rule_id, *values)
    await _note(connection, row, what)
    return None


async def delete(connection: Connection, row: RuleRow, by: str, now: datetime) -> None:
    """Deletes a locked rule; its revisions and its history stay."""
    await connection.execute(_DELETE, row.rule_id, by, now)
    gone = replace(row, revision=row.revision + 1, changed_at=now, changed_by=by)
    await _note(connection, gone, RuleChange.DELETED)


async def enabled_beside(
    connection: Connection, project_id: int | None, rule_id: UUID
) -> list[Mapping[str, Any]]:
    """Returns the documents of the other rules of a project or the platform that are evaluated."""
    return [row["document"] for row in await connection.fetch(_BESIDE, project_id, rule_id)]


async def is_watched_otherwise(connection: Connection, event_id: UUID) -> bool:
    """Whether the trigger of a rule is another one than when this transition was written."""
    found: bool = await connection.fetchval(_WATCHED_OTHERWISE, event_id)
    return found


async def lock_owner(connection: Connection, project_id: int | None) -> None:
    """Lets only one transaction at a time add rules, channels or silences of a project."""
    await connection.execute(_LOCK_OWNER, 0 if project_id is None else project_id)


async def _note(connection: Connection, row: RuleRow, what: RuleChange) -> None:
    document = None if what is RuleChange.DELETED else row.document
    given = row.rule_id, row.revision, what, document, row.changed_at, row.changed_by
    await connection.execute(_NOTE, *given)


_enabled = alert_rules.c.enabled & alert_rules.c.deleted_at.is_(None)
_REVISIONS = SqlQuery(
    "alert_revisions", select(alert_rules.c.rule_id, alert_rules.c.revision).where(_enabled)
)
_ENABLED = SqlQuery(
    "alert_rules",
    select(alert_rules).where(_enabled, any_of(alert_rules.c.rule_id, "ids")),
)
_RULES = SqlQuery("alert_rules", select(alert_rules).where(any_of(alert_rules.c.rule_id, "ids")))
_of = platform_versions.c
_NUMBER = SqlQuery(
    "alerts_number",
    select(func.coalesce(func.max(_of.number), literal_column("0"))).where(
        _of.fact == literal_column(f"'{ALERTS}'")
    ),
)

_COUNT = """
select count(*) from alert_rules where project_id is not distinct from $1 and deleted_at is null
"""

_BESIDE = """
select document from alert_rules
where project_id is not distinct from $1::bigint and rule_id <> $2 and enabled
  and deleted_at is null
"""

_WATCHED_OTHERWISE = """
select exists (select from alert_events as event
  join alert_revisions as was using (rule_id, revision) join alert_rules as rule using (rule_id)
  where event.event_id = $1
    and was.document -> 'trigger' is distinct from rule.document -> 'trigger')
"""

_ADD = """
insert into alert_rules (rule_id, project_id, name, enabled, document, revision, created_at,
  created_by, changed_at, changed_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing
"""

_FIND = "select * from alert_rules where rule_id = $1 and deleted_at is null"

_LOCK = f"{_FIND} for update"

_TAKEN = """
select exists (select from alert_rules where project_id is not distinct from $1::bigint
  and name = $2 and rule_id <> $3 and deleted_at is null)
"""

_CHANGE = """
update alert_rules set name = $2, enabled = $3, document = $4, revision = $5, changed_at = $6,
  changed_by = $7
where rule_id = $1
"""

_DELETE = """
update alert_rules set deleted_at = $3, revision = revision + 1, changed_at = $3, changed_by = $2
where rule_id = $1
"""

_NOTE = """
insert into alert_revisions (rule_id, revision, change, document, changed_at, changed_by)
values ($1, $2, $3, $4, $5, $6)
"""

_LOCK_OWNER = "select pg_advisory_xact_lock(hashtextextended('alerts:' || $1::bigint, 0))"
