"""Releases: when each was first seen, and their order.

The order is by semantic version if both have one, else by when each was first seen.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from storage.connections.database import Connection
from storage.connections.query import columns_of

# Of a project; further ones are deleted by `trim`.
RELEASES_AT_MOST = 10_000

_VERSION = re.compile(
    r"v?(?P<numbers>\d{1,9}(\.\d{1,9}){0,3})(-(?P<early>[0-9A-Za-z.-]{1,100}))?(\+[\w.-]*)?"
)

# When each release of a project was first seen.
FirstSeen = Mapping[str, datetime]


class _Version(NamedTuple):
    package: str
    numbers: tuple[int, ...]
    early: tuple[tuple[bool, int, str], ...] | None  # None comes after any early version


def is_older(release: str, other: str, first_seen: FirstSeen) -> bool:
    """Whether a release came before another one of the same project.

    Names such as `shop@1.2.3-beta.1+45` are read as a package and a semantic version
    (https://semver.org, clause 11); they are compared only within a package. A release that was
    never seen comes after all that were: an error may be resolved in one that is yet to come.
    """
    if release == other:
        return False
    mine, its = _version(release), _version(other)
    if mine and its and mine.package == its.package and _rank(mine) != _rank(its):
        return _rank(mine) < _rank(its)
    seen, other_seen = first_seen.get(release), first_seen.get(other)
    return seen is not None and (other_seen is None or seen < other_seen)


@lru_cache(maxsize=10_000)
def _version(release: str) -> _Version | None:
    package, _, text = release.rpartition("@")
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    numbers = tuple(int(number) for number in found["numbers"].split("."))
    early = found["early"]
    parts = None if early is None else tuple(map(_part, early.split(".")))
    return _Version(package, (*numbers, 0, 0, 0)[:4], parts)


def _part(text: str) -> tuple[bool, int, str]:
    """Numbers come before words, and are compared as numbers."""
    return (False, int(text), "") if text.isdigit() else (True, 0, text)


def _rank(version: _Version) -> tuple[object, ...]:
    early = version.early
    return version.numbers, early is None, early or ()


async def note(connection: Connection, seen: Iterable[tuple[int, str | None, datetime]]) -> None:
    """Note when releases of projects were seen: the earliest time, and the latest UTC day.

    So a release that is in use is written once a day, not with each batch.
    """
    times: defaultdict[tuple[int, str], list[datetime]] = defaultdict(list)
    for project_id, release, at in seen:
        if release:
            times[project_id, release].append(at)
    rows = [(*key, min(at), max(at).astimezone(UTC).date()) for key, at in sorted(times.items())]
    if rows:
        await connection.execute(_NOTE, *columns_of(rows))


async def trim(connection: Connection, projects: list[int]) -> int:
    """Delete the releases of these projects that are too many; returns how many.

    Those that were used last stay, and those that people named in decisions: without them
    it would be unknown which occurrences are of older releases.
    """
    status: str = await connection.execute(_TRIM, projects, RELEASES_AT_MOST)
    return int(status.rsplit(maxsplit=1)[-1])


_NOTE = """
insert into releases as known (project_id, release, first_at, last_on)
select project_id, release, given.first_at, given.last_on
from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::date[])
  as given(project_id, release, first_at, last_on)
left join releases as noted using (project_id, release)
where noted.first_at is null or noted.first_at > given.first_at or noted.last_on < given.last_on
order by project_id, release
on conflict (project_id, release) do update
set first_at = least(known.first_at, excluded.first_at),
  last_on = greatest(known.last_on, excluded.last_on)
"""

_TRIM = """
with crowded as (
  select project_id from releases where project_id = any($1::bigint[])
  group by project_id having count(*) > $2),
past as (
  select crowded.project_id, oldest.release
  from crowded cross join lateral (
    select release from releases where releases.project_id = crowded.project_id
    order by last_on desc, first_at desc, release offset $2) as oldest),
decided as (
  select errors.project_id, given.release
  from crowded join errors using (project_id) cross join lateral (
    values (resolved_in), (resolved_after), (ignored_release)) as given(release)),
locked as (
  select project_id, release from releases join past using (project_id, release)
  where not exists (select from decided
    where decided.project_id = past.project_id and decided.release = past.release)
  order by project_id, release for update of releases)
delete from releases using locked
where releases.project_id = locked.project_id and releases.release = locked.release
"""
