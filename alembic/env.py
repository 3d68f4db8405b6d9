"""Runs migrations over asyncpg, against the tables that storage declares."""

import asyncio
import os
from functools import partial

import asyncpg
from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from storage.connections.database import split_url
from storage.tables import metadata

# Of two gateways that start together the second waits, then finds nothing left to do.
MIGRATION_LOCK = "select pg_advisory_xact_lock(hashtext('deployment-analytics-gateway:migrations'))"
PARTITIONS = text("select relname from pg_class where relispartition")


def run(connection: Connection) -> None:
    # Partitions come and go with time; the declared tables are their parents.
    partitions = set(connection.scalars(PARTITIONS))

    def include_name(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name not in partitions

    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=include_name,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        connection.execute(text(MIGRATION_LOCK))
        context.run_migrations()


async def run_online(url: str) -> None:
    dsn, _ = split_url(url)
    # No named statements: a pooler in transaction mode may be in between.
    connect = partial(asyncpg.connect, dsn, statement_cache_size=0)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, poolclass=pool.NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


def run_offline() -> None:
    """Print the SQL, for a database that people change by hand."""
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def environment_database_url() -> str:
    """The database of the plain `alembic` command."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        raise SystemExit("DATABASE_URL must be set")
    return url


if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(run_online(context.config.attributes.get("url") or environment_database_url()))
