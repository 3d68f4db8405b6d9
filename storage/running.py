"""What runs now: starts without an end, of append facts whose events report starts too.

A start and its end have an id in common and arrive in any order, each perhaps several times. Ends
are noted here only of series that have announced starts, so that a start after its end opens
nothing, and sources without starts cost nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.fact import Append

# What has not ended by then is given up: it counts neither as running nor as completed.
GIVEN_UP_AFTER = timedelta(minutes=15)


# Project and series; project and pair.
SeriesKey = tuple[int, int]
PairKey = tuple[int, UUID]


class Mark(NamedTuple):
    """The start of a pair, its end, or both; `at` is the time of the start if it is known.

    `external_id` is the sender's id.
    """

    project_id: int
    pair_id: UUID
    at: datetime
    series_id: int
    external_id: str | None
    started: bool
    ended: bool

    @property
    def key(self) -> PairKey:
        return self.project_id, self.pair_id

    def joined(self, other: Mark) -> Mark:
        """Returns both marks of one pair as one."""
        first = self if self.started or not other.started else other
        return first._replace(
            started=self.started or other.started, ended=self.ended or other.ended
        )


async def announce(
    connection: Connection, fact: Append, series: Collection[SeriesKey]
) -> list[SeriesKey]:
    """Note that starts of these series are reported; returns those that had reported none."""
    rows = await connection.fetch(_statements(fact).announce, *columns_of(sorted(series), 2))
    return [tuple(row) for row in rows]


async def announced(
    connection: Connection, fact: Append, series: Collection[SeriesKey]
) -> set[SeriesKey]:
    """The series of which starts have been reported, and every series without a row."""
    rows = await connection.fetch(_statements(fact).silent, *columns_of(sorted(series), 2))
    return set(series) - {tuple(row) for row in rows}


async def note(
    connection: Connection,
    fact: Append,
    marks: Iterable[Mark],
    first: Collection[SeriesKey],
    now: datetime,
) -> set[PairKey]:
    """Store marks no older than GIVEN_UP_AFTER; returns the keys whose start is known already.

    Call it after everything else of the transaction that locks rows. The rows of series in `first`
    are noted as ends too, since no end was noted before their first start.
    """
    pairs: dict[PairKey, Mark] = {}
    for mark in marks:
        pairs[mark.key] = mark.joined(pairs[mark.key]) if mark.key in pairs else mark
    if not pairs:
        return set()
    statements, since = _statements(fact), now - GIVEN_UP_AFTER
    if first:
        await connection.execute(statements.past, *columns_of(sorted(first), 2), since)
    keys = sorted(pairs)
    known = await connection.fetch(statements.known, *columns_of(keys, 2))
    # A sender's clock may be ahead.
    given = (pairs[key]._replace(at=min(pairs[key].at, now)) for key in keys)
    await connection.execute(statements.note, *columns_of(given, len(Mark._fields)))
    projects = sorted({project_id for project_id, _ in keys})
    await connection.execute(statements.forget, projects, since)
    return {tuple(row) for row in known}


class _Statements(NamedTuple):
    announce: str
    silent: str
    past: str
    known: str
    note: str
    forget: str


@cache
def _statements(fact: Append) -> _Statements:
    assert fact.running is not None
    running, series, rows = fact.running.name, fact.series.name, fact.table.name
    of_series = "unnest($1::bigint[], $2::int[]) as given(project_id, series_id)"
    return _Statements(
        announce=f"""
with locked as (
  select project_id, series_id from {series} as known join {of_series}
    using (project_id, series_id)
  where not known.announced order by project_id, series_id for update of known)
update {series} as known set announced = true from locked
where known.project_id = locked.project_id and known.series_id = locked.series_id
returning known.project_id, known.series_id
""",
        silent=f"""
select known.project_id, known.series_id from {of_series}
join {series} as known using (project_id, series_id) where not known.announced
""",
        past=f"""
insert into {running} (project_id, pair_id, at, series_id, started, ended)
select project_id, event_id, max(occurred_at), max(series_id), false, true
from {of_series} join {rows} as row using (project_id, series_id)
where row.occurred_at > $3 group by project_id, event_id order by project_id, event_id
on conflict (project_id, pair_id) do update set ended = true
""",
        known=f"""
select known.project_id, known.pair_id
from unnest($1::bigint[], $2::uuid[]) as given(project_id, pair_id)
join {running} as known using (project_id, pair_id) where known.started
""",
        note=f"""
insert into {running} as known
  (project_id, pair_id, at, series_id, external_id, started, ended)
select * from unnest($1::bigint[], $2::uuid[], $3::timestamptz[], $4::int[], $5::text[],
  $6::boolean[], $7::boolean[])
on conflict (project_id, pair_id) do update
set at = case when excluded.started then excluded.at else known.at end,
  external_id = coalesce(known.external_id, excluded.external_id),
  started = known.started or excluded.started, ended = known.ended or excluded.ended
""",
        forget=f"delete from {running} where project_id = any($1::bigint[]) and at <= $2",
    )


def is_running(fact: Append, now: Any) -> Any:
    """The condition that a row of the fact's running table still runs; `now` may be a parameter."""
    assert fact.running is not None
    c = fact.running.c
    return c.started & ~c.ended & (c.at > now - GIVEN_UP_AFTER)
