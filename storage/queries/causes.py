"""What the search for an error's cause reads: deployments, series and releases."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.error_groups.tables import Facet
from storage.facts.lifecycle import Status

# The most deployments that are looked at; more are too many to tell one from another.
MOST_DEPLOYMENTS = 2_000

_FINGERPRINTS = """(select fingerprint_id from error_fingerprints
  where project_id = :project_id and error_id = :error_id)"""


async def deployments(
    database: Database, project_id: int, start: datetime, end: datetime
) -> list[Any]:
    """Returns the deployments that succeeded in a time, the newest first.

    `previous_id` is the deployment before it to the same environment, network and template.
    """
    return await database.fetch(_DEPLOYMENTS, project_id=project_id, start=start, end=end)


async def origins(
    database: Database, key: tuple[int, UUID], start: datetime, end: datetime
) -> list[Any]:
    """Returns the environments, networks and templates in which an error occurred."""
    return await database.fetch(_ORIGINS, **_of(key), start=start, end=end)


async def releases(database: Database, key: tuple[int, UUID]) -> list[Any]:
    """Returns the releases of a project that have an error, or came first of all."""
    return await database.fetch(_RELEASES, **_of(key))


def _of(key: tuple[int, UUID]) -> dict[str, Any]:
    return {"project_id": key[0], "error_id": key[1]}


_DEPLOYMENTS = SqlQuery(
    "deployments_before_error",
    text(f"""
select deployment_id, finished_at, release, environment_id, network_id, template_id,
  lag(deployment_id) over (partition by environment_id, network_id, template_id
    order by finished_at, deployment_id desc) as previous_id
from deployments join deployment_series using (project_id, series_id)
where project_id = :project_id and finished_at >= :start and finished_at <= :end
  and finish_status = {int(Status.SUCCEEDED)}
order by finished_at desc, deployment_id limit {MOST_DEPLOYMENTS}"""),
)

_ORIGINS = SqlQuery(
    "origins_of_error",
    text(f"""
select distinct environment_id, network_id, template_id
from error_hours join error_occurrence_series using (project_id, series_id)
where project_id = :project_id and fingerprint_id in {_FINGERPRINTS}
  and bucket >= :start and bucket < :end"""),
)

_RELEASES = SqlQuery(
    "releases_of_error",
    text(f"""
select release, first_at, exists (select from error_facets as facet
  where facet.project_id = :project_id and facet.fingerprint_id in {_FINGERPRINTS}
    and facet.facet = {int(Facet.RELEASE)} and facet.value = release) as has_error
from releases where project_id = :project_id
order by first_at limit 10000"""),
)
