"""Migrations: bringing a database to the newest tables, and asking whether it is there."""

import os
from pathlib import Path

import alembic.command
from alembic.config import Config
from alembic.script import ScriptDirectory


def upgrade(database_url: str, revision: str = "head") -> None:
    """Run every migration the database lacks."""
    alembic.command.upgrade(_config(database_url), revision)


def downgrade(database_url: str, revision: str = "base") -> None:
    """Take migrations back."""
    alembic.command.downgrade(_config(database_url), revision)


def check(database_url: str) -> None:
    """Raise where the migrations and the declared tables differ."""
    alembic.command.check(_config(database_url))


def revisions() -> list[str]:
    """The migrations we know, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config("")).walk_revisions()]


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = database_url
    return config


def _folder() -> Path:
    """A wheel carries the migrations within the package; in a checkout they lie beside it."""
    package = Path(__file__).resolve().parents[1]
    carried = package / "alembic"
    return carried if carried.is_dir() else package.parent / "alembic"


def environment_database_url() -> str:
    """Where the plain `alembic` command works: at DATABASE_URL."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        raise SystemExit("DATABASE_URL must be set")
    return url
