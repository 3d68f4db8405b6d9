"""What runs now: starts without an end, of append facts whose events report starts too.

A start and its end have an id in common and arrive in any order, each perhaps several times. Ends
are noted here only of series that have announced starts, so that a start after its end opens
nothing, and sources without starts cost nothing.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.fact import Append

# What has not ended by then is given up: it counts neither as running nor as completed.
GIVEN_UP_AFTER = timedelta(minutes=15)


class Mark(NamedTuple):
    """A start, or the end of what the start with the same pair id began.

    `external_id` is the sender's id.
    """

    project_id: int
    pair_id: UUID
    at: datetime
    series_id: int
    external_id: str | None


# Project and series.
SeriesKey = tuple[int, int]


async def begin(
    connection: Connection, fact: Append, starts: Collection[Mark], now: datetime
) -> set[tuple[int, UUID]]:
    """Store starts; returns the (project, pair) ids of those that are known already."""
    recent = [start for start in starts if start.at > now - GIVEN_UP_AFTER]
    if not recent:
        return set()
    statements = _statements(fact)
    series = sorted({(start.project_id, start.series_id) for start in recent})
    since = now - GIVEN_UP_AFTER
    await connection.execute(statements.announce, *columns_of(series, 2), since)
    stored = await connection.fetch(statements.begin, *_columns(recent))
    await _forget(connection, fact, {start.project_id for start in recent}, now)
    return {(s.project_id, s.pair_id) for s in recent} - {tuple(row) for row in stored}


async def announced(
    connection: Connection, fact: Append, series: Collection[SeriesKey]
) -> set[SeriesKey]:
    """The series of which starts have been reported, and every series without a row."""
    rows = await connection.fetch(_statements(fact).silent, *columns_of(sorted(series), 2))
    return set(series) - {tuple(row) for row in rows}


async def end(connection: Connection, fact: Append, ends: Collection[Mark], now: datetime) -> None:
    """Note the ends, after GIVEN_UP_AFTER ago, of events just stored, of announced series."""
    if ends:
        await connection.execute(_statements(fact).end, *_columns(ends))
        await _forget(connection, fact, {each.project_id for each in ends}, now)


async def _forget(
    connection: Connection, fact: Append, projects: Collection[int], now: datetime
) -> None:
    await connection.execute(_statements(fact).forget, sorted(projects), now - GIVEN_UP_AFTER)


def _columns(marks: Collection[Mark]) -> list[list[Any]]:
    """The columns of one mark of each pair, in the order of their keys."""
    known = {mark[:2]: mark for mark in marks}
    return columns_of(known[key] for key in sorted(known))


class _Statements(NamedTuple):
    announce: str
    silent: str
    begin: str
    end: str
    forget: str


@cache
def _statements(fact: Append) -> _Statements:
    assert fact.running is not None
    running, series, rows = fact.running.name, fact.series.name, fact.table.name
    marks = (
        "unnest($1::bigint[], $2::uuid[], $3::timestamptz[], $4::int[], $5::text[])"
        " as given(project_id, pair_id, at, series_id, external_id)"
    )
    return _Statements(
        # The rows of series that announce a start for the first time are ends of later ones.
        announce=f"""
with first as (
  update {series} as known set announced = true
  from unnest($1::bigint[], $2::int[]) as given(project_id, series_id)
  where known.project_id = given.project_id and known.series_id = given.series_id
    and not known.announced
  returning known.project_id, known.series_id)
insert into {running} (project_id, pair_id, at, series_id, started, ended)
select project_id, event_id, max(occurred_at), max(series_id), false, true
from first join {rows} as row using (project_id, series_id)
where row.occurred_at > $3 group by project_id, event_id order by project_id, event_id
on conflict (project_id, pair_id) do update set ended = true
""",
        silent=f"""
select known.project_id, known.series_id
from unnest($1::bigint[], $2::int[]) as given(project_id, series_id)
join {series} as known using (project_id, series_id) where not known.announced
""",
        begin=f"""
insert into {running} as known
  (project_id, pair_id, at, series_id, external_id, started, ended)
select given.*, true, false from {marks}
on conflict (project_id, pair_id) do update set started = true, at = excluded.at
where not known.started
returning project_id, pair_id
""",
        end=f"""
insert into {running} as known
  (project_id, pair_id, at, series_id, external_id, started, ended)
select given.*, false, true from {marks}
on conflict (project_id, pair_id) do update set ended = true
""",
        forget=f"delete from {running} where project_id = any($1::bigint[]) and at <= $2",
    )


def is_running(fact: Append, now: Any) -> Any:
    """The condition that a row of the fact's running table still runs; `now` may be a parameter."""
    assert fact.running is not None
    c = fact.running.c
    return c.started & ~c.ended & (c.at > now - GIVEN_UP_AFTER)
