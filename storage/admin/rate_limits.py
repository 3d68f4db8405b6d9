"""The table of the rate limits that admins have set."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer, Table, Text, select

from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery
from storage.metadata import metadata

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("budget", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("refill", Integer, nullable=False),
    Column("period_seconds", Integer, nullable=False),
    Column("burst", Integer, nullable=False),
    Column("exempt", Boolean, nullable=False),
    Column("updated_by", Text, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

# The most rows, since every process reads all of them every second.
RULES_AT_MOST = 10_000


async def find_all(database: Database) -> Sequence[Any]:
    """All rows, ordered by budget and subject."""
    rows: Sequence[Any] = await database.fetch(_ALL)
    return rows


async def put(
    connection: Connection,
    name: tuple[str, str],
    limit: tuple[int, int, int, bool],
    by: str,
    now: datetime,
) -> bool:
    """Set a budget's limit for a subject; returns false if there are too many rows already."""
    status: str = await connection.execute(_PUT, *name, *limit, by, now, RULES_AT_MOST)
    return status.endswith(" 1")


async def delete(connection: Connection, budget: str, subject: str) -> bool:
    """Delete a subject's limit; returns false if there was none."""
    status: str = await connection.execute(
        "delete from rate_limits where budget = $1 and subject = $2", budget, subject
    )
    return status.endswith(" 1")


_ALL = SqlQuery(
    "rate_limits",
    select(rate_limits).order_by(rate_limits.c.budget, rate_limits.c.subject).limit(RULES_AT_MOST),
)

_PUT = """
insert into rate_limits as stored
  (budget, subject, refill, period_seconds, burst, exempt, updated_by, updated_at)
select $1::text, $2::text, $3::int, $4::int, $5::int, $6::boolean, $7::text, $8::timestamptz
where (select count(*) from rate_limits) < $9
  or exists (select 1 from rate_limits where budget = $1 and subject = $2)
on conflict (budget, subject) do update set refill = excluded.refill,
  period_seconds = excluded.period_seconds, burst = excluded.burst, exempt = excluded.exempt,
  updated_by = excluded.updated_by, updated_at = excluded.updated_at
"""
