"""The database that a command works on."""

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, TypeVar

import typer

from gateway.config.credentials import stored_demo_secret
from gateway.config.settings import Settings, load_settings, require
from gateway.embedded.postgres import running_postgres

Result = TypeVar("Result")


def database_settings(*, or_running: bool = False) -> Settings:
    """Load the settings of a command that needs a database; raises SettingsError without one.

    With `or_running`, a missing DATABASE_URL means the server that `gateway run` has started on
    DATA_DIR, and a missing JWT_SECRET the secret that it has made there.
    """
    settings = load_settings(signs=False)
    if or_running and not settings.database_url:
        folder = settings.data_dir.resolve()
        url = running_postgres(folder) or ""
        secret = settings.jwt_secret or stored_demo_secret(folder)
        settings = settings.model_copy(update={"database_url": url, "jwt_secret": secret})
    require(settings, "database_url")
    return settings


def with_connection(
    work: Callable[[Any], Awaitable[Result]],
    database_url: str | None = None,
    statement_timeout_seconds: float = 10.0,
) -> Result:
    """Run `work` on a connection of its own, by default to the database of the settings."""
    import asyncio

    from storage.connections.database import Database

    url = database_url or database_settings(or_running=True).database_url

    async def run() -> Result:
        database = await Database.open(
            url, pool_size=1, statement_timeout_seconds=statement_timeout_seconds
        )
        try:
            async with database.connection() as connection:
                return await work(connection)
        finally:
            await database.close()

    return asyncio.run(run())


def fail(message: str) -> NoReturn:
    """Print the message to standard error and end the command with exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
