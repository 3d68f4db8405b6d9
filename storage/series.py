"""Series: a project's combinations of dimensions, of which a limited number is counted apart."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Integer, Table, UniqueConstraint

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.metadata import metadata

# The series of all combinations beyond the limit. It has no row; its dimensions read as "other".
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
    """The series ids of all dims, creating new ones; OVERFLOW beyond `at_most` for the project.

    Creating holds a lock on the project's series until the transaction ends, so callers with
    several projects go in ascending order of project_id.
    """
    wanted = set(dims)
    found = await _find(connection, project_id, wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        await connection.execute(_LOCK, project_id)
        await connection.execute(
            _ADMIT, project_id, at_most, *columns_of(missing, len(Dims._fields))
        )
        found |= await _find(connection, project_id, missing)
    return {combination: found.get(combination, OVERFLOW) for combination in wanted}


async def _find(connection: Connection, project_id: int, dims: Collection[Dims]) -> dict[Dims, int]:
    rows = await connection.fetch(_FIND, project_id, *columns_of(dims, len(Dims._fields)))
    return {Dims(*row[1:]): row[0] for row in rows}


_NAMES = ", ".join(Dims._fields)

_LOCK = "select pg_advisory_xact_lock(hashtextextended('series:' || $1::bigint, 0))"

_FIND = f"""
select series_id, {_NAMES} from series
join unnest($2::int[], $3::int[], $4::int[], $5::int[]) as wanted({_NAMES}) using ({_NAMES})
where project_id = $1
"""

# New ids follow the highest one; the first is OVERFLOW + 1.
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
