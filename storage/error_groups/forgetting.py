"""Deletes errors that have not occurred for as long as counts are kept."""

from datetime import datetime

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.error_groups.locking import lock_errors

BATCH = 1_000


async def forget(connection: Connection, projects: list[int], floor: datetime) -> dict[str, int]:
    """Delete at most BATCH errors of these projects that last occurred before a time.

    Their fingerprints, facets and comments go with them. Returns the rows deleted by table.
    """
    found = await connection.fetch(_LOCK_FINGERPRINTS, floor, projects, BATCH)
    keys = [(row["project_id"], row["fingerprint_id"]) for row in found]
    await lock_errors(connection, keys)  # each has the id of one of its fingerprints
    return dict(await connection.fetchrow(_FORGET, floor, *columns_of(keys, 2)))


# What is merged into another error lives as long as that one.
_LOCK_FINGERPRINTS = """
select own.project_id, own.fingerprint_id
from (select project_id, error_id from errors
  where project_id = any($2::bigint[]) and last_at < $1 and merged_into is null limit $3) as past
join error_fingerprints as own using (project_id, error_id)
order by own.project_id, own.fingerprint_id for update of own
"""

# The last occurrence is asked again: one that came before the locks keeps the error.
_FORGET = """
with gone as (
  delete from errors as error
  using unnest($2::bigint[], $3::uuid[]) as past(project_id, error_id)
  where error.project_id = past.project_id and error.error_id = past.error_id
    and error.last_at < $1 and error.merged_into is null
  returning error.project_id, error.error_id),
fingerprints as (
  delete from error_fingerprints as own using gone
  where own.project_id = gone.project_id and own.error_id = gone.error_id
  returning own.project_id, own.fingerprint_id),
facets as (
  delete from error_facets as own using fingerprints
  where own.project_id = fingerprints.project_id
    and own.fingerprint_id = fingerprints.fingerprint_id
  returning 1),
parts as (
  delete from errors as part using fingerprints
  where part.project_id = fingerprints.project_id
    and part.error_id = fingerprints.fingerprint_id and part.merged_into is not null
  returning part.project_id, part.error_id),
comments as (
  delete from error_comments as own using (table gone union all table parts) as every
  where own.project_id = every.project_id and own.error_id = every.error_id
  returning 1)
select (select count(*) from gone) + (select count(*) from parts) as errors,
  (select count(*) from fingerprints) as error_fingerprints,
  (select count(*) from facets) as error_facets,
  (select count(*) from comments) as error_comments
"""
