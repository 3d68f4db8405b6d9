"""Silences: made and ended by people, and what delivery reads of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.alerts.rules import Refusal, lock_owner
from storage.connections.database import Connection

ACTIVE_AT_MOST = 100  # of a project, or of the platform
SYSTEM = "system"  # who ends a silence that lasts until its alerts are over


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """A new silence; `alerts.silences` reads its matchers and its schedule."""

    silence_id: UUID
    project_id: int | None
    matchers: Sequence[Mapping[str, Any]]
    starts_at: datetime
    ends_at: datetime
    until_resolved: bool
    schedule: Mapping[str, Any] | None
    comment: str
    created_at: datetime
    created_by: str


async def add(connection: Connection, row: SilenceRow, now: datetime) -> Refusal | None:
    """Inserts a new silence; returns why it cannot."""
    await lock_owner(connection, row.project_id)
    if await connection.fetchval(_COUNT, row.project_id, now) >= ACTIVE_AT_MOST:
        return Refusal.TOO_MANY
    await connection.execute(_ADD, *(getattr(row, name) for name in SilenceRow.__match_args__))
    return None


async def lock(connection: Connection, silence_id: UUID) -> Any | None:
    """Returns a silence, which nobody else ends meanwhile."""
    return await connection.fetchrow(_LOCK, silence_id)


async def end(connection: Connection, silences: Sequence[UUID], by: str, now: datetime) -> None:
    """Ends silences; one that is over already stays as it is."""
    await connection.execute(_END, silences, now, by)


async def current(connection: Connection, now: datetime) -> list[Any]:
    """The silences that have begun and not ended; a schedule may narrow them further."""
    rows: list[Any] = await connection.fetch(_CURRENT, now)
    return rows


async def note_ending_told(connection: Connection, silences: Sequence[UUID], now: datetime) -> None:
    """Remembers that people know when these silences end."""
    await connection.execute(_TOLD, silences, now)


async def rule_documents(connection: Connection, project_id: int | None) -> list[Any]:
    """The enabled rules of a project, or all where it is None, with the project of each."""
    rows: list[Any] = await connection.fetch(_RULES, project_id)
    return rows


_COUNT = """
select count(*) from alert_silences
where project_id is not distinct from $1::bigint and ended_at is null and ends_at > $2
"""

_ADD = """
insert into alert_silences (silence_id, project_id, matchers, starts_at, ends_at, until_resolved,
  schedule, comment, created_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

_LOCK = "select project_id from alert_silences where silence_id = $1 for update"

_END = """
update alert_silences set ended_at = $2, ended_by = $3
where silence_id = any($1::uuid[]) and ended_at is null and ends_at > $2
"""

_CURRENT = """
select silence_id, project_id, matchers, starts_at, ends_at, until_resolved, schedule, comment,
  created_by, ending_told_at
from alert_silences where ended_at is null and starts_at <= $1 and ends_at > $1
order by created_at, silence_id
"""

_TOLD = "update alert_silences set ending_told_at = $2 where silence_id = any($1::uuid[])"

_RULES = """
select rule.project_id, project.slug as project, rule.name, rule.document
from alert_rules as rule left join projects as project using (project_id)
where rule.enabled and rule.deleted_at is null and ($1::bigint is null or rule.project_id = $1)
"""
