"""Series: the combinations of dimensions a project may be counted by, admitted up to a cap."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Integer, Table, UniqueConstraint

from storage.connections.database import Connection
from storage.metadata import metadata

# A project's series 1 has no row: every dimension of it reads as "other".
OVERFLOW = 1
SERIES_AT_MOST = 500


class Dims(NamedTuple):
    environment_id: int
    network_id: int
    template_id: int
    framework_id: int


series = Table(
    "series",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    *(Column(name, Integer, nullable=False) for name in Dims._fields),
    UniqueConstraint("project_id", *Dims._fields, name="series_dimensions_key"),
)


async def admit(
    connection: Connection,
    project_id: int,
    dims: Iterable[Dims],
    *,
    at_most: int = SERIES_AT_MOST,
) -> dict[Dims, int]:
    """The series ids of all dims; new ones are created until the project has its cap of series.

    Creating holds a lock on the project's series until the transaction ends. Callers with several
    projects go in ascending order of project_id.
    """
    wanted = set(dims)
    found = await _find(connection, project_id, wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        await connection.execute(_LOCK, project_id)
        await connection.execute(_ADMIT, project_id, at_most, *_arrays(missing))
        found |= await _find(connection, project_id, missing)
    return {each: found.get(each, OVERFLOW) for each in wanted}


async def _find(connection: Connection, project_id: int, dims: Iterable[Dims]) -> dict[Dims, int]:
    rows = await connection.fetch(_FIND, project_id, *_arrays(dims))
    return {Dims(*row[1:]): row[0] for row in rows}


def _arrays(dims: Iterable[Dims]) -> list[list[int]]:
    columns = list(zip(*dims, strict=True))
    return [list(column) for column in columns] or [[] for _ in Dims._fields]


_NAMES = ", ".join(Dims._fields)

_LOCK = "select pg_advisory_xact_lock(hashtextextended('series:' || $1::bigint, 0))"

_FIND = f"""
select series_id, {_NAMES} from series
join unnest($2::int[], $3::int[], $4::int[], $5::int[]) as wanted({_NAMES}) using ({_NAMES})
where project_id = $1
"""

# Ids go on from the highest, after the one that means overflow.
_ADMIT = f"""
insert into series (project_id, series_id, {_NAMES})
select $1, last.series_id + new.position, {_NAMES}
from (select coalesce(max(series_id), {OVERFLOW}) as series_id from series where project_id = $1)
    as last,
  (select row_number() over (order by wanted.*) as position, wanted.*
   from unnest($3::int[], $4::int[], $5::int[], $6::int[]) as wanted({_NAMES})
   where not exists (select 1 from series where project_id = $1
     and (series.environment_id, series.network_id, series.template_id, series.framework_id)
       = (wanted.environment_id, wanted.network_id, wanted.template_id, wanted.framework_id))
  ) as new
where last.series_id + new.position <= {OVERFLOW} + $2
"""
