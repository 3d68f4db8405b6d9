"""The command line explains itself, starts quickly, and reports errors as sentences."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

ROOT = Path(__file__).parent.parent.parent
COMMANDS = [
    *("run", "serve", "worker", "migrate", "import", "demo", "rollup", "verdict", "schema"),
]
HEAVY = {"sqlalchemy", "strawberry", "starlette", "asyncpg", "alembic", "uvicorn"}


def gateway(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**inherited, "COLUMNS": "100", **variables},
    )


def test_help_names_every_command() -> None:
    done = gateway("--help")
    assert done.returncode == 0
    assert all(f" {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_explains_it(command: str) -> None:
    done = gateway(command, "--help")
    assert done.returncode == 0
    assert len(done.stdout.split()) > 25


def test_help_needs_no_heavy_library() -> None:
    probe = "import sys, gateway.cli.main; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert set(done.stdout.split()) & HEAVY == set()


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (["serve"], {}, "JWT_SECRET is not set"),
        (["serve"], {"JWT_SECRET": "changeme" * 8}, "JWT_SECRET is a well-known example"),
        (["serve"], {"JWT_SECRET": "0123456789abcdef" * 4}, "DATABASE_URL and REDIS_URL must"),
        (["worker"], {}, "DATABASE_URL and REDIS_URL must be set"),
        (["migrate"], {}, "DATABASE_URL must be set"),
        (["serve"], {"PORT": "eight"}, "PORT: "),
    ],
)
def test_missing_setting_is_named_without_a_traceback(
    arguments: list[str], variables: dict[str, str], words: str
) -> None:
    done = gateway(*arguments, **variables)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_schema_command_prints_the_committed_schema() -> None:
    done = gateway("schema")
    assert done.stdout == (ROOT / "schema.graphql").read_text(encoding="utf-8")


def test_migrating_twice_is_harmless(own_database_url: str) -> None:
    assert gateway("migrate", DATABASE_URL=own_database_url).returncode == 0


def test_rollups_of_an_empty_database_agree(own_database_url: str) -> None:
    days = ["--from", "2026-03-01", "--to", "2026-03-02"]
    recount = gateway("rollup", "recount", *days, DATABASE_URL=own_database_url)
    assert recount.stdout == "2026-03-01: no differences\n2026-03-02: no differences\n"
    assert recount.returncode == 0
    rebuild = gateway("rollup", "rebuild", *days, DATABASE_URL=own_database_url)
    assert rebuild.stdout == "2026-03-01: rebuilt\n2026-03-02: rebuilt\n"


def test_days_whose_rows_were_dropped_are_left_alone(own_database_url: str) -> None:
    async def drop() -> None:
        connection = await asyncpg.connect(own_database_url)
        await connection.execute("insert into dropped_rows values ('api_call', '2026-03-02Z')")
        await connection.close()

    asyncio.run(drop())
    options = ["--from", "2026-03-01", "--to", "2026-03-02", "--fact", "api_call"]
    for command, kept in (("recount", "no differences"), ("rebuild", "rebuilt")):
        done = gateway("rollup", command, *options, DATABASE_URL=own_database_url)
        assert done.returncode == 0
        assert done.stdout == f"2026-03-01: its facts were deleted\n2026-03-02: {kept}\n"


def test_unknown_fact_is_refused(own_database_url: str) -> None:
    arguments = ["rollup", "recount", "--from", "2026-03-01", "--fact", "rainfall"]
    done = gateway(*arguments, DATABASE_URL=own_database_url)
    assert done.returncode == 2
    assert "deployment" in done.stderr
