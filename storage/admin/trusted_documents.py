"""The table of trusted documents: registered GraphQL texts by their SHA-256."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, DateTime, Table, Text, bindparam, select

from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery, columns_of
from storage.metadata import metadata

trusted_documents = Table(
    "trusted_documents",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """A registered document; ``name`` lists its operations, for display."""

    digest: str
    text: str
    name: str


async def text_of(database: Database, digest: str) -> str | None:
    """The text with this SHA-256, if it is registered."""
    rows = await database.fetch(_TEXT, digest=digest)
    return rows[0]["text"] if rows else None


async def register(
    connection: Connection, documents: Sequence[TrustedDocument], now: datetime
) -> int:
    """Insert the documents that are new; returns how many."""
    rows = await connection.fetch(
        _REGISTER, now, *columns_of([(one.digest, one.text, one.name) for one in documents], 3)
    )
    return len(rows)


async def remove(connection: Connection, digests: Sequence[str]) -> int:
    """Delete documents; returns how many existed."""
    return len(await connection.fetch(_REMOVE, list(digests)))


async def find_all(connection: Connection) -> list[tuple[TrustedDocument, datetime]]:
    """All documents with the times of their registration, by name."""
    rows = await connection.fetch(_ALL)
    return [(TrustedDocument(*row[:3]), row["registered_at"]) for row in rows]


_TEXT = SqlQuery(
    "trusted_document",
    select(trusted_documents.c.text).where(trusted_documents.c.digest == bindparam("digest")),
)

_REGISTER = """
insert into trusted_documents (digest, text, name, registered_at)
select digest, text, name, $1
from unnest($2::text[], $3::text[], $4::text[]) as given(digest, text, name)
order by digest on conflict (digest) do nothing returning digest
"""

_REMOVE = "delete from trusted_documents where digest = any($1::text[]) returning digest"

_ALL = "select digest, text, name, registered_at from trusted_documents order by name, digest"
