"""What rules on events look at: entities and errors that the change feed names, as they are now."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.dimensions import OTHER
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Entity, Keep, Reach
from storage.facts.invocations import INVOCATIONS
from storage.rollups.tables import grain_table

# The project and the id of an entity or of an error.
Key = tuple[int, UUID]
# The most that is looked at where the feed does not say what changed.
_RECENT_AT_MOST = 100_000


async def entities(connection: Connection, fact: Entity, keys: Sequence[Key]) -> list[Any]:
    """Returns entities: their times, the status of their finish, and the names that they carry."""
    return list(await connection.fetch(_entities(fact), *columns_of(keys, 2)))


async def recent_entities(connection: Connection, fact: Entity, since: datetime) -> list[Key]:
    """Returns the keys of the entities that finished since then."""
    statement = (
        f"select project_id, {fact.id_column} from {fact.table.name}"
        f" where finished_at >= $1 order by finished_at desc limit {_RECENT_AT_MOST}"
    )
    return [tuple(row) for row in await connection.fetch(statement, since)]


async def running_deployments(
    connection: Connection, started: datetime, created: datetime
) -> list[Any]:
    """Returns the deployments that run since then or longer, of those created since ``created``."""
    return list(await connection.fetch(_RUNNING, started, created))


async def errors(connection: Connection, keys: Sequence[Key]) -> list[Any]:
    """Returns errors that are not part of another, as they are now."""
    return list(await connection.fetch(_ERRORS, *columns_of(keys, 2)))


async def recent_errors(connection: Connection, since: datetime) -> list[Key]:
    """Returns the keys of the errors that occurred since then."""
    return [tuple(row) for row in await connection.fetch(_RECENT_ERRORS, since)]


async def places_of_errors(
    connection: Connection, keys: Sequence[Key], since: datetime
) -> list[Any]:
    """Returns where errors occurred since an hour: ids by dimension, most occurrences first."""
    return list(await connection.fetch(_PLACES, *columns_of(keys, 2), since))


async def spread(connection: Connection, keys: Sequence[Key], since: datetime) -> list[Any]:
    """Returns the signatures of errors with the projects that have had them since."""
    return list(await connection.fetch(_SPREAD, *columns_of(keys, 2), since))


async def failing_functions(
    connection: Connection, project_ids: Collection[int], since: datetime
) -> list[Any]:
    """Returns the functions with failed invocations since a minute, by their dimensions' ids."""
    return list(await connection.fetch(_FUNCTIONS, list(project_ids), since))


@cache
def _entities(fact: Entity) -> str:
    names = ", ".join(dimension.name for dimension in fact.dimensions)
    return f"""
select project_id, {fact.id_column} as id, created_at, started_at, finished_at, finish_status,
  duration_us, error, {names}
from {fact.table.name}
join unnest($1::bigint[], $2::uuid[]) as given(project_id, id)
  using (project_id) where {fact.id_column} = given.id
"""


_names = ", ".join(dimension.name for dimension in DEPLOYMENTS.dimensions)
_RUNNING = f"""
select project_id, deployment_id as id, created_at, started_at, finished_at, finish_status,
  duration_us, error, {_names}
from deployments
where created_at >= $2 and created_at <= $1 and started_at <= $1 and finished_at is null
"""

_GIVEN = "unnest($1::bigint[], $2::uuid[]) as given(project_id, error_id)"
_ERRORS = f"""
select project_id, error_id, title, error_type, severity, first_at, last_at, occurrences,
  regressed_at
from errors join {_GIVEN} using (project_id, error_id) where merged_into is null
"""

_RECENT_ERRORS = f"""
select project_id, error_id from errors where last_at >= $1
order by last_at desc limit {_RECENT_AT_MOST}
"""

_ids = [dimension.column for dimension in ERROR_OCCURRENCES.dimensions]
_PLACES = f"""
select project_id, error_id, {", ".join(f"coalesce({id}, {OTHER}) as {id}" for id in _ids)}
from {_GIVEN}
join error_fingerprints using (project_id, error_id)
join error_hours using (project_id, fingerprint_id)
left join error_occurrence_series using (project_id, series_id)
where bucket >= $3
group by project_id, error_id, {", ".join(_ids)} order by sum(error_hours.occurrences) desc
"""

_SPREAD = f"""
with signatures as (
  select distinct signature from {_GIVEN} join error_fingerprints using (project_id, error_id))
select signature, array_agg(distinct project_id) as projects, max(last_at) as last_at,
  (array_agg(title order by last_at desc))[1] as title
from signatures join error_fingerprints using (signature)
where last_at >= $3 group by signature
"""

_minutes = grain_table(INVOCATIONS, INVOCATIONS.grain(Reach.PROJECT, Keep.MINUTE))
_finest = INVOCATIONS.cell(INVOCATIONS.dimensions)
_of_functions = ", ".join(INVOCATIONS.series_columns)
_FUNCTIONS = f"""
select project_id, {_of_functions}, max(bucket) as last_at, sum(errors)::bigint as errors
from {_minutes.name}
where project_id = any($1::bigint[]) and cell = {_finest.number} and bucket >= $2 and errors > 0
group by project_id, {_of_functions} order by last_at desc
"""
