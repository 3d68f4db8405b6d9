"""What people decide about errors: their status, whom they are assigned to, and comments."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import reduce
from typing import NamedTuple
from uuid import UUID

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.error_groups.locking import GIVEN_ERRORS, lock_errors
from storage.error_groups.releases import is_older
from storage.error_groups.reopening import judge_stored
from storage.error_groups.tables import ErrorStatus
from storage.facts.content import Key
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.feed.counters import record

COMMENTS_AT_MOST = 1_000
# The newest release is one of so many that were seen last.
_COMPARED = 100


class Decision(NamedTuple):
    """A status, and what ends it; without that, it ends with the next occurrence, or never."""

    status: ErrorStatus
    resolved_in: str | None = None
    after: Mapping[int, str] = {}  # resolved in or ignored until the next release, by project
    ignored_until: datetime | None = None
    ignored_for: int | None = None  # so many more occurrences


async def decide(
    connection: Connection, keys: Collection[Key], decision: Decision, by: str, now: datetime
) -> Collection[Key]:
    """Give errors a status, unless they have become part of others; returns their keys.

    What occurs meanwhile waits for the lock, and what was stored with a later time counts too.
    """
    await lock_errors(connection, keys)
    status, fixed_in, after, until, more = decision
    releases = columns_of(after.items(), 2)
    what = int(status), now, by, fixed_in, until, more
    await connection.execute(_DECIDE, *columns_of(keys, 2), *what, *releases)
    await judge_stored(connection, keys, now, now)
    return keys


async def newest_releases(connection: Connection, project_ids: Collection[int]) -> dict[int, str]:
    """The newest release of each project that has one."""
    by_project: defaultdict[int, dict[str, datetime]] = defaultdict(dict)
    for row in await connection.fetch(_LATEST, list(project_ids), _COMPARED):
        by_project[row["project_id"]][row["release"]] = row["first_at"]
    return {
        project_id: reduce(lambda one, other: other if is_older(one, other, seen) else one, seen)
        for project_id, seen in by_project.items()
    }


async def assign(
    connection: Connection, keys: Collection[Key], subject: str | None
) -> Collection[Key]:
    """Assign errors to somebody, or to nobody; returns their keys."""
    await lock_errors(connection, keys)
    await connection.execute(_ASSIGN, *columns_of(keys, 2), subject)
    return keys


class Comment(NamedTuple):
    comment_id: UUID
    author: str
    text: str
    created_at: datetime


async def comment(connection: Connection, key: Key, given: Comment) -> Collection[Key]:
    """Add a comment; returns the key of the error, or nothing if it has too many."""
    status: str = await connection.execute(_COMMENT, *key, *given, COMMENTS_AT_MOST)
    return {key} if status.endswith(" 1") else ()


async def delete_comment(
    connection: Connection, project_id: int, comment_id: UUID, author: str
) -> Collection[Key]:
    """Delete a comment of this author; returns the key of its error, or nothing without one."""
    error_id = await connection.fetchval(_DELETE_COMMENT, project_id, comment_id, author)
    return () if error_id is None else {(project_id, error_id)}


async def publish(connection: Connection, keys: Collection[Key]) -> None:
    """Tell subscribers and caches that errors changed; the last step of a transaction."""
    await record(connection, ERROR_OCCURRENCES.name, 0, (), sorted(keys))


_DECIDE = f"""
update errors as known
set status = $3::smallint, decision = $3::smallint, decided_at = $4, decided_by = $5,
  resolved_in = $6, ignored_until = $7, ignored_count = known.occurrences + $8::bigint,
  resolved_after = case $3::smallint when {int(ErrorStatus.RESOLVED)} then release end,
  ignored_release = case $3::smallint when {int(ErrorStatus.IGNORED)} then release end
from {GIVEN_ERRORS}
left join unnest($9::bigint[], $10::text[]) as newest(project_id, release) using (project_id)
where known.project_id = given.project_id and known.error_id = given.error_id
  and known.status <> {int(ErrorStatus.MERGED)}
"""

_LATEST = """
select latest.* from unnest($1::bigint[]) as given(project_id), lateral (
  select * from releases where releases.project_id = given.project_id
  order by first_at desc, release limit $2) as latest
"""

_ASSIGN = f"""
update errors as known set assigned_to = $3 from {GIVEN_ERRORS}
where known.project_id = given.project_id and known.error_id = given.error_id
"""

_COMMENT = """
insert into error_comments (project_id, error_id, comment_id, author, text, created_at)
select $1::bigint, $2::uuid, $3::uuid, $4::text, $5::text, $6::timestamptz
where (select count(*) from error_comments where project_id = $1 and error_id = $2) < $7
"""

_DELETE_COMMENT = """
delete from error_comments where project_id = $1 and comment_id = $2 and author = $3
returning error_id
"""
