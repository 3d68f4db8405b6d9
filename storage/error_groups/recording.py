"""Records new occurrences: their fingerprints, errors, counts, bodies, and changes of status.

All of it is a sum, a minimum, a maximum or a union over the occurrences, so any order of arrival
gives the same. Fingerprints are locked first and errors after them, each in the order of their
keys, so that two transactions do not wait for each other.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.error_groups import bodies, counting, reopening
from storage.error_groups.bodies import Sampled
from storage.error_groups.occurrence import Key, Occurrence
from storage.error_groups.users import joined, number_of, with_users
from storage.facts.fact import Floors


class _Fingerprint(NamedTuple):
    """A locked fingerprint as it was before the new occurrences."""

    error_id: Any
    users: bytes | None
    sampled: Sampled


@dataclass(frozen=True, slots=True)
class Recording:
    """The transaction that occurrences are recorded in."""

    connection: Connection
    floors: Floors
    now: datetime


async def record(recording: Recording, new: Sequence[Occurrence]) -> set[Key]:
    """Record occurrences whose rows are new; returns the keys of the errors that changed."""
    connection, today = recording.connection, recording.now.astimezone(UTC).date()
    by_key: defaultdict[Key, list[Occurrence]] = defaultdict(list)
    for each in new:
        by_key[each.key].append(each)
    before = await _lock_fingerprints(connection, by_key)
    by_error: defaultdict[Key, list[Occurrence]] = defaultdict(list)
    for key, of_key in by_key.items():
        by_error[key[0], before[key].error_id] += of_key
    await _add_to_errors(connection, by_error)
    await _add_users(connection, by_key, before)
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
        of_key = by_key[key]
        about, times = of_key[0].about, [each.occurred_at for each in of_key]
        grouping = orjson.dumps(about.grouping).decode()
        rows.append((*key, about.signature, grouping, min(times), max(times), len(of_key)))
    found = await connection.fetch(_FINGERPRINTS, *columns_of(rows))
    return {
        (row["project_id"], row["fingerprint_id"]): _Fingerprint(
            row["error_id"], row["users"], Sampled(row["sampled_on"], row["sampled_of"])
        )
        for row in found
    }


async def _add_to_errors(connection: Connection, by_error: dict[Key, list[Occurrence]]) -> None:
    rows = []
    for key in sorted(by_error):
        of_error = by_error[key]
        first = min(of_error, key=lambda each: each.position)
        last = max(of_error, key=lambda each: each.position)
        about = last.about
        rows.append(
            (
                *key,
                *(about.title, about.error_type, about.culprit, about.severity, about.platform),
                *(*first.position, first.release, *last.position, last.release),
                len(of_error),
            )
        )
    await connection.execute(_ERRORS, *columns_of(rows))


async def _add_users(
    connection: Connection,
    by_key: dict[Key, list[Occurrence]],
    before: dict[Key, _Fingerprint],
) -> None:
    changed: dict[Key, bytes | None] = {}
    for key, of_key in by_key.items():
        users = {each.user_key for each in of_key if each.user_key is not None}
        sketch = with_users(before[key].users, users) if users else before[key].users
        if sketch != before[key].users:
            changed[key] = sketch
    if not changed:
        return
    rows = [(*key, changed[key]) for key in sorted(changed)]
    await connection.execute(_USERS, *columns_of(rows))
    await count_users(connection, {(key[0], before[key].error_id) for key in changed})


async def count_users(connection: Connection, errors: Iterable[Key]) -> None:
    """Store the number of users of locked errors, from the sketches of their fingerprints."""
    sketches: defaultdict[Key, list[bytes | None]] = defaultdict(list)
    for row in await connection.fetch(_SKETCHES, *columns_of(sorted(errors), 2)):
        sketches[row["project_id"], row["error_id"]].append(row["users"])
    rows = [(*key, number_of(joined(sketches[key]))) for key in sorted(sketches)]
    await connection.execute(_USER_COUNTS, *columns_of(rows, 3))


_FINGERPRINTS = """
insert into error_fingerprints as known
  (project_id, fingerprint_id, error_id, signature, grouping, first_at, last_at, occurrences)
select project_id, id, id, signature, grouping::jsonb, first_at, last_at, occurrences
from unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[],
  $6::timestamptz[], $7::bigint[])
  as given(project_id, id, signature, grouping, first_at, last_at, occurrences)
on conflict (project_id, fingerprint_id) do update
set first_at = least(known.first_at, excluded.first_at),
  last_at = greatest(known.last_at, excluded.last_at),
  occurrences = known.occurrences + excluded.occurrences
returning project_id, fingerprint_id, error_id, users, sampled_on, sampled_of
"""

_OF_LAST = ("title", "error_type", "culprit", "severity", "platform", "last_release")
_IS_LATER = "(excluded.last_at, excluded.last_event_id) > (known.last_at, known.last_event_id)"
_SET_LAST = ", ".join(
    f"{name} = case when {_IS_LATER} then excluded.{name} else known.{name} end"
    for name in _OF_LAST
)
_IS_EARLIER = (
    "(excluded.first_at, excluded.first_event_id) < (known.first_at, known.first_event_id)"
)

_ERRORS = f"""
insert into errors as known (project_id, error_id, title, error_type, culprit, severity, platform,
  first_at, first_event_id, first_release, last_at, last_event_id, last_release, occurrences)
select * from unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::smallint[],
  $7::text[], $8::timestamptz[], $9::uuid[], $10::text[], $11::timestamptz[], $12::uuid[],
  $13::text[], $14::bigint[])
on conflict (project_id, error_id) do update set
  {_SET_LAST},
  first_release = case when {_IS_EARLIER} then excluded.first_release else known.first_release end,
  first_at = least(known.first_at, excluded.first_at),
  first_event_id = case when {_IS_EARLIER} then excluded.first_event_id
    else known.first_event_id end,
  last_at = greatest(known.last_at, excluded.last_at),
  last_event_id = case when {_IS_LATER} then excluded.last_event_id else known.last_event_id end,
  occurrences = known.occurrences + excluded.occurrences
"""

_USERS = """
update error_fingerprints as known set users = given.users
from unnest($1::bigint[], $2::uuid[], $3::bytea[]) as given(project_id, fingerprint_id, users)
where known.project_id = given.project_id and known.fingerprint_id = given.fingerprint_id
"""

_SKETCHES = """
select project_id, error_id, users from error_fingerprints
join unnest($1::bigint[], $2::uuid[]) as given(project_id, error_id) using (project_id, error_id)
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
