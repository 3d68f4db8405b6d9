"""The memory of a Postgres backend, which grows with its plans and table descriptions."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg
from sqlalchemy import text

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.errors import GatewayError

SAMPLED_SECONDS = 30.0

_TOTAL = SqlQuery(
    "backend_memory",
    text("select sum(total_bytes)::bigint as bytes from pg_backend_memory_contexts"),
)


async def backend_memory_bytes(database: Database) -> int | None:
    """The bytes allocated by the backend of one pooled connection.

    None if the role is neither a superuser nor a member of pg_read_all_stats.
    """
    try:
        rows = await database.fetch(_TOTAL)
    except asyncpg.InsufficientPrivilegeError:
        return None
    return int(rows[0]["bytes"])


async def watch_backend_memory(database: Database, on_sample: Callable[[int], None]) -> None:
    """Sample every SAMPLED_SECONDS; returns only if the database role may not read it."""
    while True:
        with suppress(GatewayError, OSError):
            sample = await backend_memory_bytes(database)
            if sample is None:
                return
            on_sample(sample)
        await asyncio.sleep(SAMPLED_SECONDS)
