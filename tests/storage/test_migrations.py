"""The migrations make what storage declares, from nothing and back to nothing."""

import asyncio
from typing import Any

import alembic.command
import asyncpg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.util import load_python_file
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.config import migrations
from tests.servers import Databases, with_options
from tests.test_layout import ROOT


def fetch(url: str, statement: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    return asyncio.run(run())


def test_migrations_make_the_declared_tables(own_database_url: str) -> None:
    alembic.command.check(migrations.config(own_database_url))


def test_migrations_take_the_same_addresses_as_the_gateway(own_database_url: str) -> None:
    options = {"sslmode": "disable", "prepared_statement_cache_size": "0"}
    migrations.upgrade(with_options(own_database_url, **options, application_name="migrations"))


def test_check_sees_a_difference(own_database_url: str) -> None:
    fetch(own_database_url, "alter table deployments drop column actor")
    with pytest.raises(Exception, match="actor"):
        alembic.command.check(migrations.config(own_database_url))


def test_tables_of_a_fact_are_made_from_literals(own_database_url: str) -> None:
    facts = load_python_file(ROOT / "alembic", "facts.py")

    def replace(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            facts.drop_entity("deployment")
            facts.create_entity(
                "deployment",
                dimensions=("environment", "network", "template", "framework"),
                columns={"actor": "text", "to_deployment": "text"}
                | dict.fromkeys(("release", "commit", "repository", "error"), "text")
                | {"attributes": "jsonb"},
                counts=(
                    *("attempts", "queued", "succeeded", "failed", "cancelled", "rolled_back"),
                    *(f"finishes{end}" for end in ("", "_succeeded", "_failed", "_cancelled")),
                ),
                presence=("network", "attempts"),
                minutes_by_day=False,
            )
            facts.op.execute(
                "create index deployments_release_idx"
                " on deployments (project_id, release, created_at desc)"
            )

    async def run() -> None:
        url = with_options(own_database_url).replace("postgresql://", "postgresql+asyncpg://")
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(replace)
        await engine.dispose()

    asyncio.run(run())
    alembic.command.check(migrations.config(own_database_url))


def test_downgrade_leaves_nothing_and_upgrade_works_again(databases: Databases) -> None:
    with databases.fresh(empty=True) as url:
        migrations.upgrade(url)
        alembic.command.downgrade(migrations.config(url), "base")
        left = "select relname from pg_class where relnamespace = 'public'::regnamespace"
        assert {row["relname"] for row in fetch(url, left)} == {
            "alembic_version",
            "alembic_version_pkc",
        }
        migrations.upgrade(url)
        alembic.command.check(migrations.config(url))
        migrations.upgrade(url)  # once more changes nothing
        alembic.command.check(migrations.config(url))


def test_older_processes_can_note_releases(own_database_url: str) -> None:
    """They give no day, as the column came later."""
    older = "insert into releases (project_id, release, first_at) values (1, '9.1.0', now())"
    today = "last_on = (now() at time zone 'UTC')::date as is_today"
    (row,) = fetch(own_database_url, f"{older} returning {today}")
    assert row["is_today"]


def test_reserved_names_and_the_two_networks_exist(own_database_url: str) -> None:
    networks = fetch(own_database_url, "select network_id, name, chain_id from networks order by 1")
    assert [tuple(row) for row in networks] == [
        (0, "", None),
        (1, "other", None),
        (2, "metis", 1088),
        (3, "hyperion", 133717),
    ]
    for table in ("templates", "environments", "frameworks"):
        rows = fetch(own_database_url, f"select * from {table} order by 1")
        assert [(row[0], row[1]) for row in rows] == [(0, ""), (1, "other")]


def test_rollup_partitions_leave_room_on_their_pages(own_database_url: str) -> None:
    options = fetch(
        own_database_url,
        "select relname, reloptions from pg_class where relkind = 'r'"
        " and relname ~ '^deployment_(project|presence|platform)_'",
    )
    assert options
    for row in options:
        expected = 50 if "platform" in row["relname"] else 70
        assert row["reloptions"] == [f"fillfactor={expected}"], row["relname"]
