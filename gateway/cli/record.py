"""Puts what a command changed into the audit log."""

import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.cli.auditing import user_name
from storage.audit import Entry, add


async def record(connection: Any, action: str, details: Mapping[str, Any], now: datetime) -> None:
    """In the transaction of the change, so that there is none without its entry."""
    entry = Entry(
        subject=f"cli:{user_name()}", action=action, address=socket.gethostname(), details=details
    )
    await add(connection, [entry], now)
