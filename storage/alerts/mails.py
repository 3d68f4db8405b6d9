"""To how many addresses the mails of projects went, and what becomes of those beyond a limit."""

from datetime import datetime, timedelta
from uuid import UUID

from storage.alerts.sends import Claimed, NewSend, SendStatus, add
from storage.connections.database import Connection

COUNTED = timedelta(hours=1)


async def lock(connection: Connection) -> None:
    """Lets only one transaction at a time count addresses; it has locked no rows yet."""
    await connection.execute(_LOCK)


async def used(connection: Connection, claimed: Claimed, now: datetime) -> int:
    """Returns to how many addresses the other mails of its project went within the last hour."""
    given = claimed.project_id, claimed.send_id, now - COUNTED
    found: int = await connection.fetchval(_USED, *given)
    return found


async def count(connection: Connection, claimed: Claimed, addresses: int, now: datetime) -> None:
    """Counts the addresses of a mail that is tried now."""
    await connection.execute(_COUNT, claimed.send_id, addresses, now)


async def put_back(connection: Connection, claimed: Claimed, due_at: datetime) -> None:
    """Undoes a claim: the mail is due again later, and was not tried."""
    await connection.execute(_UNDO, claimed.send_id, claimed.attempt)
    await connection.execute(_LATER, claimed.send_id, due_at)


async def hold(connection: Connection, claimed: Claimed, reason: str) -> None:
    """Undoes a claim: the mail is held back for a reason, and was not tried."""
    await connection.execute(_UNDO, claimed.send_id, claimed.attempt)
    await connection.execute(_HOLD, claimed.send_id, SendStatus.HELD, reason)


async def free_at(connection: Connection, project_id: int, now: datetime) -> datetime:
    """Returns when the first mail of a project that counts now counts no longer."""
    first: datetime | None = await connection.fetchval(_FIRST, project_id, now - COUNTED)
    return (first or now) + COUNTED


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
select coalesce(sum(addresses), 0)::int from alert_sends
where project_id = $1 and send_id <> $2 and counted_at > $3
"""

_COUNT = "update alert_sends set addresses = $2, counted_at = $3 where send_id = $1"

_UNDO = "delete from alert_attempts where send_id = $1 and attempt = $2"

_LATER = "update alert_sends set attempts = attempts - 1, due_at = $2 where send_id = $1"

_HOLD = """
update alert_sends set attempts = attempts - 1, due_at = null, status = $2, reason = $3
where send_id = $1
"""

_FIRST = """
select min(counted_at) from alert_sends where project_id = $1 and counted_at > $2
"""

_SUMMARY = """
select send_id, message -> 'held' as held, created_at from alert_sends
where channel_id = $1 and group_key = $2 and status = 'waiting' and attempts = 0
for update skip locked
"""

_FORGET = "delete from alert_sends where send_id = $1"
