"""Sends: messages to channels, and each try to deliver one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from storage.alerts.channels import ChannelRow, Sealed
from storage.connections.database import Connection

# What somebody cancelled or a crash cut off is tried again after this time.
LEASE = timedelta(seconds=45)
KEPT = timedelta(days=90)
COUNTED = timedelta(hours=1)
SUMMARY = "summary:"  # begins the groups of what a cap held back
MAILS = f"{SUMMARY}mails:"  # of what the cap of a project's mails did
TEST = "test"  # the group of tests
ORDERED = "ordered:"  # begins the groups in which order matters to the receiver
OVERTAKEN_AFTER = 3  # tries, where order does not matter as much
# So that neither a slow receiver nor one project with many takes the room of others.
CHANNEL_AT_ONCE = 4
PROJECT_AT_ONCE = 8


class SendStatus(StrEnum):
    """Where a send is; the words are stored."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"
    HELD = "held"
    REFUSED = "refused"  # a test that did not arrive


class AttemptOutcome(StrEnum):
    """What became of a try; the words are stored."""

    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"  # another try follows
    REFUSED = "refused"  # no other try would help
    INTERRUPTED = "interrupted"  # nobody knows whether it arrived


@dataclass(frozen=True, slots=True)
class NewSend:
    """A message to a channel, or the note that one was held back."""

    send_id: UUID
    project_id: int | None
    channel_id: UUID
    group_key: str
    event_ids: Sequence[str]
    message: Mapping[str, Any]
    status: SendStatus
    reason: str | None
    created_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """The sends of one group to a channel within the last hour."""

    channel_id: UUID
    group_key: str
    project_id: int | None
    sends: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A send that this process tries to deliver, with its channel, if that still exists."""

    send_id: UUID
    project_id: int | None
    channel_id: UUID
    message: Mapping[str, Any]
    attempt: int
    created_at: datetime
    owner_id: int | None  # the project of the channel
    kind: str | None
    enabled: bool | None
    settings: Mapping[str, Any] | None
    secrets: Mapping[str, Sealed] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a try ended; a send that is not delivered is dead unless it is tried again."""

    outcome: AttemptOutcome
    detail: str
    duration_ms: int
    again_at: datetime | None = None


async def add(connection: Connection, sends: Sequence[NewSend]) -> None:
    """Stores new sends; one that exists already stays as it is."""
    rows = [tuple(getattr(send, name) for name in NewSend.__match_args__) for send in sends]
    await connection.executemany(_ADD, rows)


async def groups(connection: Connection, channels: Sequence[UUID], now: datetime) -> list[Group]:
    """What these channels were sent within the last hour; what was held back does not count."""
    rows = await connection.fetch(_GROUPS, channels, now - COUNTED)
    return [Group(**row) for row in rows]


async def open_sends(
    connection: Connection, channels: Sequence[UUID], now: datetime
) -> dict[tuple[UUID, str], tuple[UUID, Mapping[str, Any]]]:
    """Sends that wait for more of their group, as id and message, by channel and group.

    They are locked, except for summaries of mails: those who send enlarge these.
    """
    rows = await connection.fetch(_OPEN, channels, now)
    return {(row["channel_id"], row["group_key"]): (row["send_id"], row["message"]) for row in rows}


async def enlarge(
    connection: Connection, send_id: UUID, event_ids: Sequence[str], message: Mapping[str, Any]
) -> None:
    """Adds events to a send that nobody has tried to deliver."""
    await connection.execute(_ENLARGE, send_id, event_ids, message)


async def is_due(connection: Connection, now: datetime) -> bool:
    """Whether any send is due."""
    found: bool = await connection.fetchval(_IS_DUE, now)
    return found


async def claim(
    connection: Connection, now: datetime, limit: int, busy: Sequence[Claimed]
) -> list[Claimed]:
    """Takes sends that are due, and notes a try of each; other processes leave them alone.

    No channel gets more than `CHANNEL_AT_ONCE` and no project more than `PROJECT_AT_ONCE`, those
    counted with which this process is `busy`; projects take turns. None is taken before an earlier
    one of its channel and group has ended, or has failed a few times where order matters less. A
    send whose try does not end within `LEASE` is due again.
    """
    of = [each.channel_id for each in busy], [each.project_id or 0 for each in busy]
    limits = CHANNEL_AT_ONCE, PROJECT_AT_ONCE
    rows = await connection.fetch(_CLAIM, now, now + LEASE, limit, *of, *limits)
    claimed = [Claimed(**row) for row in rows]
    ids, attempts = [each.send_id for each in claimed], [each.attempt for each in claimed]
    if claimed:
        await connection.execute(_BEGIN, ids, attempts, now)
    return claimed


async def finish(connection: Connection, claimed: Claimed, end: Ending, now: datetime) -> None:
    """Notes how a try ended; a send that is delivered twice stays delivered."""
    send_id, attempt = claimed.send_id, claimed.attempt
    await connection.execute(_END, send_id, attempt, end.outcome, end.detail, end.duration_ms)
    if end.outcome is AttemptOutcome.DELIVERED:
        await connection.execute(_SENT, send_id, now)
    elif end.again_at is None:
        await connection.execute(_DEAD, send_id, attempt, end.detail)
    else:
        await connection.execute(_AGAIN, send_id, attempt, end.again_at)


async def resend(connection: Connection, send_id: UUID, now: datetime) -> bool:
    """Lets a dead send be tried once more, under the same id; returns whether it was dead.

    One whose receiver has heard later of the same episode stays dead: it would open that again.
    """
    status: str = await connection.execute(_RESEND, send_id, now)
    return status.endswith(" 1")


