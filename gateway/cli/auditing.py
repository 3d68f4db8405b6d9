"""Commands that change something leave an entry in the audit log, whatever becomes of them."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

FAILED = "FAILED"
INTERRUPTED = "INTERRUPTED"
INTERNAL = "INTERNAL"

Result = TypeVar("Result")


@contextmanager
def audited(
    database_url: str, command: str, target: str | None = None, **details: Any
) -> Iterator[None]:
    """The entry is there before anything is done; where it cannot be, nothing is done."""
    from storage.admin.audit import BEGUN, OK
    from storage.errors import GatewayError

    entry_id = _begin(database_url, command, target, BEGUN, details)
    outcome = INTERNAL
    try:
        yield
        outcome = OK
    except typer.Exit as leaving:
        outcome = FAILED if leaving.exit_code else OK
        raise
    except GatewayError as error:
        outcome = error.code
        raise
    except KeyboardInterrupt:
        outcome = INTERRUPTED
        raise
    finally:
        _end(database_url, entry_id, outcome)


def note(database_url: str, command: str, target: str | None = None, **details: Any) -> None:
    """Enter what has been done already: the command that makes the log's table comes first."""
    from storage.admin.audit import OK

    _begin(database_url, command, target, OK, details)


def _begin(
    database_url: str, command: str, target: str | None, outcome: str, details: dict[str, Any]
) -> int:
    import socket
    from datetime import UTC, datetime

    import asyncpg

    from gateway.cli.record import user
    from storage.admin import audit
    from storage.errors import GatewayError

    entry = audit.AuditRecord(
        subject=f"cli:{user()}",
        action=command,
        outcome=outcome,
        target=target,
        address=socket.gethostname(),
        details=details,
    )

    async def add(connection: Any) -> int:
        (entry_id,) = await audit.add(connection, [entry], datetime.now(UTC))
        return entry_id

    try:
        return _with_connection(database_url, add)
    except asyncpg.UndefinedTableError:
        typer.echo("The database has no audit log: run `gateway migrate` first.", err=True)
    except GatewayError as error:
        typer.echo(f"{command}: {error.message}", err=True)
    raise typer.Exit(1) from None


def _end(database_url: str, entry_id: int, outcome: str) -> None:
    from storage.admin import audit
    from storage.errors import GatewayError

    try:
        _with_connection(database_url, lambda connection: audit.end(connection, entry_id, outcome))
    except GatewayError:  # what was done is done; the entry says that it was begun
        typer.echo(f"The audit log could not be told how it ended: {outcome}.", err=True)


def _with_connection(database_url: str, work: Callable[[Any], Awaitable[Result]]) -> Result:
    import asyncio

    from storage.connections.database import Database

    async def run() -> Result:
        database = await Database.open(database_url, pool_size=1)
        try:
            async with database.connection() as connection:
                return await work(connection)
        finally:
            await database.close()

    return asyncio.run(run())
