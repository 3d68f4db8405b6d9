"""`gateway migrate`: the database's tables."""

from typing import Annotated

import typer

from gateway.cli.connection import database_settings


def migrate(
    to: Annotated[str, typer.Option(help="The revision to migrate to.")] = "head",
) -> None:
    """Migrate the database at DATABASE_URL to the newest revision.

    Running it again changes nothing. Where two run at once, the second waits for the first.
    """
    from gateway.cli import auditing
    from gateway.config import migrations

    url = database_settings().database_url
    migrations.upgrade(url, to)
    auditing.add(url, "migrate", to)  # afterwards, since the first migration makes the audit log
