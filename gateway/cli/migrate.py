"""`gateway migrate`: the database's tables."""

from typing import Annotated

import typer


def migrate(
    to: Annotated[str, typer.Option(help="The revision to reach.")] = "head",
) -> None:
    """Bring the database at DATABASE_URL to the newest migration.

    Safe to repeat, and safe to run from two places at once: the second waits for the first.
    """
    from gateway.cli.auditing import note
    from gateway.config import migrations
    from gateway.config.settings import load_settings, require

    settings = load_settings(signs=False)
    require(settings, "database_url")
    migrations.upgrade(settings.database_url, to)
    note(settings.database_url, "migrate", to)
