"""The table of service tokens, with the hash of each token's secret and never the secret."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, DateTime, LargeBinary, Table, Text, Uuid, bindparam, select

from storage.admin.credentials import Lifecycle, lifecycle
from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery
from storage.metadata import metadata
from storage.queries.paging import OrderColumn, TableList

TOKENS_AT_MOST = 100_000

service_tokens = Table(
    "service_tokens",
    metadata,
    Column("token_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("project_slugs", ARRAY(Text), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    *lifecycle(),
)
_LIFECYCLE = Lifecycle("service_tokens", "token_id", "uuid")
mark_used = _LIFECYCLE.mark_used


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A row of the table."""

    token_id: UUID
    name: str
    secret_hash: bytes
    roles: tuple[str, ...]
    project_slugs: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    last_used_at: datetime | None = None

    @classmethod
    def of(cls, row: Any) -> "StoredToken":
        values = {column.name: row[column.name] for column in fields(cls)}
        values |= {name: tuple(row[name]) for name in ("roles", "project_slugs")}
        return cls(**values)


async def add(connection: Connection, token: StoredToken) -> bool:
    """Insert a new token; returns false if there are too many already."""
    status: str = await connection.execute(
        _ADD,
        token.token_id,
        token.name,
        token.secret_hash,
        list(token.roles),
        list(token.project_slugs),
        token.created_by,
        token.created_at,
        token.expires_at,
        TOKENS_AT_MOST,
    )
    return status.endswith(" 1")


async def revoke(
    connection: Connection, token_id: UUID, by: str, now: datetime
) -> StoredToken | None:
    """Revoke a token for good; returns it, or None if it does not exist."""
    row = await _LIFECYCLE.revoke(connection, token_id, by, now)
    return None if row is None else StoredToken.of(row)


async def find(database: Database, token_id: UUID) -> StoredToken | None:
    rows = await database.fetch(_BY_ID, token_id=token_id)
    return StoredToken.of(rows[0]) if rows else None


async def find_all(connection: Connection) -> list[StoredToken]:
    """All tokens, the newest first."""
    return [StoredToken.of(row) for row in await connection.fetch(_ALL)]


NEWEST = TableList(
    "service_tokens",
    service_tokens,
    [
        OrderColumn(service_tokens.c.created_at, descending=True),
        OrderColumn(service_tokens.c.token_id, descending=True),
    ],
)


_BY_ID = SqlQuery(
    "service_token",
    select(service_tokens).where(service_tokens.c.token_id == bindparam("token_id")),
)

_ALL = "select * from service_tokens order by created_at desc, token_id desc"

_ADD = """
insert into service_tokens (token_id, name, secret_hash, roles, project_slugs, created_by,
  created_at, expires_at)
select $1::uuid, $2::text, $3::bytea, $4::text[], $5::text[], $6::text, $7::timestamptz,
  $8::timestamptz
where (select count(*) from service_tokens) < $9
"""
