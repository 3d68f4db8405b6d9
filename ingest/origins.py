"""Finds the deployment of an event: the one that it names, else that of its release."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.connections.database import Database
from storage.connections.query import columns_of
from storage.recent import Fresh

# A deployment's events may come after the first errors; what was found is asked again after this.
_FRESH_SECONDS = 15.0
_REMEMBERED_AT_MOST = 5_000
# Of the deployments of one release, the newest are looked at.
_NEWEST = 20


class Clue(NamedTuple):
    """What an event says of its deployment: its id, or its release and environment."""

    project_id: int
    deployment_id: UUID | None
    release: str | None
    environment: str | None


class Origin(NamedTuple):
    """A deployment, and the network and template that it named."""

    deployment_id: UUID
    created_at: datetime
    network: str | None
    template: str | None


class Origins:
    """Looks up deployments for events, and remembers them for some seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = Fresh[Clue, list[Origin]](_REMEMBERED_AT_MOST)

    async def find(self, clues: Iterable[Clue]) -> dict[Clue, list[Origin]]:
        """The deployments that each clue may mean, newest first."""
        usable = {clue for clue in clues if clue.deployment_id or clue.release}
        return await self._known.find(usable, _FRESH_SECONDS, self._read, [])

    async def _read(self, unsorted: set[Clue]) -> dict[Clue, list[Origin]]:
        found: dict[Clue, list[Origin]] = {}
        clues = sorted(unsorted, key=str)
        by_id = [clue for clue in clues if clue.deployment_id]
        by_release = [clue for clue in clues if not clue.deployment_id]
        async with self._database.connection() as connection:
            for statement, wanted in ((_BY_ID, by_id), (_BY_RELEASE, by_release)):
                if wanted:
                    places = [(place, *clue) for place, clue in enumerate(wanted)]
                    for row in await connection.fetch(statement, *columns_of(places)):
                        origins = found.setdefault(wanted[row["place"]], [])
                        if len(origins) < _NEWEST:
                            origins.append(Origin(*list(row.values())[1:]))
        return found


def origin_at(origins: Iterable[Origin], at: datetime) -> Origin | None:
    """The newest deployment that existed at a time; else the oldest, whose events came late."""
    oldest = None
    for origin in origins:
        if origin.created_at <= at:
            return origin
        oldest = origin
    return oldest


_GIVEN = (
    "unnest($1::int[], $2::bigint[], $3::uuid[], $4::text[], $5::text[])"
    " as given(place, project_id, deployment_id, release, environment)"
)

_BY_ID = f"""
select given.place, known.deployment_id, known.created_at, known.network, known.template
from {_GIVEN} join deployments as known using (project_id, deployment_id)
where known.created_at is not null
"""

_BY_RELEASE = f"""
select given.place, known.deployment_id, known.created_at, known.network, known.template
from {_GIVEN} cross join lateral (
  select deployment_id, created_at, network, template from deployments
  where project_id = given.project_id and release = given.release and created_at is not null
    and (given.environment is null or environment = given.environment)
  order by created_at desc limit {_NEWEST}) as known
order by given.place, known.created_at desc
"""
