"""What /health and /ready look at: Postgres with its migrations, and Redis."""

import asyncio

import asyncpg
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import column, select, table

from gateway.config import migrations
from gateway.observability.health import CHECK_SECONDS, Check
from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.errors import Overloaded

# Less than a check may take: a full pool is told from a database that does not answer.
_WAIT_SECONDS = CHECK_SECONDS * 0.75

_REVISION = SqlQuery(
    "schema_revision", select(column("version_num")).select_from(table("alembic_version"))
)


def checks(database: Database, redis: Redis) -> tuple[Check, ...]:
    async def ping() -> str | None:
        try:
            await redis.ping()
        except (RedisError, OSError):
            return "Redis cannot be reached: answers are computed anew"
        return None

    return (database_check(database), Check("redis", needed=False, probe=ping))


def database_check(database: Database) -> Check:
    known = migrations.revisions()

    async def postgres() -> str | None:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                return await _migration_fault(database, known)
        except TimeoutError:
            if not database.pool().is_full:
                raise
            raise Overloaded("all connections to the database are in use") from None

    return Check("postgres", needed=True, probe=postgres)


async def _migration_fault(database: Database, known: list[str]) -> str | None:
    """A revision newer than ours is fine: during an upgrade the database goes first."""
    try:
        rows = await database.fetch(_REVISION)
    except asyncpg.UndefinedTableError:
        rows = []
    if not rows:
        return "the database has no tables: run `gateway migrate`"
    revision = rows[0]["version_num"]
    if revision in known[1:]:
        return "the database lacks the newest migrations: run `gateway migrate`"
    return None
