"""The table of the audit log: adds records, and sets a mutation's outcome when it ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.connections.database import Connection
from storage.metadata import metadata
from storage.queries.paging import OrderColumn, TableList

# The outcome of a mutation that has begun; it stays if the process dies before the end.
BEGUN = "begun"
OK = "ok"

audit_log = Table(
    "audit_log",
    metadata,
    Column("entry_id", BigInteger, Identity(), primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("subject", Text, nullable=False),
    Column("token_id", Uuid),
    Column("action", Text, nullable=False),
    Column("target", Text),
    Column("outcome", Text, nullable=False),
    # How often it happened: uses of a token within a minute share a record.
    Column("times", Integer, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Index(None, "recorded_at", "entry_id"),
    Index(None, "subject", "recorded_at", "entry_id"),
    Index(None, "target", "recorded_at", "entry_id"),
    Index(None, "action", "recorded_at", "entry_id"),
)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A record of the audit log: a mutation or a token use, its subject, target and outcome."""

    subject: str
    action: str
    outcome: str = OK
    token_id: UUID | None = None
    target: str | None = None
    times: int = 1
    request_id: str = ""
    address: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


async def add(connection: Connection, records: Sequence[AuditRecord], now: datetime) -> list[int]:
    """Insert records; returns their ids."""
    rows = await connection.fetch(
        _ADD,
        now,
        [fitting(record.subject) for record in records],
        [record.token_id for record in records],
        [record.action for record in records],
        [fitting(record.target) for record in records],
        [record.outcome for record in records],
        [record.times for record in records],
        [record.request_id for record in records],
        [fitting(record.address) for record in records],
        [fitting(record.details) for record in records],
    )
    return [int(row["entry_id"]) for row in rows]


async def end(
    connection: Connection,
    entry_id: int,
    outcome: str,
    details: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Set a record's outcome, and merge details into those it has."""
    await connection.execute(_END, entry_id, outcome, fitting(details))


def fitting(value: Any) -> Any:
    """Remove NUL and replace lone surrogates, which Postgres cannot store, also inside lists."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {fitting(str(name)): fitting(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [fitting(inner) for inner in value]
    return value


NEWEST = TableList(
    "audit",
    audit_log,
    [
        OrderColumn(audit_log.c.recorded_at, descending=True),
        OrderColumn(audit_log.c.entry_id, descending=True),
    ],
)


_ADD = """
insert into audit_log (recorded_at, subject, token_id, action, target, outcome, times, request_id,
  address, details)
select $1, * from unnest($2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::int[],
  $8::text[], $9::text[], $10::jsonb[])
returning entry_id
"""

_END = "update audit_log set outcome = $2, details = details || $3::jsonb where entry_id = $1"
