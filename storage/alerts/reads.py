"""Up to when somebody has read the list of what happened."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, select

from storage.alerts.tables import alert_reads
from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery


async def read_at(database: Database, subject: str) -> datetime | None:
    """Up to when somebody has read; None if never."""
    rows: list[Any] = await database.fetch(_READ_AT, subject=subject)
    return rows[0]["read_at"] if rows else None


async def mark_read(connection: Connection, subject: str, until: datetime) -> None:
    """Marks as read what happened before a time; it never goes back."""
    await connection.execute(_MARK, subject, until)


_READ_AT = SqlQuery(
    "alerts_read_at",
    select(alert_reads.c.read_at).where(
        alert_reads.c.subject == bindparam("subject", type_=Text, required=True)
    ),
)

_MARK = """
insert into alert_reads (subject, read_at) values ($1, $2)
on conflict (subject) do update set read_at = greatest(alert_reads.read_at, excluded.read_at)
"""
