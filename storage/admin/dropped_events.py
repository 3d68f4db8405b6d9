"""The table of dropped events: how many of each project, day, key, category and reason."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Date, Table, Text, bindparam, select

from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery
from storage.metadata import metadata

dropped_events = Table(
    "dropped_events",
    metadata,
    Column("project_id", BigInteger, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("public_key", Text, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("events", BigInteger, nullable=False),
)


class Drop(NamedTuple):
    """What dropped events have in common; the day is that of UTC on which they came."""

    project_id: int
    day: date
    public_key: str
    category: str
    reason: str


class DroppedEvents(NamedTuple):
    """How many events were dropped on a day for a reason."""

    day: date
    public_key: str
    category: str
    reason: str
    events: int


async def add(connection: Connection, counts: Mapping[Drop, int]) -> None:
    """Add counts of dropped events, in one order so that two transactions do not deadlock."""
    drops = sorted(counts)
    columns = [list(column) for column in zip(*drops, strict=True)]
    await connection.execute(_ADD, *columns, [counts[drop] for drop in drops])


async def find(database: Database, project_id: int, since: date) -> list[DroppedEvents]:
    """What was dropped since a day, the newest day first."""
    rows = await database.fetch(_SINCE, project_id=project_id, since=since)
    return [DroppedEvents(*row) for row in rows]


async def delete_before(connection: Connection, day: date) -> None:
    await connection.execute("delete from dropped_events where day < $1", day)


_columns = dropped_events.c

_SINCE = SqlQuery(
    "dropped_events",
    select(_columns.day, _columns.public_key, _columns.category, _columns.reason, _columns.events)
    .where(_columns.project_id == bindparam("project_id"), _columns.day >= bindparam("since"))
    .order_by(_columns.day.desc(), _columns.public_key, _columns.category, _columns.reason),
)

_ADD = """
insert into dropped_events as stored (project_id, day, public_key, category, reason, events)
select * from unnest(
  $1::bigint[], $2::date[], $3::text[], $4::text[], $5::text[], $6::bigint[])
on conflict (project_id, day, public_key, category, reason)
do update set events = stored.events + excluded.events
"""
