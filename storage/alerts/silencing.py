"""What delivery reads of silences, and notes about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.connections.database import Connection

SYSTEM = "system"  # who ended a silence that lasted until its alerts were over


async def current(connection: Connection, now: datetime) -> list[Any]:
    """The silences that have begun and not ended; a schedule may narrow them further."""
    rows: list[Any] = await connection.fetch(_CURRENT, now)
    return rows


async def end(connection: Connection, silences: Sequence[UUID], now: datetime) -> None:
    """Ends silences whose alerts are over."""
    await connection.execute(_END, silences, now, SYSTEM)


async def note_ending_told(connection: Connection, silences: Sequence[UUID], now: datetime) -> None:
    """Remembers that people know when these silences end."""
    await connection.execute(_TOLD, silences, now)


async def rule_documents(connection: Connection, project_id: int | None) -> list[Any]:
    """The enabled rules of a project, or all where it is None, with the project of each."""
    rows: list[Any] = await connection.fetch(_RULES, project_id)
    return rows


_CURRENT = """
select silence_id, project_id, matchers, starts_at, ends_at, until_resolved, schedule, comment,
  created_by, ending_told_at
from alert_silences where ended_at is null and starts_at <= $1 and ends_at > $1
order by created_at, silence_id
"""

_END = """
update alert_silences set ended_at = $2, ended_by = $3
where silence_id = any($1::uuid[]) and ended_at is null
"""

_TOLD = "update alert_silences set ending_told_at = $2 where silence_id = any($1::uuid[])"

_RULES = """
select rule.project_id, project.slug as project, rule.name, rule.document
from alert_rules as rule left join projects as project using (project_id)
where rule.enabled and rule.deleted_at is null and ($1::bigint is null or rule.project_id = $1)
"""
