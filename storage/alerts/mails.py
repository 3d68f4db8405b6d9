"""To how many addresses the mails of projects went, and what becomes of those beyond a limit."""

from datetime import datetime, timedelta
from uuid import UUID

from storage.alerts.sends import SUMMARY, Claimed, NewSend, SendStatus, add
from storage.connections.database import Connection

COUNTED = timedelta(hours=1)
OWNERS_AT_MOST = 50  # of a project, that a mail goes to


async def owners(connection: Connection, project_id: int) -> tuple[str, ...]:
    """The e-mail addresses of the owners of a project."""
    rows = await connection.fetch(_OWNERS, project_id)
    return tuple(row["email"] for row in rows)


async def lock(connection: Connection) -> None:
    """Lets only one transaction at a time count addresses; it has locked no rows yet."""
    await connection.execute(_LOCK)


async def used(
    connection: Connection, project_id: int, send_id: UUID | None, now: datetime
) -> tuple[int, int]:
    """Returns to how many addresses a project's mails went within the last hour, and one of them.

    That one is not among the others.
    """
    row = await connection.fetchrow(_USED, project_id, send_id, now - COUNTED)
    return row["others"], row["own"]


async def count(connection: Connection, claimed: Claimed, addresses: int, now: datetime) -> None:
    """Counts the addresses of a mail that is tried now."""
    await connection.execute(_COUNT, claimed.send_id, addresses, now)


async def put_back(connection: Connection, claimed: Claimed, due_at: datetime) -> None:
    """Undoes a claim: the mail is due again later, and was not tried."""
    await connection.execute(_UNDO, claimed.send_id, claimed.attempt)
    await connection.execute(_LATER, claimed.send_id, due_at)


async def hold(connection: Connection, claimed: Claimed, reason: str) -> None:
    """Undoes a claim: the mail is held back for a reason, and was not tried.

    If it is the first that would have told its channel of an alert, nobody knows of that one.
    """
    await connection.execute(_UNDO, claimed.send_id, claimed.attempt)
    await connection.execute(_HOLD, claimed.send_id, SendStatus.HELD, reason)
    await connection.execute(_FORGET_TOLD, claimed.send_id)


async def summary(
    connection: Connection, channel_id: UUID, group_key: str
) -> tuple[UUID, dict[str, int], datetime] | None:
    """Returns the summary to a channel that waits: its id, what it counts by rule, and its time."""
    row = await connection.fetchrow(_SUMMARY, channel_id, group_key)
    return None if row is None else (row["send_id"], row["held"], row["created_at"])


async def add_summary(connection: Connection, new: NewSend) -> None:
    """Stores a summary, in place of the one with its id."""
    await connection.execute(_FORGET, new.send_id)
    await add(connection, [new])


_LOCK = "select pg_advisory_xact_lock(hashtextextended('mails of alerts', 0))"

_USED = """
select coalesce(sum(addresses) filter (where send_id is distinct from $2), 0)::int as others,
  coalesce(max(addresses) filter (where send_id = $2), 0) as own
from alert_sends where project_id = $1 and counted_at > $3
"""

_COUNT = "update alert_sends set addresses = $2, counted_at = $3 where send_id = $1"

_UNDO = "delete from alert_attempts where send_id = $1 and attempt = $2"

_LATER = "update alert_sends set attempts = attempts - 1, due_at = $2 where send_id = $1"

_HOLD = """
update alert_sends set attempts = attempts - 1, due_at = null, status = $2, reason = $3
where send_id = $1
"""

# Rows that are locked are told something newer at this moment.
_FORGET_TOLD = f"""
delete from alert_told where (channel_id, episode_id) in (
  select told.channel_id, told.episode_id
  from alert_sends as held
  cross join jsonb_to_recordset(held.message -> 'items')
    as item(event_id text, episode uuid, action text, since timestamptz)
  join alert_told as told on told.channel_id = held.channel_id and told.episode_id = item.episode
  where held.send_id = $1 and item.action = 'firing' and not exists (
    select from alert_sends as other
    where other.channel_id = held.channel_id and other.created_at > item.since - interval '1 minute'
      and other.status <> 'held' and other.group_key not like '{SUMMARY}%'
      and other.event_ids ? item.event_id)
  for update of told skip locked)
"""

_SUMMARY = """
select send_id, message -> 'held' as held, created_at from alert_sends
where channel_id = $1 and group_key = $2 and status = 'waiting' and attempts = 0
for update skip locked
"""

_OWNERS = f"""
select email from project_members
where project_id = $1 and role = 'owner' and email is not null
order by subject limit {OWNERS_AT_MOST}
"""

_FORGET = "delete from alert_sends where send_id = $1"
