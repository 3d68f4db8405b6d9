"""The outbox: transitions that are to be told, and what decides whether they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from storage.alerts.instances import Key
from storage.connections.database import Connection

# A channel and an episode.
Told = tuple[UUID, UUID]
# Every instance comes after this one.
_BEFORE_ALL: Key = (UUID(int=0), "")


class Last(NamedTuple):
    """What a channel was last told of an episode, and when."""

    action: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Queued:
    """A transition that is to be told; ``since`` is when its episode began to fire."""

    event_id: UUID
    rule_id: UUID
    instance: str
    project_id: int | None
    project: str | None
    episode_id: UUID | None
    transition: str
    at: datetime
    since: datetime
    severity: str
    labels: Mapping[str, str]
    evidence: Mapping[str, Any]
    by: str | None
    flapping: bool
    name: str  # of the rule
    document: Mapping[str, Any]  # of the rule
    acknowledged: bool = False

    @property
    def key(self) -> Key:
        return self.rule_id, self.instance


@dataclass(frozen=True, slots=True)
class Repeats:
    """When alerts that fire are told again.

    Those of critical rules if they were last told before one time, others if before another. Only
    channels of `kinds` are told, and of what is acknowledged only those of `keep_state`.
    """

    critical_before: datetime
    others_before: datetime
    kinds: Sequence[str]
    keep_state: Sequence[str]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A channel that messages go to."""

    channel_id: UUID
    project_id: int | None
    name: str
    kind: str
    enabled: bool
    settings: Mapping[str, Any]
    sends_per_hour: int


async def is_waiting(connection: Connection) -> bool:
    """Whether the outbox holds anything."""
    found: bool = await connection.fetchval("select exists (select from alert_outbox)")
    return found


async def become_dispatcher(connection: Connection) -> bool:
    """Whether this transaction may dispatch: one at a time, since caps and groups are counted."""
    taken: bool = await connection.fetchval(_DISPATCHER)
    return taken


async def take(connection: Connection, limit: int) -> list[Queued]:
    """Takes the oldest transitions out of the outbox, in order of time."""
    return [Queued(**row) for row in await connection.fetch(_TAKE, limit)]


async def firing(
    connection: Connection,
    limit: int,
    after: Key | None = None,
    projects: Sequence[int] | None = None,
) -> list[Queued]:
    """The first instances after one, of enabled rules, that fire and of which nothing waits.

    Each as the transition that began it, with what was found since. With ``projects``, of these
    alone.
    """
    given = (*(after or _BEFORE_ALL), limit, projects)
    return [Queued(**row) for row in await connection.fetch(_FIRING, *given)]


async def due(
    connection: Connection, limit: int, after: Key | None, repeats: Repeats
) -> list[Queued]:
    """Those of `firing` that some channel of their rule was never told of, or long ago."""
    given = (*(after or _BEFORE_ALL), limit, None)
    times = repeats.critical_before, repeats.others_before
    rows = await connection.fetch(DUE, *given, *times, repeats.kinds, repeats.keep_state)
    return [Queued(**row) for row in rows]


async def causes(connection: Connection) -> list[Any]:
    """Instances of the platform's rules that fire, as labels and their rule's name and document."""
    rows: list[Any] = await connection.fetch(_CAUSES)
    return rows


async def receivers(connection: Connection, projects: Sequence[int]) -> list[Receiver]:
    """The channels of the platform and of these projects, those switched off too."""
    rows = await connection.fetch(_RECEIVERS, projects)
    return [Receiver(**row) for row in rows]


async def told(
    connection: Connection, channels: Sequence[UUID], episodes: Sequence[UUID]
) -> dict[Told, Last]:
    """What these channels were last told of these episodes, and when."""
    rows = await connection.fetch(_TOLD, channels, episodes)
    return {
        (row["channel_id"], row["episode_id"]): Last(row["action"], row["told_at"]) for row in rows
    }


async def told_episodes(connection: Connection, episodes: Sequence[UUID]) -> list[Told]:
    """The channels that know of these episodes, and not of their end."""
    rows = await connection.fetch(_TOLD_EPISODES, episodes)
    return [(row["channel_id"], row["episode_id"]) for row in rows]


