"""After the kills: each count that is kept of errors is the number of their rows."""

import asyncpg


async def check_errors(connection: asyncpg.Connection) -> None:
    """Raises AssertionError where two counts of one fingerprint or error differ."""
    for statement in (_FINGERPRINTS, _ERRORS, _WITHOUT_BODY):
        assert await connection.fetch(statement) == [], statement


# Rows, hours, days and releases of each fingerprint, and what it says of itself.
_FINGERPRINTS = """
with counted as (
  select project_id, fingerprint_id, 'rows' as kind, count(*) as number
  from error_occurrences group by 1, 2
  union all
  select project_id, fingerprint_id, 'hours', sum(occurrences) from error_hours group by 1, 2
  union all
  select project_id, fingerprint_id, 'days', sum(occurrences) from error_days group by 1, 2
  union all
  select project_id, fingerprint_id, 'releases', sum(occurrences) from error_facets
  where facet = 1 group by 1, 2)
select known.project_id, known.fingerprint_id, known.occurrences, jsonb_agg(counted)
from error_fingerprints as known left join counted using (project_id, fingerprint_id)
group by 1, 2, 3
having count(*) <> 4 or bool_or(counted.number <> known.occurrences)
"""

_ERRORS = """
select error.project_id, error.error_id from errors as error
left join error_fingerprints as known using (project_id, error_id)
group by 1, 2, error.occurrences
having error.occurrences is distinct from sum(known.occurrences)
"""

# The last occurrence of an error has a body.
_WITHOUT_BODY = """
select project_id, error_id from errors as error where not exists (
  select from error_bodies as body where body.project_id = error.project_id
    and body.occurred_at = error.last_at and body.event_id = error.last_event_id)
"""
