"""What the tables of service tokens and project keys share: revoking, and the last use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Text

from storage.connections.database import Connection


def lifecycle() -> tuple[Column[Any], ...]:
    """The columns that say who created and revoked a credential, and when it was used."""
    return (
        Column("created_by", Text, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("revoked_at", DateTime(timezone=True)),
        Column("revoked_by", Text),
        Column("last_used_at", DateTime(timezone=True)),
    )


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The statements on these columns of a table, by its key of a type."""

    table: str
    key: str
    kind: str

    async def revoke(self, connection: Connection, id: Any, by: str, now: datetime) -> Any:
        """Revoke a credential for good; returns its row, or None if it does not exist."""
        return await connection.fetchrow(
            f"update {self.table} set revoked_at = coalesce(revoked_at, $3),"
            f" revoked_by = coalesce(revoked_by, $2) where {self.key} = $1 returning *",
            id,
            by,
            now,
        )

    async def mark_used(self, connection: Connection, times: Mapping[Any, datetime]) -> None:
        """Store when credentials were last used, if that is later than the stored time."""
        await connection.execute(
            f"update {self.table} as stored"
            " set last_used_at = greatest(stored.last_used_at, given.used_at)"
            f" from unnest($1::{self.kind}[], $2::timestamptz[]) as given(id, used_at)"
            f" where stored.{self.key} = given.id",
            list(times),
            list(times.values()),
        )
