"""The memory of a backend of Postgres, which keeps plans and table descriptions as it goes."""

import asyncpg
from sqlalchemy import text

from storage.connections.database import Database
from storage.connections.query import Query

_TOTAL = Query(
    "backend_memory",
    text("select sum(total_bytes)::bigint as bytes from pg_backend_memory_contexts"),
)


async def backend_memory_bytes(database: Database) -> int | None:
    """What the backend of the connection used last has allocated.

    None where the role may not look: that takes a superuser or a member of pg_read_all_stats.
    """
    try:
        rows = await database.fetch(_TOTAL)
    except asyncpg.InsufficientPrivilegeError:
        return None
    return int(rows[0]["bytes"])
