"""Runs and checks the database's migrations."""

import os
from pathlib import Path

import alembic.command
from alembic.config import Config
from alembic.script import ScriptDirectory


def upgrade(database_url: str, revision: str = "head") -> None:
    """Run the migrations that are missing, up to a revision."""
    alembic.command.upgrade(_config(database_url), revision)


def downgrade(database_url: str, revision: str = "base") -> None:
    """Undo migrations, down to a revision."""
    alembic.command.downgrade(_config(database_url), revision)


def check(database_url: str) -> None:
    """Raise if the migrated tables differ from the declared ones."""
    alembic.command.check(_config(database_url))


def revisions() -> list[str]:
    """The ids of all migrations, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config("")).walk_revisions()]


def _config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = database_url
    return config


def _folder() -> Path:
    """The folder of the migrations: in a wheel inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "alembic"
    return inside if inside.is_dir() else package.parent / "alembic"


def environment_database_url() -> str:
    """The database of the plain `alembic` command."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        raise SystemExit("DATABASE_URL must be set")
    return url
