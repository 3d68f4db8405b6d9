"""Puts what a command changed into the audit log."""

import getpass
import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from storage.audit import Entry, add


async def record(connection: Any, action: str, details: Mapping[str, Any], now: datetime) -> None:
    """In the transaction of the change, so that there is none without its entry."""
    entry = Entry(
        subject=f"cli:{_user()}", action=action, address=socket.gethostname(), details=details
    )
    await add(connection, [entry], now)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
