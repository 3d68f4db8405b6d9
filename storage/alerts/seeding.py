"""Channels that a demo has from the start."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from storage.alerts.channels import Sealed
from storage.connections.database import Connection

BY = "demo"


async def keep_channel(
    connection: Connection,
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, Sealed],
    now: datetime,
) -> None:
    """Makes a channel of the platform, or sets the address of one made so before."""
    await connection.execute(_KEEP, uuid4(), name, kind, settings, secrets, now, BY)


_KEEP = """
insert into alert_channels as stored (channel_id, project_id, name, kind, enabled, settings,
  secrets, sends_per_hour, created_at, created_by, changed_at, changed_by)
values ($1, null, $2, $3, true, $4, $5, 60, $6, $7, $6, $7)
on conflict (project_id, name) do update
set settings = excluded.settings, secrets = excluded.secrets, changed_at = excluded.changed_at
where stored.created_by = $7 and stored.settings <> excluded.settings
"""
