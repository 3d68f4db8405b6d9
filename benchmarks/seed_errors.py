"""Fills the tables of errors with bodies to search in."""

from datetime import datetime

import asyncpg

ERRORS = 10_000
# The names of each error's functions are those of its number's last and first digits.
FIRST_NAMES = 100
PROJECTS = 100
COMMON_NAME = "dispatch"  # in every body
_STATEMENT_SECONDS = 7_200


def names_of(error: int) -> tuple[str, str]:
    """The names of an error's functions; no other error has both."""
    return f"open_{error % FIRST_NAMES}", f"close_{error // FIRST_NAMES}"


async def seed_bodies(url: str, bodies: int, now: datetime) -> None:
    """Adds errors of the first hundred projects, with so many bodies since the week began."""
    print(f"seeding {bodies:,} bodies of {ERRORS:,} errors ...", flush=True)
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    for statement, *arguments in (
        (_FINGERPRINTS, ERRORS, now),
        (_ERRORS,),
        (_BODIES, bodies, now, ERRORS),
        ("vacuum analyze",),
    ):
        await connection.execute(statement, *arguments, timeout=_STATEMENT_SECONDS)
    await connection.close()


_NAMES = f"'open_' || n % {FIRST_NAMES} as first, 'close_' || n / {FIRST_NAMES} as last"
_ID = "md5('error ' || n)::uuid"

_FINGERPRINTS = f"""
insert into error_fingerprints (project_id, fingerprint_id, error_id, signature, grouping, title,
  error_type, severity, first_at, first_event_id, last_at, last_event_id, occurrences)
select 1 + n % {PROJECTS}, {_ID}, {_ID}, {_ID}, '{{}}', 'SeededError: ' || n, 'SeededError', 2,
  $2::timestamptz - interval '20 days', {_ID}, $2::timestamptz - n * interval '1 minute', {_ID}, 100
from generate_series(0, $1::int - 1) as n
"""

_COLUMNS = (
    "project_id, error_id, title, error_type, severity, first_at, first_event_id, last_at,"
    " last_event_id, occurrences"
)
_ERRORS = f"""
insert into errors ({_COLUMNS}) select {_COLUMNS} from error_fingerprints
where error_type = 'SeededError'
"""

_BODIES = f"""
insert into error_bodies (project_id, occurred_at, event_id, fingerprint_id, kept, body, search)
select 1 + n % {PROJECTS},
  $2::timestamptz - ($2::timestamptz - date_trunc('week', $2::timestamptz)) * number / $1::int,
  md5('body ' || number)::uuid, {_ID}, 0, jsonb_build_object('message', text),
  to_tsvector('simple', text)
from generate_series(0, $1::int - 1) as number,
  lateral (select number % $3::int as n) as error,
  lateral (select {_NAMES}) as names,
  lateral (select concat_ws(' ', 'SeededError', n, 'app/views.py', '{COMMON_NAME}', first,
    'app/carts.py', last, 'app/database.py execute', 'lookup_' || number % 5000) as text) as told
"""
