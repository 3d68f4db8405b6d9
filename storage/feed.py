"""The change feed: what was committed, in an order in which nothing is ever skipped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.types import UserDefinedType

from storage.database import Connection
from storage.metadata import metadata


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's xid8: a transaction number that never wraps around."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


changes = Table(
    "changes",
    metadata,
    Column(
        "transaction_id",
        TransactionId(),
        primary_key=True,
        server_default=text("pg_current_xact_id()"),
    ),
    Column("sequence", BigInteger, Identity(), primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("project_id", BigInteger, nullable=False),
    Column("network_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("entity_id", Uuid, nullable=False),
    Column("first_bucket", DateTime(timezone=True)),
    Column("last_bucket", DateTime(timezone=True)),
)


# So many changes are read at once by those who want to be told of each.
EVERY_CHANGE = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed for a reader who wants each change as soon as it is committed.

    ``since`` is the oldest transaction that may still bring changes, ``seen`` those from then on
    that have been read.
    """

    since: int
    seen: frozenset[tuple[int, int]] = frozenset()


async def here(connection: Connection) -> Place:
    """The place before all that is not yet committed, and after all that is."""
    since = int(await connection.fetchval(_OLDEST_RUNNING))
    rows = await connection.fetch(_SINCE, str(since), None, EVERY_CHANGE)
    return Place(since, frozenset((row["transaction"], row["sequence"]) for row in rows))


async def entities_since(
    connection: Connection,
    place: Place,
    project_ids: Sequence[int] | None,
    limit: int = EVERY_CHANGE,
) -> tuple[list[tuple[int, UUID]] | None, Place]:
    """The deployments changed since, the oldest change first, and the place after them.

    None stands for any: there are more changes than are read at once, or the feed was set back.
    """
    since = int(await connection.fetchval(_OLDEST_RUNNING))
    ids = None if project_ids is None else list(project_ids)
    rows = await connection.fetch(_SINCE, str(place.since), ids, limit)
    fresh = [row for row in rows if (row["transaction"], row["sequence"]) not in place.seen]
    changed = dict.fromkeys((row["project_id"], row["entity_id"]) for row in fresh)
    seen = frozenset(
        (row["transaction"], row["sequence"]) for row in rows if row["transaction"] >= since
    )
    # A database restored from a copy counts its transactions from a smaller number.
    is_whole = len(rows) < limit and since >= place.since
    return list(changed) if is_whole else None, Place(since, seen)


async def purge(connection: Connection, before: datetime, limit: int = 5000) -> int:
    """Delete the oldest changes recorded before a time, at most `limit`; says how many."""
    status: str = await connection.execute(_PURGE, before, limit)
    return int(status.rsplit(maxsplit=1)[-1])


_OLDEST_RUNNING = "select pg_snapshot_xmin(pg_current_snapshot())"

_SINCE = """
select transaction_id::text::bigint as transaction, sequence, project_id, entity_id
from changes
where transaction_id >= $1::text::xid8 and kind = 'deployment'
  and ($2::bigint[] is null or project_id = any($2::bigint[]))
order by transaction_id, sequence limit $3
"""

_PURGE = """
delete from changes where ctid = any(array(
  select ctid from (
    select ctid, recorded_at from changes order by transaction_id, sequence limit $2) as oldest
  where recorded_at < $1))
"""
