"""The table of panels that are kept in the page of a project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from storage.connections.database import Connection
from storage.feed.counters import COUNT_CATALOGUE
from storage.metadata import metadata

PANELS_AT_MOST = 40  # of a project, as many as a request may repeat a field

kept_panels = Table(
    "kept_panels",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("panel_id", Uuid, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("question", JSONB, nullable=False),
    Column("kept_by", Text, nullable=False),
    Column("kept_at", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class NewPanel:
    """A panel to keep; `question` is the measure, the dimensions and the names that it asks for."""

    panel_id: UUID
    title: str
    question: Mapping[str, Any]
    kept_by: str
    kept_at: datetime


async def add(connection: Connection, project_id: int, panel: NewPanel) -> bool:
    """Inserts a panel after the others; returns false if the project has too many already."""
    await connection.execute(_LOCK, project_id)
    values = (panel.panel_id, panel.title, panel.question, panel.kept_by, panel.kept_at)
    return bool(await connection.fetchval(_ADD, project_id, *values, PANELS_AT_MOST))


async def remove(connection: Connection, project_id: int, panel_id: UUID) -> bool:
    """Deletes a panel; returns whether there was one."""
    return bool(await connection.fetchval(_REMOVE, project_id, panel_id))


async def rename(connection: Connection, project_id: int, panel_id: UUID, title: str) -> Any:
    """Gives a panel another title; returns its row, or None if there is no such panel."""
    return await connection.fetchrow(_RENAME, project_id, panel_id, title)


async def order(connection: Connection, project_id: int, panel_ids: Sequence[UUID]) -> bool:
    """Puts the panels into this order; returns false, and changes nothing, if they are others."""
    await connection.execute(_LOCK, project_id)
    found = {row["panel_id"] for row in await connection.fetch(_IDS, project_id)}
    if len(panel_ids) != len(found) or set(panel_ids) != found:
        return False
    await connection.execute(_ORDER, project_id, list(panel_ids))
    return True


# Changes of one project's panels come one after the other, so that none exceeds the limit.
_LOCK = "select 1 from projects where project_id = $1 for no key update"

# Cached responses hold panels, so each change counts as one of the catalogue.
_ADD = f"""
with {COUNT_CATALOGUE}, added as (
  insert into kept_panels (project_id, panel_id, position, title, question, kept_by, kept_at)
  select $1::bigint, $2::uuid, coalesce(max(position), 0) + 1, $3::text, $4::jsonb, $5::text,
    $6::timestamptz
  from kept_panels where project_id = $1 having count(*) < $7 returning 1)
select exists (select 1 from added)
"""

_REMOVE = f"""
with {COUNT_CATALOGUE}, gone as (
  delete from kept_panels where project_id = $1 and panel_id = $2 returning 1)
select exists (select 1 from gone)
"""

_RENAME = f"""
with {COUNT_CATALOGUE}
update kept_panels set title = $3 where project_id = $1 and panel_id = $2 returning *
"""

_IDS = "select panel_id from kept_panels where project_id = $1"

_ORDER = f"""
with {COUNT_CATALOGUE}
update kept_panels set position = given.number
from unnest($2::uuid[]) with ordinality as given(panel_id, number)
where kept_panels.project_id = $1 and kept_panels.panel_id = given.panel_id
"""
