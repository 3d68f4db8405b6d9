"""Merges errors, and takes them apart again.

Merged errors are a tree: each points to the one that it was merged into. A fingerprint belongs to
the error at the root, so taking an error out takes with it what was merged into it before. Counts
stand by fingerprint and do not move.
"""

from collections.abc import Iterable
from uuid import UUID

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.error_groups.locking import lock_errors
from storage.error_groups.recording import count_users, sum_up
from storage.error_groups.tables import ErrorStatus
from storage.errors import Conflict
from storage.facts.content import Key


async def merge(
    connection: Connection, project_id: int, error_ids: Iterable[UUID], into: UUID
) -> set[Key]:
    """Merge errors into another one that is part of none; returns the keys of all that changed.

    Of these errors, those that are part of another one already are left alone.
    """
    wanted = set(error_ids) - {into}
    await _lock(connection, project_id, {into, *wanted})
    merged = await connection.fetch(_MERGE, project_id, sorted(wanted), into)
    if not merged:
        return set()
    await _regroup(connection, project_id, {into})
    return {(project_id, error_id) for error_id in (into, *(row["error_id"] for row in merged))}


async def unmerge(connection: Connection, project_id: int, error_id: UUID) -> set[Key]:
    """Make a merged error one of its own again, and open; returns the keys of both that changed."""
    root = await connection.fetchval(_ROOT, project_id, error_id)
    if root is None or root == error_id:
        return set()
    await _lock(connection, project_id, {root, error_id})
    if await connection.fetchval(_ROOT, project_id, error_id) != root:
        raise Conflict("The error was merged by somebody else just now: try again")
    if not await connection.fetch(_UNMERGE, project_id, error_id):
        return set()
    await _regroup(connection, project_id, {root, error_id})
    return {(project_id, root), (project_id, error_id)}


async def _lock(connection: Connection, project_id: int, errors: set[UUID]) -> None:
    await connection.execute(_LOCK_FINGERPRINTS, project_id, list(errors))
    await lock_errors(connection, ((project_id, error_id) for error_id in errors))


async def _regroup(connection: Connection, project_id: int, roots: set[UUID]) -> None:
    """Give the fingerprints of each tree to its root, and sum them up."""
    before = await connection.fetch(_OCCURRENCES, project_id, sorted(roots))
    await connection.execute(_REPOINT, project_id, sorted(roots))
    keys = {(project_id, error_id) for error_id in roots}
    await sum_up(connection, keys)
    await count_users(connection, keys)
    await connection.execute(_SHIFT, project_id, *columns_of(before, 2))


_LOCK_FINGERPRINTS = """
select from error_fingerprints where project_id = $1 and error_id = any($2::uuid[])
order by fingerprint_id for update
"""

_MERGE = f"""
update errors set status = {int(ErrorStatus.MERGED)}, merged_into = $3
where project_id = $1 and error_id = any($2::uuid[]) and merged_into is null
  and exists (select from errors as target
    where target.project_id = $1 and target.error_id = $3 and target.merged_into is null)
returning error_id
"""

# Every error has a fingerprint with its id.
_ROOT = "select error_id from error_fingerprints where project_id = $1 and fingerprint_id = $2"

_UNMERGE = f"""
update errors set status = {int(ErrorStatus.OPEN)}, decision = {int(ErrorStatus.OPEN)},
  merged_into = null
where project_id = $1 and error_id = $2 and merged_into is not null
returning error_id
"""

_OCCURRENCES = """
select error_id, occurrences from errors where project_id = $1 and error_id = any($2::uuid[])
order by error_id
"""

# An error that is ignored for some more occurrences is ignored for as many as before.
_SHIFT = """
update errors as known set ignored_count = known.ignored_count + known.occurrences - given.before
from unnest($2::uuid[], $3::bigint[]) as given(error_id, before)
where known.project_id = $1 and known.error_id = given.error_id
  and known.ignored_count is not null
"""

_REPOINT = """
with recursive tree as (
  select error_id, error_id as root from errors
  where project_id = $1 and error_id = any($2::uuid[])
  union all
  select part.error_id, tree.root from errors as part
  join tree on part.merged_into = tree.error_id where part.project_id = $1)
update error_fingerprints as own set error_id = tree.root from tree
where own.project_id = $1 and own.fingerprint_id = tree.error_id and own.error_id <> tree.root
"""
