"""Finds the deployment of an occurrence: the one that it names, else that of its release."""

from collections.abc import Iterable
from datetime import datetime
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from storage.connections.database import Database
from storage.connections.query import columns_of
from storage.recent import Recent

# A deployment's events may come after the first errors; what was found is asked again after this.
_FRESH_SECONDS = 15.0
_REMEMBERED_AT_MOST = 20_000
# Of the deployments of one release, the newest are looked at.
_NEWEST = 20


class Clue(NamedTuple):
    """What an occurrence says of its deployment: its id, or its release and environment."""

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


_Known = tuple[float, list[Origin]]


class Origins:
    """Looks up deployments for occurrences, and remembers them for some seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = Recent[Clue, _Known](_REMEMBERED_AT_MOST)

    async def find(self, clues: Iterable[Clue]) -> dict[Clue, list[Origin]]:
        """The deployments that each clue may mean, newest first."""
        now = monotonic()
        found: dict[Clue, list[Origin]] = {}
        missing: set[Clue] = set()
        for clue in set(clues):
            known = self._known.get(clue)
            if known is not None and now - known[0] < _FRESH_SECONDS:
                found[clue] = known[1]
            elif clue.deployment_id or clue.release:
                missing.add(clue)
        if missing:
            read = await self._read(sorted(missing, key=str))
            for clue in missing:
                self._known[clue] = now, read.get(clue, [])
                found[clue] = read.get(clue, [])
        return found

    async def _read(self, clues: list[Clue]) -> dict[Clue, list[Origin]]:
        found: dict[Clue, list[Origin]] = {}
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