async def note_told(connection: Connection, actions: Mapping[Told, str], now: datetime) -> None:
    """Remembers what channels are told of episodes."""
    rows = [(*key, action, now) for key, action in actions.items()]
    await connection.executemany(_NOTE_TOLD, rows)


_DISPATCHER = "select pg_try_advisory_xact_lock(hashtext('alert_outbox'))"

_EVENT = """
event.event_id, event.rule_id, event.instance, event.project_id, project.slug as project,
event.episode_id, event.transition, event.at,
coalesce((select min(begun.at) from alert_events as begun
  where begun.rule_id = event.rule_id and begun.instance = event.instance
    and begun.episode_id = event.episode_id and begun.transition = 'firing'), event.at) as since,
event.severity, event.labels, event.by,
coalesce((select flap.transition = 'flapping' from alert_events as flap
  where flap.rule_id = event.rule_id and flap.instance = event.instance and flap.at <= event.at
    and flap.transition in ('flapping', 'steady')
  order by flap.at desc limit 1), false) as flapping,
rule.name, rule.document
"""

_TAKE = f"""
with taken as (
  delete from alert_outbox where event_id in (
    select event_id from alert_outbox order by queued_at, event_id limit $1
    for update skip locked)
  returning event_id)
select {_EVENT}, event.evidence
from taken join alert_events as event using (event_id)
join alert_rules as rule using (rule_id)
left join projects as project on project.project_id = event.project_id
order by event.at, (event.transition = 'firing') desc, event.event_id
"""


def _firing_that(condition: str) -> str:
    return f"""
select {_EVENT}, coalesce(held.evidence, event.evidence) as evidence,
  held.acknowledged_at is not null as acknowledged
from alert_instances as held
join alert_rules as rule on rule.rule_id = held.rule_id
join lateral (
  select * from alert_events as begun
  where begun.rule_id = held.rule_id and begun.instance = held.instance
    and begun.episode_id = held.episode_id and begun.transition = 'firing'
  order by begun.at limit 1) as event on true
left join projects as project on project.project_id = event.project_id
where held.phase = 2 and rule.enabled and rule.deleted_at is null
  and (held.rule_id, held.instance) > ($1::uuid, $2::text)
  and ($4::bigint[] is null or held.project_id = any($4))
  and not exists (select from alert_outbox where alert_outbox.event_id = event.event_id)
  {condition}
order by held.rule_id, held.instance limit $3
"""


_FIRING = _firing_that("")

# Of two channels with the same name the project's counts. An episode that is over for a channel is
# not told to it again. A document may be any JSON.
DUE = _firing_that("""
and exists (
  select from jsonb_array_elements_text(case jsonb_typeof(rule.document -> 'channels')
    when 'array' then rule.document -> 'channels' else '[]' end) as named(name)
  cross join lateral (
    select * from alert_channels as own
    where own.name = named.name
      and (own.project_id is null or own.project_id = held.project_id)
    order by own.project_id nulls last limit 1) as channel
  left join alert_told as told
    on told.channel_id = channel.channel_id and told.episode_id = held.episode_id
  where channel.enabled and channel.kind = any($7::text[])
    and (told.episode_id is null or (
      told.action <> 'resolved'
      and told.told_at <= case rule.document ->> 'severity' when 'critical' then $5::timestamptz
        else $6::timestamptz end
      and (held.acknowledged_at is null or channel.kind = any($8::text[])))))
""")

_CAUSES = """
select held.labels, rule.name, rule.document
from alert_instances as held join alert_rules as rule using (rule_id)
where held.project_id is null and held.phase = 2 and rule.deleted_at is null
"""

_RECEIVERS = """
select channel_id, project_id, name, kind, enabled, settings, sends_per_hour
from alert_channels where project_id is null or project_id = any($1::bigint[])
"""

_TOLD = """
select channel_id, episode_id, action, told_at from alert_told
where channel_id = any($1::uuid[]) and episode_id = any($2::uuid[])
"""

_TOLD_EPISODES = """
select channel_id, episode_id from alert_told
where episode_id = any($1::uuid[]) and action <> 'resolved'
"""

_NOTE_TOLD = """
insert into alert_told (channel_id, episode_id, action, told_at) values ($1, $2, $3, $4)
on conflict (channel_id, episode_id) do update
set action = excluded.action, told_at = excluded.told_at
"""
