"""What happened in a range to entities, errors and functions, for the back-tests of alert rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import text

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.dimensions import OTHER
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Entity, Keep, Reach
from storage.facts.invocations import INVOCATIONS
from storage.facts.lifecycle import Status
from storage.queries.scoping import ProjectScope, ScopeSize, allowed_text, fetch_within
from storage.rollups.tables import grain_table


class Past:
    """Reads the newest rows of a range within a scope, at most so many."""

    def __init__(
        self, database: Database, scope: ProjectScope, start: datetime, end: datetime, most: int
    ) -> None:
        self._database = database
        self._scope = scope
        self._start, self._end, self._most = start, end, most

    async def failed(self, fact: Entity) -> list[Any]:
        """The entities that failed."""
        return await self._fetch(_failed, fact)

    async def slow(self, after: timedelta, created: datetime) -> list[Any]:
        """The deployments created since then that took so long, or have not finished."""
        return await self._fetch(_slow, after=after, created=created)

    async def errors(self, column: str) -> list[Any]:
        """The errors of which this time, `first_at` or `regressed_at`, is in the range."""
        return await self._fetch(_errors, column)

    async def places(self, keys: Sequence[tuple[int, Any, datetime]]) -> list[Any]:
        """Where errors occurred in an hour: ids by dimension, most occurrences first."""
        columns = zip(*keys, strict=True) if keys else ((), (), ())
        given = dict(zip(("projects", "errors", "hours"), map(list, columns), strict=True))
        return await fetch_within(self._database, self._scope, _places, **given)

    async def critical_hours(self, severities: Sequence[int]) -> list[Any]:
        """The hours in which errors occurred with one of these ids of severities, with places."""
        condition = "severity_id = any(cast(:severities as int[])) and bucket < :end"
        return await self._fetch(_hours, condition, severities=list(severities))

    async def hours_of_frequent(self, count: int) -> list[Any]:
        """The hours from the start until now of errors with so many occurrences, with places."""
        given = {"start": self._start, "most": self._most, "count": count}
        return await fetch_within(self._database, self._scope, _hours, _FREQUENT, **given)

    async def failing_functions(self, keep: Keep) -> list[Any]:
        """The failed invocations of functions, by bucket and their dimensions' ids."""
        return await self._fetch(_functions, keep)

    async def spread(self, count: int) -> list[Any]:
        """The hours in which so many projects had a signature, and which they were."""
        return await self._fetch(_spread, count=count)

    async def _fetch(self, build: Any, *shapes: Any, **more: Any) -> list[Any]:
        given = {"start": self._start, "end": self._end, "most": self._most, **more}
        return await fetch_within(self._database, self._scope, build, *shapes, **given)


def _entity_columns(fact: Entity) -> str:
    names = ", ".join(dimension.name for dimension in fact.dimensions)
    return f"""project_id, {fact.id_column} as id, created_at, started_at, finished_at,
  finish_status, duration_us, {names}"""


@lru_cache
def _failed(size: ScopeSize, fact: Entity) -> SqlQuery:
    table = fact.table.name
    return SqlQuery(
        f"failed_{table}",
        text(f"""
select {_entity_columns(fact)} from {table}
where {allowed_text(size, table)} and finish_status = {int(Status.FAILED)}
  and finished_at >= :start and finished_at < :end
order by finished_at desc limit :most"""),
    )


_BEGAN = "coalesce(finished_at - duration_us * interval '1 microsecond', started_at)"


@lru_cache
def _slow(size: ScopeSize) -> SqlQuery:
    return SqlQuery(
        "slow_deployments",
        text(f"""
select {_entity_columns(DEPLOYMENTS)}, {_BEGAN} as began_at from deployments
where {allowed_text(size, "deployments")} and created_at >= :created and created_at < :end
  and {_BEGAN} is not null
  and (finished_at is null or finished_at - {_BEGAN} >= cast(:after as interval))
  and coalesce(finished_at, 'infinity') >= :start
order by began_at desc limit :most"""),
    )


