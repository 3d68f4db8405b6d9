"""Puts what a command changed into the audit log."""

import os
import pwd
import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from storage.admin.audit import OK, AuditRecord, add


async def record(
    connection: Any, action: str, details: Mapping[str, Any], now: datetime, outcome: str = OK
) -> None:
    """In the transaction of the change, so that there is none without its entry."""
    entry = AuditRecord(
        subject=f"cli:{user()}",
        action=action,
        outcome=outcome,
        address=socket.gethostname(),
        details=details,
    )
    await add(connection, [entry], now)


def user() -> str:
    """The name of the operating system's user; the environment is not asked, as it may lie."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run as a number without a name
        return str(os.geteuid())
