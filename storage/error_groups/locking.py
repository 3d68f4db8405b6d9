"""Locks errors, in one order.

Whoever changes fingerprints and errors locks the fingerprints first, and each in the order of their
keys, so that two transactions do not wait for each other.
"""

from collections.abc import Iterable

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.content import Key

# Errors that are given by key.
GIVEN_ERRORS = "unnest($1::bigint[], $2::uuid[]) as given(project_id, error_id)"


async def lock_errors(connection: Connection, errors: Iterable[Key]) -> None:
    """Lock errors; those that do not exist are left out."""
    await connection.execute(_LOCK, *columns_of(sorted(errors), 2))


_LOCK = f"""
select from errors join {GIVEN_ERRORS} using (project_id, error_id)
order by project_id, error_id for update of errors
"""
