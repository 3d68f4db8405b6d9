"""The table of times that the gateway gave to events whose own time cannot be used.

The time is a part of an event's identity. Another delivery of the event gets the same time from
here, so that it is recognised.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Table, Uuid

from storage.connections.database import Connection
from storage.metadata import metadata

assigned_times = Table(
    "assigned_times",
    metadata,
    Column("project_id", BigInteger, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("assigned_at", DateTime(timezone=True), nullable=False, index=True),
)


async def assign(
    connection: Connection, project_id: int, times: Mapping[UUID, datetime], now: datetime
) -> dict[UUID, datetime]:
    """Store these times unless an event has one already; returns the time of each event."""
    ids = sorted(times)
    rows = await connection.fetch(_ASSIGN, project_id, ids, [times[id] for id in ids], now)
    return dict(rows)


async def delete_before(connection: Connection, time: datetime) -> None:
    await connection.execute("delete from assigned_times where assigned_at < $1", time)


# The update changes nothing: it makes a stored row be returned too.
_ASSIGN = """
insert into assigned_times as stored (project_id, event_id, occurred_at, assigned_at)
select $1::bigint, given.event_id, given.occurred_at, $4::timestamptz
from unnest($2::uuid[], $3::timestamptz[]) as given(event_id, occurred_at)
on conflict (project_id, event_id) do update set occurred_at = stored.occurred_at
returning stored.event_id, stored.occurred_at
"""
