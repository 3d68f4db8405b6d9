"""The fixed packages are in the lock file and used, and one driver reaches Postgres."""

import re
from pathlib import Path

import asyncpg
import pytest

from storage.connections.database import Database
from tests.test_layout import PACKAGES

ROOT = Path(__file__).parent.parent
# The name in the lock file, and the name to import.
FIXED = {
    "strawberry-graphql": "strawberry",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
    "sqlalchemy": "sqlalchemy",
    "asyncpg": "asyncpg",
    "aiocache": "aiocache",
    "redis": "redis",
    "slowapi": "slowapi",
    "pytest": "pytest",
}
OTHER_DRIVERS = {"psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "pg8000", "aiopg"}


def locked() -> set[str]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return {name.lower() for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}


def importing(name: str, folders: list[str]) -> list[Path]:
    pattern = re.compile(rf"^\s*(?:import|from) {name}\b", re.MULTILINE)
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [path for path in files if pattern.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("package", FIXED)
def test_package_is_locked_and_imported(package: str) -> None:
    """R60."""
    folders = ["tests"] if package == "pytest" else PACKAGES
    assert package in locked()
    assert importing(FIXED[package], folders)


@pytest.mark.parametrize("package", ["mlflow", "elasticsearch", "opensearchpy"])
def test_servers_of_a_wider_platform_need_no_package(package: str) -> None:
    """E12: they are spoken to by HTTP, if at all."""
    assert not any(name.startswith(package) for name in locked())
    assert importing(package, PACKAGES) == []


def test_sqlalchemy_brings_what_its_async_side_needs() -> None:
    """R60: since 2.1 greenlet comes with the extra only."""
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"sqlalchemy[asyncio]~=' in pyproject
    assert "greenlet" in locked()


async def test_asyncpg_is_the_only_way_to_postgres(database_url: str) -> None:
    """R13: reads, writes and migrations use it, and no other driver is installed."""
    assert locked() & OTHER_DRIVERS == set()
    assert "postgresql+asyncpg://" in (ROOT / "alembic" / "env.py").read_text(encoding="utf-8")
    database = await Database.open(database_url, pool_size=2)
    async with database.connection() as read, database.transaction() as write:
        for connection in (read, write):
            assert isinstance(connection, asyncpg.pool.PoolConnectionProxy)
    await database.close()
