"""Commands that change something have audit entries, with their user and outcome."""

import os
import pwd
from pathlib import Path
from typing import Any

import asyncpg

from tests.gateway.test_cli import ROOT, gateway
from tests.servers import Databases

DATA = str(ROOT / "tests" / "data")


async def entries(database_url: str) -> list[Any]:
    connection = await asyncpg.connect(database_url)
    try:
        return list(await connection.fetch("select * from audit_log order by entry_id"))
    finally:
        await connection.close()


async def test_import_has_an_entry_with_user_and_set(own_database_url: str) -> None:
    """The user is not taken from the environment, which anyone can set."""
    variables = {"DATABASE_URL": own_database_url, "LOGNAME": "somebody-else"}
    assert gateway("import", "networks", DATA, **variables).returncode == 0
    (entry,) = await entries(own_database_url)
    assert entry["subject"] == f"cli:{pwd.getpwuid(os.geteuid()).pw_name}"
    assert (entry["action"], entry["target"], entry["outcome"]) == ("import", "networks", "ok")


async def test_failed_import_has_an_entry(own_database_url: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing-here")
    assert gateway("import", "networks", missing, DATABASE_URL=own_database_url).returncode == 1
    assert [entry["outcome"] for entry in await entries(own_database_url)] == ["FAILED"]


async def test_rebuild_has_an_entry_with_its_days(own_database_url: str) -> None:
    days = ("--from", "2026-11-01", "--to", "2026-11-02")
    assert gateway("rollup", "rebuild", *days, DATABASE_URL=own_database_url).returncode == 0
    (entry,) = await entries(own_database_url)
    assert (entry["action"], entry["target"], entry["outcome"]) == (
        "rollup.rebuild",
        "deployment",
        "ok",
    )
    assert "2026-11-02" in entry["details"]


async def test_erasure_has_an_entry_without_the_user(own_database_url: str) -> None:
    assert gateway("import", "networks", DATA, DATABASE_URL=own_database_url).returncode == 0
    connection = await asyncpg.connect(own_database_url)
    await connection.execute("insert into projects (slug, name) values ('shop', 'shop')")
    await connection.close()
    who = ("--project", "shop", "--user", "customer-8812")
    done = gateway("erase", *who, DATABASE_URL=own_database_url)
    assert (done.returncode, done.stdout) == (0, "Nothing names this user.\n")
    assert gateway("erase", "--project", "gone", "--user", "x", DATABASE_URL=own_database_url)
    entry = (await entries(own_database_url))[1]
    assert (entry["action"], entry["target"], entry["outcome"]) == ("erase", "shop", "ok")
    assert "8812" not in str(dict(entry))


async def test_erasure_prints_the_names_that_keep_the_id(own_database_url: str) -> None:
    connection = await asyncpg.connect(own_database_url)
    await connection.execute(
        "insert into projects (slug, name) values ('shop', 'shop');"
        "insert into releases select project_id, release, now(), current_date from projects,"
        " unnest(array['shop@customer-8812', 'of-customer-8812', 'shop@1']) as release"
    )
    await connection.close()
    who = ("--project", "shop", "--user", "customer-8812")
    done = gateway("erase", *who, DATABASE_URL=own_database_url)
    assert done.stdout == "release: 2 names still have the id in them\n"


async def test_recount_has_no_entry(own_database_url: str) -> None:
    days = ("--from", "2026-11-01", "--to", "2026-11-01")
    assert gateway("rollup", "recount", *days, DATABASE_URL=own_database_url).returncode == 0
    assert await entries(own_database_url) == []


async def test_migration_has_an_entry(own_database_url: str) -> None:
    assert gateway("migrate", DATABASE_URL=own_database_url).returncode == 0
    assert [entry["action"] for entry in await entries(own_database_url)] == ["migrate"]


async def test_created_and_revoked_tokens_have_entries_with_outcomes(own_database_url: str) -> None:
    create = ("token", "create", "ci", "--role", "ingest", "--project", "shop")
    made = gateway(*create, DATABASE_URL=own_database_url)
    unknown = "00000000-0000-4000-8000-000000000000"
    assert gateway("token", "revoke", unknown, DATABASE_URL=own_database_url).returncode == 1
    created, revoked = await entries(own_database_url)
    assert (created["action"], created["outcome"]) == ("token.create", "ok")
    assert (revoked["action"], revoked["outcome"]) == ("token.revoke", "NOT_FOUND")
    assert made.stdout.strip()
    assert made.stdout.strip() not in str(created)


def test_without_the_log_nothing_is_imported(databases: Databases) -> None:
    with databases.fresh(empty=True) as url:
        done = gateway("import", "networks", DATA, DATABASE_URL=url)
    assert done.returncode == 1
    assert "gateway migrate" in done.stderr
    assert "Traceback" not in done.stderr
