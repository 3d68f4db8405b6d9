"""The history of instances, and what of it is to be sent."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.alerts.documents import row_document
from storage.connections.database import Connection


@dataclass(frozen=True, slots=True)
class EventRow:
    """A transition of an instance; its id is derived from what happened, so it is stored once."""

    event_id: UUID
    rule_id: UUID
    instance: str
    project_id: int | None
    episode_id: UUID | None
    transition: str
    at: datetime
    revision: int
    severity: str
    labels: Mapping[str, str]
    evidence: dict[str, Any]
    by: str | None = None


async def add(
    connection: Connection, rows: Iterable[EventRow], to_send: Container[UUID]
) -> list[UUID]:
    """Stores transitions, and queues those to send, unless they are stored already.

    Returns the ids of the new ones.
    """
    given = [{**row_document(row), "send": row.event_id in to_send} for row in rows]
    return [row["event_id"] for row in await connection.fetch(_ADD, given)]


async def stored(connection: Connection, ids: Iterable[UUID]) -> set[UUID]:
    """Returns which of these events are stored."""
    return {row["event_id"] for row in await connection.fetch(_STORED, list(ids))}


_STORED = "select event_id from alert_events where event_id = any($1::uuid[])"

_NAMES = ", ".join(f'"{name}"' for name in EventRow.__match_args__)

_ADD = f"""
with given as (
  select * from jsonb_to_recordset($1) as given(event_id uuid, rule_id uuid, instance text,
    project_id bigint, episode_id uuid, transition text, at timestamptz, revision int,
    severity text, labels jsonb, evidence jsonb, "by" text, send boolean)),
added as (
  insert into alert_events ({_NAMES}) select {_NAMES} from given
  on conflict do nothing returning event_id),
queued as (
  insert into alert_outbox (event_id, queued_at)
  select event_id, clock_timestamp() from added join given using (event_id) where send
  on conflict do nothing)
select event_id from added
"""
