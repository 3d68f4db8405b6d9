"""Ticks: when the evaluator was last done, under the fence of its lease."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storage.alerts.tables import alert_ticks
from storage.connections.database import Connection
from storage.connections.query import Fetch, SqlQuery
from storage.errors import Conflict


@dataclass(frozen=True, slots=True)
class Tick:
    """The last evaluation of a kind, and up to where it has read."""

    name: str
    fence: int
    evaluated_at: datetime
    position: Mapping[str, Any]


_TICKS = SqlQuery("alert_ticks", select(*(alert_ticks.c[name] for name in Tick.__match_args__)))


async def load_ticks(fetch: Fetch) -> dict[str, Tick]:
    """Returns the last ticks by name."""
    return {row["name"]: Tick(*row) for row in await fetch(_TICKS)}


async def write_tick(connection: Connection, before: Tick | None, after: Tick) -> None:
    """Stores a tick in the transaction that writes all that it found.

    Raises Conflict if somebody has evaluated since ``before`` was read, or under a later fence:
    what follows from that state must not be written.
    """
    given = after.name, after.fence, after.evaluated_at, after.position
    seen = (None, None) if before is None else (before.fence, before.evaluated_at)
    if not await connection.fetchval(_WRITE, *given, *seen):
        raise Conflict("Another process has evaluated the alerts meanwhile")


_WRITE = """
insert into alert_ticks as stored (name, fence, evaluated_at, position)
values ($1, $2, $3, $4)
on conflict (name) do update set fence = excluded.fence, evaluated_at = excluded.evaluated_at,
  position = excluded.position
where stored.fence <= excluded.fence and stored.fence = $5 and stored.evaluated_at = $6
returning true
"""
