"""Counts occurrences by fingerprint: by hour and day, by release, function and deployment."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.error_groups.occurrence import Occurrence
from storage.error_groups.tables import Facet, error_days, error_hours
from storage.facts.content import MovedRow
from storage.facts.fact import Floors
from storage.times import full_hour, midnight

# Further values of a facet are not listed for their fingerprint.
FACET_VALUES_AT_MOST = 1_000

_FacetKey = tuple[int, UUID, Facet, str]


async def count(connection: Connection, new: Sequence[Occurrence], floors: Floors) -> None:
    """Count new occurrences; their fingerprints must be locked."""
    for table, floor, start in (
        (error_hours, floors.fine, full_hour),
        (error_days, floors.day, midnight),
    ):
        counts = Counter(
            (each.project_id, each.fingerprint_id, start(each.occurred_at), each.series_id)
            for each in new
            if floor is None or each.occurred_at >= floor
        )
        rows = [(*key, number) for key, number in sorted(counts.items())]
        if rows:
            await connection.execute(_ADD.format(table=table.name), *columns_of(rows))
    await _count_facets(connection, new)


async def move(connection: Connection, moved: Sequence[MovedRow]) -> None:
    """Count occurrences in the series that their rows have now."""
    for table, start in ((error_hours, full_hour), (error_days, midnight)):
        changes: Counter[tuple[int, UUID, datetime, int]] = Counter()
        for row, series_id in moved:
            place = row["project_id"], row["fingerprint_id"], start(row["occurred_at"])
            changes[*place, row["series_id"]] -= 1
            changes[*place, series_id] += 1
        rows = [(*key, number) for key, number in sorted(changes.items()) if number]
        if rows:
            await connection.execute(_ADD_TO_KNOWN.format(table=table.name), *columns_of(rows))


async def _count_facets(connection: Connection, new: Iterable[Occurrence]) -> None:
    found: dict[_FacetKey, tuple[int, datetime, datetime]] = {}
    for each in new:
        for facet, value in _facets(each):
            key, at = (*each.key, facet, value), each.occurred_at
            number, first, last = found.get(key, (0, at, at))
            found[key] = number + 1, min(first, at), max(last, at)
    rows = [(*key, *values) for key, values in sorted(found.items())]
    if rows:
        await connection.execute(_ADD_FACETS, *columns_of(rows), FACET_VALUES_AT_MOST)


def _facets(occurrence: Occurrence) -> Iterable[tuple[Facet, str]]:
    yield Facet.RELEASE, occurrence.release or ""
    if occurrence.function:
        yield Facet.FUNCTION, occurrence.function
    if occurrence.deployment_id:
        yield Facet.DEPLOYMENT, str(occurrence.deployment_id)


_ADD: Any = """
insert into {table} as known (project_id, fingerprint_id, bucket, series_id, occurrences)
select * from unnest($1::bigint[], $2::uuid[], $3::timestamptz[], $4::int[], $5::int[])
on conflict (project_id, fingerprint_id, bucket, series_id)
do update set occurrences = known.occurrences + excluded.occurrences
"""

# Hours and days that are no longer kept stay away.
_ADD_TO_KNOWN: Any = """
with given as (
  select * from unnest($1::bigint[], $2::uuid[], $3::timestamptz[], $4::int[], $5::int[])
    as given(project_id, fingerprint_id, bucket, series_id, occurrences))
insert into {table} as known (project_id, fingerprint_id, bucket, series_id, occurrences)
select * from given where exists (select from {table} as kept
  where kept.project_id = given.project_id and kept.fingerprint_id = given.fingerprint_id
    and kept.bucket = given.bucket)
on conflict (project_id, fingerprint_id, bucket, series_id)
do update set occurrences = known.occurrences + excluded.occurrences
"""

_ADD_FACETS = """
with given as (
  select * from unnest($1::bigint[], $2::uuid[], $3::smallint[], $4::text[], $5::bigint[],
    $6::timestamptz[], $7::timestamptz[])
    as given(project_id, fingerprint_id, facet, value, occurrences, first_at, last_at)),
full_facets as (
  select project_id, fingerprint_id, facet from error_facets
  join (select distinct project_id, fingerprint_id, facet from given) as wanted
    using (project_id, fingerprint_id, facet)
  group by 1, 2, 3 having count(*) >= $8),
admitted as (
  select given.* from given left join full_facets using (project_id, fingerprint_id, facet)
  left join error_facets as known using (project_id, fingerprint_id, facet, value)
  where full_facets.project_id is null or known.project_id is not null)
insert into error_facets as known
  (project_id, fingerprint_id, facet, value, occurrences, first_at, last_at)
select * from admitted order by project_id, fingerprint_id, facet, value
on conflict (project_id, fingerprint_id, facet, value) do update
set occurrences = known.occurrences + excluded.occurrences,
  first_at = least(known.first_at, excluded.first_at),
  last_at = greatest(known.last_at, excluded.last_at)
"""
