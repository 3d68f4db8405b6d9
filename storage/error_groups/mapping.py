"""Bodies of errors whose frames wait for source maps.

`maps_after` says that a body may gain by source maps uploaded after that time; null if by none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from storage.connections.database import Connection
from storage.connections.query import columns_of


@dataclass(frozen=True, slots=True)
class WaitingBody:
    """A body whose release has source maps that were uploaded since it was last looked at."""

    project_id: int
    occurred_at: datetime
    event_id: UUID
    release: str
    uploaded_at: datetime  # the last source map of the release
    version: int  # changes with each change of the row
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MappedBody:
    """A body after source maps were applied."""

    waiting: WaitingBody
    search: str
    maps_after: datetime | None


async def find_waiting(connection: Connection, count: int) -> list[WaitingBody]:
    """At most so many bodies, release by release."""
    return [WaitingBody(**row) for row in await connection.fetch(_WAITING, count)]


async def store(connection: Connection, mapped: Sequence[MappedBody]) -> None:
    """Store bodies; one that was changed or deleted meanwhile is left alone."""
    rows = [
        (
            each.waiting.project_id,
            each.waiting.occurred_at,
            each.waiting.event_id,
            each.waiting.version,
            orjson.dumps(each.waiting.body).decode(),
            each.search,
            each.maps_after,
        )
        for each in mapped
    ]
    await connection.execute(_STORE, *columns_of(rows, 7))


_WAITING = """
select body.project_id, body.occurred_at, body.event_id, ready.release, ready.uploaded_at,
  body.version, body.body
from (
  select project_id, release, max(uploaded_at) as uploaded_at
  from source_maps group by project_id, release) as ready
cross join lateral (
  select project_id, occurred_at, event_id, body, xmin::text::bigint as version
  from error_bodies
  where project_id = ready.project_id and body ->> 'release' = ready.release
    and maps_after < ready.uploaded_at
  limit $1) as body
order by ready.project_id, ready.release limit $1
"""

_STORE = """
update error_bodies as stored
set body = given.body::jsonb, search = to_tsvector('simple', given.search),
    maps_after = given.maps_after
from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::text[], $6::text[],
    $7::timestamptz[])
  as given(project_id, occurred_at, event_id, version, body, search, maps_after)
where stored.project_id = given.project_id and stored.occurred_at = given.occurred_at
  and stored.event_id = given.event_id and stored.xmin::text::bigint = given.version
"""
