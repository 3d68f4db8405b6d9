"""Notification channels: adds, changes and deletes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NewType
from uuid import UUID

from storage.alerts.rules import Refusal, lock_owner
from storage.connections.database import Connection

CHANNELS_OF_PROJECT_AT_MOST = 50
CHANNELS_OF_PLATFORM_AT_MOST = 200
DEFAULT_SENDS_PER_HOUR = 60

# A secret as it is stored: sealed, unless an earlier release stored it.
Sealed = NewType("Sealed", str)


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel as it is stored; what its settings and secrets hold is decided in `alerts`."""

    channel_id: UUID
    project_id: int | None
    name: str
    kind: str
    enabled: bool
    settings: Mapping[str, Any]
    secrets: Mapping[str, Sealed] = field(repr=False)
    sends_per_hour: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str

    @classmethod
    def of(cls, row: Any) -> "ChannelRow":
        return cls(*(row[name] for name in cls.__match_args__))


def channels_at_most(project_id: int | None) -> int:
    """How many channels a project, or the platform, may have."""
    return CHANNELS_OF_PLATFORM_AT_MOST if project_id is None else CHANNELS_OF_PROJECT_AT_MOST


async def names(connection: Connection, project_id: int | None, given: Sequence[str]) -> set[str]:
    """Those of the names that a channel of the project or of the platform has."""
    rows = await connection.fetch(_NAMES, project_id, list(given)) if given else []
    return {row["name"] for row in rows}


async def add(connection: Connection, row: ChannelRow) -> Refusal | None:
    """Inserts a new channel; returns why it cannot."""
    await lock_owner(connection, row.project_id)
    count = await connection.fetchval(_COUNT, row.project_id)
    if count >= channels_at_most(row.project_id):
        return Refusal.TOO_MANY
    values = (getattr(row, name) for name in ChannelRow.__match_args__)
    status: str = await connection.execute(_ADD, *values)
    return None if status.endswith(" 1") else Refusal.NAME_TAKEN


async def lock(connection: Connection, channel_id: UUID) -> ChannelRow | None:
    """Returns a channel, which nobody else changes meanwhile."""
    row = await connection.fetchrow(_LOCK, channel_id)
    return None if row is None else ChannelRow.of(row)


async def find(connection: Connection, channel_id: UUID) -> ChannelRow | None:
    """Returns a channel; None if there is none."""
    row = await connection.fetchrow(_FIND, channel_id)
    return None if row is None else ChannelRow.of(row)


async def called(
    connection: Connection, project_id: int | None, given: Sequence[str]
) -> list[ChannelRow]:
    """The channels that rules of a project mean by these names: its own before the platform's."""
    rows = await connection.fetch(_CALLED, project_id, list(given))
    return [ChannelRow.of(row) for row in rows]


async def change(connection: Connection, row: ChannelRow) -> None:
    """Stores a locked channel as it is now; its name and kind stay."""
    values = row.enabled, row.settings, row.secrets, row.sends_per_hour
    await connection.execute(_CHANGE, row.channel_id, *values, row.changed_at, row.changed_by)


async def with_secrets(
    connection: Connection, after: UUID | None, limit: int
) -> dict[UUID, Mapping[str, Sealed]]:
    """The secrets of the next channels by id, which nobody else changes meanwhile."""
    rows = await connection.fetch(_WITH_SECRETS, after, limit)
    return {row["channel_id"]: row["secrets"] for row in rows}


async def set_secrets(
    connection: Connection, channel_id: UUID, secrets: Mapping[str, Sealed]
) -> None:
    """Stores the secrets of a locked channel in another form; they are the same secrets."""
    await connection.execute(_SET_SECRETS, channel_id, secrets)


async def users(connection: Connection, row: ChannelRow) -> list[str]:
    """The names of the rules that tell a locked channel."""
    await lock_owner(connection, row.project_id)
    rows = await connection.fetch(_USERS, row.project_id, row.name)
    return [each["name"] for each in rows]


async def delete(connection: Connection, row: ChannelRow) -> Refusal | None:
    """Deletes a locked channel unless a rule tells it; what was sent to it stays in the log."""
    if await users(connection, row):
        return Refusal.IN_USE
    await connection.execute(_DELETE, row.channel_id)
    return None


_NAMES = """
select name from alert_channels
where name = any($2::text[]) and (project_id is null or project_id = $1::bigint)
for key share
"""

_COUNT = "select count(*) from alert_channels where project_id is not distinct from $1::bigint"

_ADD = """
insert into alert_channels (channel_id, project_id, name, kind, enabled, settings, secrets,
  sends_per_hour, created_at, created_by, changed_at, changed_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict do nothing
"""

_FIND = "select * from alert_channels where channel_id = $1"

_LOCK = f"{_FIND} for update"

_CALLED = """
select distinct on (name) * from alert_channels
where name = any($2::text[]) and (project_id is null or project_id = $1::bigint)
order by name, project_id nulls last
"""

_CHANGE = """
update alert_channels set enabled = $2, settings = $3, secrets = $4, sends_per_hour = $5,
  changed_at = $6, changed_by = $7
where channel_id = $1
"""

_WITH_SECRETS = """
select channel_id, secrets from alert_channels
where secrets <> '{}' and ($1::uuid is null or channel_id > $1)
order by channel_id limit $2 for update
"""

_SET_SECRETS = "update alert_channels set secrets = $2 where channel_id = $1"

# The platform's channel is told by the rules of a project that has none of its own by this name.
_USERS = """
select rule.name from alert_rules as rule
where rule.deleted_at is null and rule.document -> 'channels' ? $2
  and case when $1::bigint is not null then rule.project_id = $1::bigint
    else not exists (select from alert_channels as own
      where own.project_id = rule.project_id and own.name = $2) end
order by rule.name
"""

_DELETE = "delete from alert_channels where channel_id = $1"
