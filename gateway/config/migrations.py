"""Runs the database's migrations."""

from pathlib import Path

import alembic.command
from alembic.config import Config
from alembic.script import ScriptDirectory


def upgrade(database_url: str, revision: str = "head") -> None:
    """Run the migrations that are missing, up to a revision."""
    alembic.command.upgrade(config(database_url), revision)


def revisions() -> list[str]:
    """The ids of all migrations, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(config("")).walk_revisions()]


def config(database_url: str) -> Config:
    """Alembic's configuration for a database."""
    made = Config()
    made.set_main_option("script_location", str(_folder()).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["url"] = database_url
    return made


def _folder() -> Path:
    """The folder of the migrations: in a wheel inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "alembic"
    return inside if inside.is_dir() else package.parent / "alembic"
