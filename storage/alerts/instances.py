"""Instances of rules: where each is, written by the evaluator."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, literal_column, select

from storage.alerts.documents import row_document
from storage.alerts.tables import TIME, alert_instances
from storage.connections.database import Connection
from storage.connections.query import Fetch, SqlQuery

# An instance of a rule; a rule without groups has one, called ''.
Key = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance as it is stored; people's acknowledgements are columns beside these."""

    rule_id: UUID
    instance: str
    project_id: int | None
    labels: Mapping[str, str]
    phase: int
    since: datetime
    clear_since: datetime | None
    health: int
    health_since: datetime | None
    firings: Sequence[str]
    flapping: bool
    episode_id: UUID | None
    value: float | None
    bound: float | None
    evidence: Mapping[str, Any] | None

    @property
    def key(self) -> Key:
        return self.rule_id, self.instance


_COLUMNS = InstanceRow.__match_args__
_UNREAD = "evidence"  # large, and not needed to go on

_of = alert_instances.c
_CURRENT = SqlQuery(
    "alert_instances",
    select(*(_of[name] for name in _COLUMNS if name != _UNREAD)).where(
        (_of.phase != literal_column("0"))
        | (_of.health != literal_column("0"))
        | _of.flapping
        | (_of.since >= bindparam("since", type_=TIME))
    ),
)


async def load_instances(fetch: Fetch, since: datetime) -> list[InstanceRow]:
    """Returns the instances that differ from new ones, without their evidence.

    Those that have been quiet since a time are left out.
    """
    return [InstanceRow(**dict(row), evidence=None) for row in await fetch(_CURRENT, since=since)]


async def write(connection: Connection, rows: Iterable[InstanceRow]) -> None:
    """Stores instances; one that begins another episode is no longer acknowledged."""
    await connection.execute(_WRITE, [row_document(row) for row in rows])


async def delete(connection: Connection, keys: Iterable[Key]) -> None:
    """Deletes instances, such as those of deleted rules."""
    await connection.executemany(_DELETE, list(keys))


async def note_left_out(connection: Connection, counts: Mapping[UUID, int]) -> None:
    """Notes in what rules' firing instances show how much these rules leave out."""
    await connection.executemany(_NOTE_LEFT_OUT, list(counts.items()))


_NAMES = ", ".join(_COLUMNS)
_SET = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
_SAME = "case when stored.episode_id = excluded.episode_id then stored"

_WRITE = f"""
insert into alert_instances as stored ({_NAMES})
select {_NAMES} from jsonb_to_recordset($1) as given(rule_id uuid, instance text,
  project_id bigint, labels jsonb, phase smallint, since timestamptz, clear_since timestamptz,
  health smallint, health_since timestamptz, firings jsonb, flapping boolean, episode_id uuid,
  value float, bound float, evidence jsonb)
on conflict (rule_id, instance) do update set {_SET},
  acknowledged_at = {_SAME}.acknowledged_at end, acknowledged_by = {_SAME}.acknowledged_by end
"""

_DELETE = "delete from alert_instances where rule_id = $1 and instance = $2"

_NOTE_LEFT_OUT = """
update alert_instances set evidence = evidence || jsonb_build_object('left_out', $2::integer)
where rule_id = $1 and phase = 2
"""
