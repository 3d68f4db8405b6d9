"""Records new occurrences: their fingerprints, errors, counts, bodies, and changes of status.

All of it is a sum, a minimum, a maximum or a union over the occurrences, so any order of arrival
gives the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, NamedTuple

import orjson

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.error_groups import bodies, counting, reopening
from storage.error_groups.bodies import Sampled
from storage.error_groups.locking import GIVEN_ERRORS, lock_errors
from storage.error_groups.occurrence import Occurrence
from storage.error_groups.users import joined, number_of, with_users
from storage.facts.content import Key, NewRow, Recording


class _Fingerprint(NamedTuple):
    """A locked fingerprint as it was before the new occurrences."""

    error_id: Any
    users: bytes | None
    sampled: Sampled


async def record(recording: Recording, new_rows: Sequence[NewRow]) -> set[Key]:
    """Record the occurrences of new rows; returns the keys of the errors that changed."""
    connection, today = recording.connection, recording.now.astimezone(UTC).date()
    new = [Occurrence.of(row) for row in new_rows]
    by_key: defaultdict[Key, list[Occurrence]] = defaultdict(list)
    for each in new:
        by_key[each.key].append(each)
    before = await _lock_fingerprints(connection, by_key)
    by_error: defaultdict[Key, list[Occurrence]] = defaultdict(list)
    for key, of_key in by_key.items():
        by_error[key[0], before[key].error_id] += of_key
    more_users = await _add_users(connection, by_key, before)
    await sum_up(connection, by_error)
    await count_users(connection, more_users)
    await counting.count(connection, new, recording.floors)
    sampled = {key: fingerprint.sampled for key, fingerprint in before.items()}
    await bodies.keep(connection, new, sampled, today)
    rows = [(*key, today, sampled[key].on_day(today) + len(by_key[key])) for key in sorted(by_key)]
    await connection.execute(_SAMPLED, *columns_of(rows))
    await reopening.judge(connection, by_error, recording.now)
    return set(by_error)


async def _lock_fingerprints(
    connection: Connection, by_key: dict[Key, list[Occurrence]]
) -> dict[Key, _Fingerprint]:
    rows = []
    for key in sorted(by_key):
        first = min(by_key[key], key=lambda each: each.position)
        last = max(by_key[key], key=lambda each: each.position)
        about = last.about
        rows.append(
            (
                *(*key, about.signature, orjson.dumps(about.grouping).decode()),
                *(about.title, about.error_type, about.culprit, about.severity, about.platform),
                *(*first.position, first.release, *last.position, last.release),
                len(by_key[key]),
            )
        )
    found = await connection.fetch(_FINGERPRINTS, *columns_of(rows))
    return {
        (row["project_id"], row["fingerprint_id"]): _Fingerprint(
            row["error_id"], row["users"], Sampled(row["sampled_on"], row["sampled_of"])
        )
        for row in found
    }


async def sum_up(connection: Connection, errors: Iterable[Key]) -> None:
    """Store what errors are: the sum of their fingerprints, of which those that change are locked.

    The errors are locked before the fingerprints are read, since others may change theirs.
    """
    keys = list(errors)
    await lock_errors(connection, keys)
    await connection.execute(_ERRORS, *columns_of(keys, 2))


async def count_users(connection: Connection, errors: Iterable[Key]) -> None:
    """Store the number of users of locked errors, from the sketches of their fingerprints."""
    keys = columns_of(sorted(errors), 2)
    sketches: defaultdict[Key, list[bytes | None]] = defaultdict(list)
    for row in await connection.fetch(_SKETCHES, *keys):
        sketches[row["project_id"], row["error_id"]].append(row["users"])
    rows = [(*key, number_of(joined(sketches[key]))) for key in sorted(sketches)]
    await connection.execute(_USER_COUNTS, *columns_of(rows, 3))


async def _add_users(
    connection: Connection,
    by_key: dict[Key, list[Occurrence]],
    before: dict[Key, _Fingerprint],
) -> set[Key]:
    """Adds to the sketches of fingerprints; returns the errors of those that changed."""
    changed: dict[Key, bytes | None] = {}
    for key, of_key in by_key.items():
        users = {each.user_key for each in of_key if each.user_key is not None}
        sketch = with_users(before[key].users, users) if users else before[key].users
        if sketch != before[key].users:
            changed[key] = sketch
    rows = [(*key, changed[key]) for key in sorted(changed)]
    await connection.execute(_USERS, *columns_of(rows, 3))
    return {(key[0], before[key].error_id) for key in changed}


_OF_LAST = ("title", "error_type", "culprit", "severity", "platform", "last_release")
_IS_LATER = "(excluded.last_at, excluded.last_event_id) > (known.last_at, known.last_event_id)"
_IS_EARLIER = (
    "(excluded.first_at, excluded.first_event_id) < (known.first_at, known.first_event_id)"
)
_SET = ", ".join(
    f"{name} = case when {condition} then excluded.{name} else known.{name} end"
    for condition, names in (
        (_IS_LATER, (*_OF_LAST, "last_at", "last_event_id")),
        (_IS_EARLIER, ("first_release", "first_at", "first_event_id")),
    )
    for name in names
)
_SUMMARY = (
    "title, error_type, culprit, severity, platform, first_at, first_event_id, first_release,"
    " last_at, last_event_id, last_release, occurrences"
)

_FINGERPRINTS = f"""
insert into error_fingerprints as known
  (project_id, fingerprint_id, error_id, signature, grouping, {_SUMMARY})
