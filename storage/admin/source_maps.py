"""The table of source maps: what was uploaded for each release of a project, compressed."""

from datetime import datetime
from typing import Any, NamedTuple

import zstandard
from sqlalchemy import BigInteger, Column, DateTime, Integer, LargeBinary, Table, Text

from storage.connections.database import Connection
from storage.metadata import metadata

FILE_BYTES = 50_000_000  # of a source map or a script
RELEASE_BYTES = 500_000_000  # of all files of a release, before compression
FILES_AT_MOST = 1_000  # of a release
RELEASES_AT_MOST = 20  # of a project; the oldest make room
_LEVEL = 3

source_maps = Table(
    "source_maps",
    metadata,
    Column("project_id", BigInteger, primary_key=True, autoincrement=False),
    Column("release", Text, primary_key=True),
    Column("url", Text, primary_key=True),  # of the script that the map is for
    # Both are compressed. The script itself serves to find the names of functions.
    Column("map", LargeBinary),
    Column("script", LargeBinary),
    Column("map_bytes", Integer, nullable=False),
    Column("script_bytes", Integer, nullable=False),
    Column("problem", Text),  # why the map could not be applied
    Column("uploaded_by", Text, nullable=False),
    # Rises with each upload to a project, also where the clocks of processes differ.
    Column("uploaded_at", DateTime(timezone=True), nullable=False),
)


class Place(NamedTuple):
    """The script of a release that a file belongs to."""

    project_id: int
    release: str
    url: str


class Upload(NamedTuple):
    """A file: the map of a script, or the script itself."""

    place: Place
    is_map: bool
    content: bytes  # compressed
    size_bytes: int
    by: str


class SourceMap(NamedTuple):
    """What is stored for a script, without the contents."""

    release: str
    url: str
    map_bytes: int
    script_bytes: int
    problem: str | None
    uploaded_by: str
    uploaded_at: datetime


def compressed(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=_LEVEL).compress(content)


def decompressed(content: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(content, max_output_size=FILE_BYTES)


async def store(connection: Connection, upload: Upload, now: datetime) -> bool:
    """Store a file in place of an earlier one; returns false if its release has no room."""
    place = upload.place
    await connection.execute(_LOCK, place.project_id)
    used = await connection.fetchrow(_USED, *place)
    before = used["map_before" if upload.is_map else "script_before"]
    is_full = not used["is_known"] and used["files"] >= FILES_AT_MOST
    if is_full or used["size_bytes"] - before + upload.size_bytes > RELEASE_BYTES:
        return False
    sizes = (upload.size_bytes, 0) if upload.is_map else (0, upload.size_bytes)
    contents = (upload.content, None) if upload.is_map else (None, upload.content)
    await connection.execute(_STORE, *place, *contents, *sizes, upload.by, now)
    return True


async def make_room(connection: Connection, place: Place) -> list[str]:
    """Delete the oldest releases beside that of the place if there are too many; returns them."""
    rows = await connection.fetch(_MAKE_ROOM, place.project_id, place.release, RELEASES_AT_MOST - 1)
    return sorted({row["release"] for row in rows})


async def delete(connection: Connection, project_id: int, release: str, url: str | None) -> int:
    """Delete the files of a script, or of all scripts of a release; returns how many scripts."""
    status: str = await connection.execute(_DELETE, project_id, release, url)
    return int(status.rpartition(" ")[2])


async def find(connection: Connection, project_id: int, release: str | None) -> list[SourceMap]:
    """The files of a release, or of all; the last uploads, at most FILES_AT_MOST."""
    rows = await connection.fetch(_FIND, project_id, release, FILES_AT_MOST)
    return [SourceMap(**row) for row in rows]


async def urls(connection: Connection, project_id: int, release: str) -> set[str]:
    """The scripts of a release that have a map without a problem."""
    return {row["url"] for row in await connection.fetch(_URLS, project_id, release)}


async def contents(connection: Connection, place: Place) -> tuple[bytes, bytes] | None:
    """The compressed map and script of a place; the script is empty if there is none."""
    row: Any = await connection.fetchrow(_CONTENTS, *place)
    return None if row is None else (row["map"], row["script"])


async def mark(connection: Connection, place: Place, problem: str) -> None:
    """Store why a map cannot be applied."""
    await connection.execute(_MARK, *place, problem)


_LOCK = "select pg_advisory_xact_lock(hashtextextended('source_maps:' || $1::bigint, 0))"

_USED = """
select count(*) as files, coalesce(sum(map_bytes::bigint + script_bytes), 0)::bigint as size_bytes,
  coalesce(max(map_bytes) filter (where url = $3), 0) as map_before,
  coalesce(max(script_bytes) filter (where url = $3), 0) as script_before,
  count(*) filter (where url = $3) > 0 as is_known
from source_maps where project_id = $1 and release = $2
"""

_STORE = """
insert into source_maps as stored
  (project_id, release, url, map, script, map_bytes, script_bytes, uploaded_by, uploaded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, greatest($9::timestamptz, (
  select max(uploaded_at) + interval '1 microsecond' from source_maps where project_id = $1)))
on conflict (project_id, release, url) do update
set map = coalesce(excluded.map, stored.map), script = coalesce(excluded.script, stored.script),
    map_bytes = case when excluded.map is null then stored.map_bytes else excluded.map_bytes end,
    script_bytes =
      case when excluded.script is null then stored.script_bytes else excluded.script_bytes end,
    problem = null, uploaded_by = excluded.uploaded_by, uploaded_at = excluded.uploaded_at
"""

_MAKE_ROOM = """
delete from source_maps where project_id = $1 and release in (
  select release from source_maps where project_id = $1 and release <> $2
  group by release order by max(uploaded_at) desc offset $3)
returning release
"""

_DELETE = """
delete from source_maps
where project_id = $1 and release = $2 and ($3::text is null or url = $3)
"""

_FIND = """
select release, url, map_bytes, script_bytes, problem, uploaded_by, uploaded_at
from source_maps where project_id = $1 and ($2::text is null or release = $2)
order by uploaded_at desc, url limit $3
"""

_URLS = """
select url from source_maps
where project_id = $1 and release = $2 and map is not null and problem is null
"""

_CONTENTS = """
select map, coalesce(script, '') as script from source_maps
where project_id = $1 and release = $2 and url = $3 and map is not null
"""

_MARK = """
update source_maps set problem = $4 where project_id = $1 and release = $2 and url = $3
"""
