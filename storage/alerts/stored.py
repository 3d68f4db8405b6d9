"""All rules, channels and silences of a project or of the platform, to compare with a file."""

from dataclasses import dataclass
from datetime import datetime

from storage.alerts.channels import ChannelRow
from storage.alerts.rules import RuleRow, lock_owner
from storage.alerts.silences import SilenceRow
from storage.connections.database import Connection


@dataclass(frozen=True, slots=True)
class Stored:
    """What there is by name, and the silences that are not over."""

    rules: dict[str, RuleRow]
    channels: dict[str, ChannelRow]
    silences: list[SilenceRow]


async def load(connection: Connection, project_id: int | None, now: datetime) -> Stored:
    """Returns what a project or the platform has, which nobody else changes meanwhile."""
    await lock_owner(connection, project_id)
    found = [RuleRow.of(row) for row in await connection.fetch(_RULES, project_id)]
    channels = [ChannelRow.of(row) for row in await connection.fetch(_CHANNELS, project_id)]
    silences = await connection.fetch(_SILENCES, project_id, now)
    return Stored(
        {row.name: row for row in found},
        {row.name: row for row in channels},
        [SilenceRow(*(row[name] for name in SilenceRow.__match_args__)) for row in silences],
    )


_RULES = """
select * from alert_rules
where project_id is not distinct from $1::bigint and deleted_at is null order by name for update
"""

_CHANNELS = """
select * from alert_channels
where project_id is not distinct from $1::bigint order by name for update
"""

_SILENCES = """
select * from alert_silences
where project_id is not distinct from $1::bigint and ended_at is null and ends_at > $2
order by starts_at, silence_id for update
"""