async def note_test(
    connection: Connection,
    channel: ChannelRow,
    project_id: int | None,
    now: datetime,
    addresses: int | None,
) -> bool:
    """Notes that a project tests a channel; returns False if one did within the same minute.

    A test by mail counts its `addresses`. It is refused unless `end_test` says otherwise, so that
    one that is cut off is not taken for sent.
    """
    message = {"title": f"Test of the channel {channel.name}"}
    given = _test_id(channel, now), project_id, channel.channel_id, message, now, addresses
    status: str = await connection.execute(_NOTE_TEST, *given, TEST, "The test has not ended")
    return status.endswith(" 1")


async def end_test(
    connection: Connection, channel: ChannelRow, now: datetime, refusal: str | None
) -> None:
    """Notes that the test noted at this time arrived, or why it did not."""
    await connection.execute(_END_TEST, _test_id(channel, now), now, refusal)


def _test_id(channel: ChannelRow, now: datetime) -> UUID:
    return uuid5(channel.channel_id, f"{TEST}:{now:%Y-%m-%d %H:%M}")


_ADD = """
insert into alert_sends (send_id, project_id, channel_id, group_key, event_ids, message, status,
  reason, created_at, due_at, attempts)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
on conflict do nothing
"""

_GROUPS = """
select channel_id, group_key, project_id, count(*)::int as sends, min(created_at) as first_at,
  max(created_at) as last_at
from alert_sends
where channel_id = any($1::uuid[]) and created_at > $2 and status <> 'held'
group by channel_id, group_key, project_id
"""

_IS_OPEN = """
select channel_id, group_key, send_id, message from alert_sends
where channel_id = any($1::uuid[]) and status = 'waiting' and attempts = 0 and due_at > $2
"""

_OPEN = f"""
with locked as ({_IS_OPEN} and group_key not like '{MAILS}%' for update)
select * from locked union all {_IS_OPEN} and group_key like '{MAILS}%'
"""

_ENLARGE = """
update alert_sends set event_ids = event_ids || $2::jsonb, message = $3 where send_id = $1
"""

_IS_DUE = """
select exists (select from alert_sends where status = 'waiting' and due_at <= $1)
"""

_CLAIM = f"""
with turns as (
  select send_id, project_id, due_at, created_at,
    row_number() over (partition by channel_id order by due_at, created_at)
      + (select count(*) from unnest($4::uuid[]) as busy where busy = channel_id) as of_channel
  from alert_sends as waiting
  where status = 'waiting' and due_at <= $1
    and not exists (select from alert_sends as earlier
      where earlier.status = 'waiting' and earlier.channel_id = waiting.channel_id
        and earlier.group_key = waiting.group_key and earlier.created_at < waiting.created_at
        and (earlier.attempts < {OVERTAKEN_AFTER} or earlier.group_key like '{ORDERED}%'))),
fair as (
  select send_id, row_number() over (partition by project_id order by due_at, created_at)
      + (select count(*) from unnest($5::bigint[]) as busy where busy = project_id) as of_project
  from turns where of_channel <= $6),
due as (
  select send_id from alert_sends join fair using (send_id)
  where (of_project <= $7 or project_id is null) and status = 'waiting' and due_at <= $1
  order by of_project, due_at, created_at limit $3
  for update of alert_sends skip locked),
taken as (
  update alert_sends as send set due_at = $2, attempts = attempts + 1
  from due where send.send_id = due.send_id
  returning send.*)
select taken.send_id, taken.project_id, taken.channel_id, taken.message,
  taken.attempts as attempt, taken.created_at, channel.project_id as owner_id, channel.kind,
  channel.enabled, channel.settings, channel.secrets
from taken left join alert_channels as channel using (channel_id)
order by taken.created_at
"""

_BEGIN = """
with cut_off as (
  update alert_attempts set outcome = 'interrupted'
  where send_id = any($1::uuid[]) and outcome = 'sending')
insert into alert_attempts (send_id, attempt, at, outcome)
select send_id, attempt, $3, 'sending' from unnest($1::uuid[], $2::int[]) as new(send_id, attempt)
"""

_END = """
update alert_attempts set outcome = $3, detail = $4, duration_ms = $5
where send_id = $1 and attempt = $2
"""

_SENT = """
update alert_sends set status = 'sent', sent_at = $2, due_at = null, reason = null
where send_id = $1 and status <> 'sent'
"""

_DEAD = """
update alert_sends set status = 'dead', due_at = null, reason = $3
where send_id = $1 and attempts = $2 and status = 'waiting'
"""

_AGAIN = """
update alert_sends set due_at = $3 where send_id = $1 and attempts = $2 and status = 'waiting'
"""

_RESEND = f"""
update alert_sends as send set status = 'waiting', due_at = $2, reason = null
where send_id = $1 and status = 'dead'
  and not (group_key like '{ORDERED}%' and exists (
  select from alert_sends as later
  where later.channel_id = send.channel_id and later.group_key = send.group_key
    and later.created_at > send.created_at and later.status in ('sent', 'waiting')))
"""

_NOTE_TEST = """
insert into alert_sends (send_id, project_id, channel_id, group_key, event_ids, message, status,
  reason, created_at, attempts, addresses, counted_at)
values ($1, $2, $3, $7, '[]', $4, 'refused', $8, $5, 0, $6,
  case when $6::int is not null then $5::timestamptz end)
on conflict do nothing
"""

_END_TEST = """
update alert_sends set status = case when $3::text is null then 'sent' else 'refused' end,
  sent_at = case when $3 is null then $2::timestamptz end, reason = $3
where send_id = $1
"""
