"""Entries in the audit log for the commands that change something."""

import os
import pwd
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import typer

from gateway.cli.connection import fail, with_connection
from storage.admin import audit
from storage.errors import GatewayError

FAILED = "FAILED"
INTERRUPTED = "INTERRUPTED"
INTERNAL = "INTERNAL"


@contextmanager
def audited(
    database_url: str, command: str, target: str | None = None, **details: Any
) -> Iterator[None]:
    """Add an entry before the block runs and its outcome afterwards.

    Ends the command where the entry cannot be added, so that nothing happens without one.
    """
    entry_id = add(database_url, command, target, audit.BEGUN, **details)
    outcome = INTERNAL
    try:
        yield
        outcome = audit.OK
    except typer.Exit as leaving:
        outcome = FAILED if leaving.exit_code else audit.OK
        raise
    except GatewayError as error:
        outcome = error.code
        raise
    except KeyboardInterrupt:
        outcome = INTERRUPTED
        raise
    finally:
        _end(database_url, entry_id, outcome)


def add(
    database_url: str,
    command: str,
    target: str | None = None,
    outcome: str = audit.OK,
    **details: Any,
) -> int:
    """Add an entry and return its id; ends the command where that fails."""
    try:
        return with_connection(
            lambda connection: record(connection, command, details, outcome, target), database_url
        )
    except asyncpg.UndefinedTableError:
        fail("The database has no audit log: run `gateway migrate` first.")
    except GatewayError as error:
        fail(f"{command}: {error.message}")


async def record(
    connection: Any,
    action: str,
    details: Mapping[str, Any],
    outcome: str = audit.OK,
    target: str | None = None,
) -> int:
    """Add an entry on the connection, in the transaction of the change; returns its id."""
    entry = audit.AuditRecord(
        subject=f"cli:{user()}",
        action=action,
        outcome=outcome,
        target=target,
        address=socket.gethostname(),
        details=details,
    )
    (entry_id,) = await audit.add(connection, [entry], datetime.now(UTC))
    return entry_id


def user() -> str:
    """The operating system's user name; not from the environment, which anyone can set."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run as a number without a name
        return str(os.geteuid())


def _end(database_url: str, entry_id: int, outcome: str) -> None:
    try:
        with_connection(lambda connection: audit.end(connection, entry_id, outcome), database_url)
    except GatewayError:  # the change is made; its entry keeps the outcome `begun`
        typer.echo(f"The audit log does not show the outcome: {outcome}.", err=True)