select project_id, id, id, signature, grouping::jsonb, {_SUMMARY}
from unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
  $8::smallint[], $9::text[], $10::timestamptz[], $11::uuid[], $12::text[], $13::timestamptz[],
  $14::uuid[], $15::text[], $16::bigint[])
  as given(project_id, id, signature, grouping, {_SUMMARY})
on conflict (project_id, fingerprint_id) do update
set {_SET}, occurrences = known.occurrences + excluded.occurrences
returning project_id, fingerprint_id, error_id, users, sampled_on, sampled_of
"""

_OWN = (
    "from error_fingerprints as own"
    " where own.project_id = given.project_id and own.error_id = given.error_id"
)
_ERRORS = f"""
insert into errors (project_id, error_id, {_SUMMARY})
select given.project_id, given.error_id, last.title, last.error_type, last.culprit, last.severity,
  last.platform, first.first_at, first.first_event_id, first.first_release, last.last_at,
  last.last_event_id, last.last_release, total.occurrences
from {GIVEN_ERRORS}
cross join lateral (select * {_OWN} order by last_at desc, last_event_id desc limit 1) as last
cross join lateral (select * {_OWN} order by first_at, first_event_id limit 1) as first
cross join lateral (select sum(occurrences)::bigint as occurrences {_OWN}) as total
order by given.project_id, given.error_id
on conflict (project_id, error_id) do update
set {", ".join(f"{name} = excluded.{name}" for name in _SUMMARY.split(", "))}
"""

_USERS = """
update error_fingerprints as known set users = given.users
from unnest($1::bigint[], $2::uuid[], $3::bytea[]) as given(project_id, fingerprint_id, users)
where known.project_id = given.project_id and known.fingerprint_id = given.fingerprint_id
"""

_SKETCHES = f"""
select project_id, error_id, users from error_fingerprints
join {GIVEN_ERRORS} using (project_id, error_id)
"""

_USER_COUNTS = """
update errors as known set user_count = given.users
from unnest($1::bigint[], $2::uuid[], $3::int[]) as given(project_id, error_id, users)
where known.project_id = given.project_id and known.error_id = given.error_id
"""

_SAMPLED = """
update error_fingerprints as known set sampled_on = given.day, sampled_of = given.number
from unnest($1::bigint[], $2::uuid[], $3::date[], $4::int[])
  as given(project_id, fingerprint_id, day, number)
where known.project_id = given.project_id and known.fingerprint_id = given.fingerprint_id
"""
