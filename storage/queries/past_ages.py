"""Since when and until when rows had an age, for the back-tests of alert rules over ages."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import text

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.dimensions import OTHER
from storage.facts.fact import Age, Entity
from storage.queries.scoping import ProjectScope, ScopeSize, allowed_text, fetch_within


async def standings(
    database: Database,
    scope: ProjectScope,
    kind: tuple[Entity, Age],
    times: tuple[datetime, datetime, datetime],
    lasting: timedelta,
    most: int,
) -> list[Any]:
    """The newest rows that had an age in a time, with what tells when: see `storage.queries.ages`.

    A row has it after ``began`` and up to ``ended``, since ``since``; of what runs, in ranges that
    begin up to ``created``. ``times`` are the earliest creation, the start and the end. What ran
    for less than ``lasting`` is left out.
    """
    created, start, end = times
    given = {"start": start, "end": end, "most": most}
    if kind[1] is Age.RUNNING:
        given |= {"created": created, "lasting": lasting}
    return await fetch_within(database, scope, _STATEMENTS[kind[1]], kind[0], **given)


def _places(fact: Entity) -> str:
    ids = (dimension.column for dimension in fact.dimensions)
    return ", ".join(f"coalesce(series.{id}, {OTHER}) as {id}" for id in ids)


def _of_series(fact: Entity, rows: str) -> str:
    return f"""{rows} as given left join {fact.series.name} as series
  on series.project_id = given.project_id and series.series_id = given.series_id"""


@lru_cache
def _running(size: ScopeSize, fact: Entity) -> SqlQuery:
    table, rank = fact.table.name, fact.lifecycle.finish_rank
    ended = f"least(finished_at, case when state_rank >= {rank} then state_at end)"
    rows = f"""(
  select project_id, series_id, started_at, created_at, {ended} as ended from {table}
  where {allowed_text(size, table)} and created_at >= :created and created_at < :end
    and started_at < :end)"""
    return SqlQuery(
        f"running_{table}",
        text(f"""
select given.project_id, {_places(fact)}, started_at as since, started_at as began, ended,
  given.created_at as created
from {_of_series(fact, rows)}
where (ended is null or ended >= :start and ended - started_at >= cast(:lasting as interval))
order by given.created_at desc limit :most"""),
    )


@lru_cache
def _in_force(size: ScopeSize, fact: Entity) -> SqlQuery:
    assert fact.expiry is not None
    table, expiry = fact.table.name, fact.expiry
    statuses = ", ".join(str(int(each)) for each in expiry.statuses)
    rows = f"""(
  select project_id, series_id, {expiry.column} as since, finished_at,
    least(case when status not in ({statuses}) then state_at end, lead(finished_at) over (
      partition by project_id, {expiry.of.name}, {expiry.within.name}
      order by finished_at, {fact.id_column})) as ended
  from {table}
  where {allowed_text(size, table)} and finish_status in ({statuses}) and finished_at < :end)"""
    return SqlQuery(
        f"in_force_{table}",
        text(f"""
select given.project_id, {_places(fact)}, since, finished_at as began, ended,
  null::timestamptz as created
from {_of_series(fact, rows)}
where since is not null and (ended is null or ended >= :start)
order by finished_at desc limit :most"""),
    )


_STATEMENTS = {Age.RUNNING: _running, Age.EXPIRY: _in_force}
