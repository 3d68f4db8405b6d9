"""The deployments that may have caused what alerts tell."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.lifecycle import Status


class Wanted(NamedTuple):
    """Where to look: a project, perhaps one environment of it, and when deployments finished.

    With ``failed`` only failed deployments count, or else only those that succeeded.
    """

    project_id: int
    environment: str | None
    since: datetime
    until: datetime
    failed: bool


async def last_deployments(connection: Connection, wanted: Sequence[Wanted]) -> list[UUID | None]:
    """Returns the last deployment of each place and time, in order."""
    rows = await connection.fetch(_LAST, *columns_of(wanted, 5))
    return [row["deployment_id"] for row in rows]


_LAST = f"""
select last.deployment_id
from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bool[])
  with ordinality as given(project_id, environment, since, until, failed, number)
left join lateral (
  select deployment_id from deployments
  where deployments.project_id = given.project_id
    and finished_at >= given.since and finished_at <= given.until
    and finish_status = case when failed then {int(Status.FAILED)} else {int(Status.SUCCEEDED)} end
    and (given.environment is null or deployments.environment = given.environment)
  order by finished_at desc limit 1) as last on true
order by number
"""