_ERROR = """error.project_id, error.error_id, error.title, error.error_type, error.severity,
  error.first_at, error.last_at, error.occurrences, error.regressed_at, error.regressions"""


@lru_cache
def _errors(size: ScopeSize, column: str) -> SqlQuery:
    return SqlQuery(
        f"errors_by_{column}",
        text(f"""
select {_ERROR} from errors as error
where {allowed_text(size, "error")} and merged_into is null and last_at >= :start
  and {column} >= :start and {column} < :end
order by {column} desc limit :most"""),
    )


_IDS = [dimension.column for dimension in ERROR_OCCURRENCES.dimensions]
_SERIES = ", ".join(f"coalesce(series.{id}, {OTHER}) as {id}" for id in _IDS)
_JOINED = """
join error_fingerprints as known on known.project_id = hour.project_id
  and known.fingerprint_id = hour.fingerprint_id
left join error_occurrence_series as series on series.project_id = hour.project_id
  and series.series_id = hour.series_id"""


@lru_cache
def _places(size: ScopeSize) -> SqlQuery:
    return SqlQuery(
        "places_of_errors_by_hour",
        text(f"""
select given.project_id, given.error_id, {_SERIES}, sum(hour.occurrences)::bigint as occurrences
from unnest(cast(:projects as bigint[]), cast(:errors as uuid[]), cast(:hours as timestamptz[]))
  as given(project_id, error_id, bucket)
join error_fingerprints as known on known.project_id = given.project_id
  and known.error_id = given.error_id
join error_hours as hour on hour.project_id = known.project_id
  and hour.fingerprint_id = known.fingerprint_id and hour.bucket = given.bucket
left join error_occurrence_series as series on series.project_id = hour.project_id
  and series.series_id = hour.series_id
where {allowed_text(size, "hour")}
group by given.project_id, given.error_id, {", ".join(f"series.{id}" for id in _IDS)}
order by sum(hour.occurrences) desc"""),
    )


_FREQUENT = "error.occurrences >= :count"


@lru_cache
def _hours(size: ScopeSize, condition: str) -> SqlQuery:
    return SqlQuery(
        "hours_of_errors",
        text(f"""
select {_ERROR}, hour.bucket, {_SERIES}, hour.occurrences as number
from error_hours as hour {_JOINED}
join errors as error on error.project_id = known.project_id and error.error_id = known.error_id
where {allowed_text(size, "hour")} and error.merged_into is null and hour.bucket >= :start
  and {condition}
order by hour.bucket desc limit :most"""),
    )


_CELL = INVOCATIONS.cell(INVOCATIONS.dimensions).number


@lru_cache
def _functions(size: ScopeSize, keep: Keep) -> SqlQuery:
    buckets = grain_table(INVOCATIONS, INVOCATIONS.grain(Reach.PROJECT, keep)).name
    return SqlQuery(
        f"failing_functions_by_{keep}",
        text(f"""
select project_id, {", ".join(INVOCATIONS.series_columns)}, bucket as last_at, errors
from {buckets} as given
where {allowed_text(size, "given")} and cell = {_CELL} and bucket >= :start and bucket < :end
  and errors > 0
order by bucket desc limit :most"""),
    )


@lru_cache
def _spread(size: ScopeSize) -> SqlQuery:
    return SqlQuery(
        "spread_by_hour",
        text(f"""
select known.signature, hour.bucket, array_agg(distinct hour.project_id) as projects,
  (array_agg(known.title order by known.last_at desc))[1] as title
from error_hours as hour
join error_fingerprints as known on known.project_id = hour.project_id
  and known.fingerprint_id = hour.fingerprint_id
where {allowed_text(size, "hour")} and hour.bucket >= :start and hour.bucket < :end
group by known.signature, hour.bucket having count(distinct hour.project_id) >= :count
order by hour.bucket desc limit :most"""),
    )
