"""Failures that several projects have: how many projects, and on which networks and templates."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.dimensions import OTHER
from storage.facts.deployments import DEPLOYMENTS


async def of_error(database: Database, project_id: int, error_id: UUID) -> list[UUID]:
    """Returns the signatures of an error's fingerprints."""
    rows = await database.fetch(_OF_ERROR, project_id=project_id, error_id=error_id)
    return [row["signature"] for row in rows]


async def spread(database: Database, signatures: Sequence[UUID], since: datetime) -> list[Any]:
    """Counts the projects of each signature since a day: in all, by network and by template.

    This reads all projects, so nothing but large enough counts may be shown of it.
    """
    return await database.fetch(_SPREAD, signatures=signatures, since=since)


async def most_spread(database: Database, start: datetime, end: datetime, first: int) -> list[Any]:
    """Returns the places of the signatures that most projects have; for admins."""
    return await database.fetch(_MOST_SPREAD, start=start, end=end, first=first)


async def population(database: Database, start: datetime, end: datetime) -> list[Any]:
    """Counts the projects with deployments or errors, by network and by template; for admins."""
    return await database.fetch(_POPULATION, start=start, end=end)


_OF_ERROR = SqlQuery(
    "signatures_of_error",
    text("""
select distinct signature from error_fingerprints
where project_id = :project_id and error_id = :error_id"""),
)

_SPREAD = SqlQuery(
    "spread_of_signatures",
    text(f"""
with found as (
  select signature, project_id, fingerprint_id, first_at from error_fingerprints
  where signature = any(cast(:signatures as uuid[])) and last_at >= :since),
places as (
  select distinct signature, project_id, network_id, template_id
  from found join error_days using (project_id, fingerprint_id)
  join error_occurrence_series using (project_id, series_id)
  where bucket >= :since)
select signature, null::text as kind, null::int as id,
  count(distinct project_id) as projects, min(first_at) as first_at
from found group by signature
union all
select signature, 'network', network_id, count(distinct project_id), null
from places where network_id > {OTHER} group by signature, network_id
union all
select signature, 'template', template_id, count(distinct project_id), null
from places where template_id > {OTHER} group by signature, template_id"""),
)

_PLACES = """
  select signature, project_id, fingerprint_id, network_id, template_id,
    sum(day.occurrences)::bigint as occurrences
  from error_days as day join error_fingerprints as known using (project_id, fingerprint_id)
  join error_occurrence_series using (project_id, series_id)
  where bucket >= :start and bucket < :end group by 1, 2, 3, 4, 5"""

_MOST_SPREAD = SqlQuery(
    "most_spread_signatures",
    text(f"""
with places as ({_PLACES}),
ranked as (
  select signature, count(distinct project_id) as projects, sum(occurrences) as whole
  from places group by signature order by 2 desc, 3 desc, 1 limit :first)
select places.*, errors.title, known.first_at
from ranked join places using (signature)
join error_fingerprints as known using (project_id, fingerprint_id)
join errors on errors.project_id = places.project_id and errors.error_id = known.error_id
order by ranked.projects desc, ranked.whole desc, signature, places.occurrences desc,
  places.project_id"""),
)

_POPULATION = SqlQuery(
    "projects_by_network_and_template",
    text(f"""
with places as (
  select project_id, network_id, template_id from deployment_project_day
  where cell = {DEPLOYMENTS.cell(DEPLOYMENTS.dimensions).number}
    and bucket >= :start and bucket < :end
  union
  select project_id, network_id, template_id from ({_PLACES}) as places)
select 'network' as kind, network_id as id, count(distinct project_id) as projects
from places group by network_id
union all
select 'template', template_id, count(distinct project_id) from places group by template_id"""),
)
