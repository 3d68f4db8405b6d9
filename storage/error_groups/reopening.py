"""Reopens errors: a resolved one that occurs again, and an ignored one whose time has come.

What people decided stays stored as the decision; the status is what it is now.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from storage.connections.database import Connection, Database
from storage.connections.query import columns_of
from storage.error_groups.locking import GIVEN_ERRORS
from storage.error_groups.occurrence import Occurrence
from storage.error_groups.releases import FirstSeen, is_older
from storage.error_groups.tables import ErrorStatus
from storage.facts.content import Key
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.feed.counters import record

_SLOT = 0
_BATCH = 500


class Seen(NamedTuple):
    """What tells whether an occurrence reopens its error."""

    occurred_at: datetime
    release: str | None


async def judge(
    connection: Connection, new: Mapping[Key, Sequence[Occurrence | Seen]], now: datetime
) -> None:
    """Reopen those of the locked errors that their new occurrences reopen."""
    decided = await connection.fetch(_DECIDED, *columns_of(sorted(new), 2))
    if not decided:
        return
    first_seen = await _first_seen(connection, decided, new)
    resolved: list[tuple[Any, ...]] = []
    ignored: list[Key] = []
    for row in decided:
        key = row["project_id"], row["error_id"]
        seen = first_seen[row["project_id"]]
        if row["decision"] == ErrorStatus.RESOLVED:
            if again := _regression(row, new[key], seen):
                resolved.append((*key, again.occurred_at, again.release))
        elif _is_over(row, new[key], seen, now):
            ignored.append(key)
    if resolved:
        await connection.execute(_REGRESSED, *columns_of(resolved))
    if ignored:
        await connection.execute(_REOPENED, *columns_of(ignored))


async def judge_stored(
    connection: Connection, keys: Collection[Key], since: datetime, now: datetime
) -> None:
    """Reopen those of the locked errors that what occurred since a time reopens."""
    new: defaultdict[Key, list[Seen]] = defaultdict(list)
    for row in await connection.fetch(_SINCE, *columns_of(sorted(keys), 2), since):
        new[row["project_id"], row["error_id"]].append(Seen(row["occurred_at"], row["release"]))
    await judge(connection, new, now)


def _regression(
    row: Any, new: Iterable[Occurrence | Seen], seen: FirstSeen
) -> Occurrence | Seen | None:
    """The earliest of the occurrences after the decision that show the error is back."""
    back = [
        each
        for each in new
        if each.occurred_at > row["decided_at"]
        and not (each.release and _is_unfixed(row, each.release, seen))
    ]
    return min(back, key=_return, default=None)


def _is_unfixed(row: Any, release: str, seen: FirstSeen) -> bool:
    """Whether a release is older than the one in which the error is resolved."""
    fixed_in, after = row["resolved_in"], row["resolved_after"]
    if fixed_in is not None:
        return is_older(release, fixed_in, seen)
    return after is not None and not is_older(after, release, seen)


def _return(occurrence: Occurrence | Seen) -> tuple[datetime, bool, str]:
    """Its place among those that show an error is back; of one moment, a release comes first."""
    return occurrence.occurred_at, occurrence.release is None, occurrence.release or ""


def _is_over(row: Any, new: Iterable[Occurrence | Seen], seen: FirstSeen, now: datetime) -> bool:
    """Whether an error is no longer to be ignored."""
    until, count, release = row["ignored_until"], row["ignored_count"], row["ignored_release"]
    if (until and until <= now) or (count is not None and row["occurrences"] > count):
        return True
    return release is not None and any(
        each.release and is_older(release, each.release, seen) for each in new
    )


async def _first_seen(
    connection: Connection, decided: Iterable[Any], new: Mapping[Key, Sequence[Occurrence | Seen]]
) -> Mapping[int, FirstSeen]:
    """When the releases in question were first seen, by project."""
    wanted = {(row["project_id"], row[name]) for row in decided for name in _RELEASES if row[name]}
    wanted |= {(key[0], each.release) for key, of_key in new.items() for each in of_key}
    known = [key for key in wanted if key[1]]
    found: defaultdict[int, dict[str, datetime]] = defaultdict(dict)
    for row in await connection.fetch(_FIRST_SEEN, *columns_of(known, 2)):
        found[row["project_id"]][row["release"]] = row["first_at"]
    return found


_RELEASES = ("resolved_in", "resolved_after", "ignored_release")


async def reopen_due(database: Database, now: datetime) -> int:
    """Reopen the errors that were to be ignored until now; returns how many."""
    reopened, number = 0, _BATCH
    while number == _BATCH:
        async with database.transaction() as connection:
            rows = await connection.fetch(_DUE, now, _BATCH)
            keys = [(row["project_id"], row["error_id"]) for row in rows]
            await record(connection, ERROR_OCCURRENCES.name, _SLOT, (), keys)
        number = len(keys)
        reopened += number
    return reopened


# An error that is back may still turn out to be back earlier. The order is that of `_return`.
_IS_EARLIER = """
  known.status <> {open} or (given.at, given.release is null, given.release collate "C")
    < (known.regressed_at, known.regressed_release is null, known.regressed_release collate "C")
""".strip().format(open=int(ErrorStatus.OPEN))

_DECIDED = f"""
select errors.* from errors join {GIVEN_ERRORS}
  using (project_id, error_id)
where decision = {int(ErrorStatus.RESOLVED)}
  or (decision = {int(ErrorStatus.IGNORED)} and status = {int(ErrorStatus.IGNORED)})
"""

_REGRESSED = f"""
update errors as known set status = {int(ErrorStatus.OPEN)},
  regressions = known.regressions + (known.status <> {int(ErrorStatus.OPEN)})::int,
  regressed_release = case when {_IS_EARLIER} then given.release
    else known.regressed_release end,
  regressed_at = case when {_IS_EARLIER} then given.at else known.regressed_at end
from unnest($1::bigint[], $2::uuid[], $3::timestamptz[], $4::text[])
  as given(project_id, error_id, at, release)
where known.project_id = given.project_id and known.error_id = given.error_id
"""

_REOPENED = f"""
update errors as known set status = {int(ErrorStatus.OPEN)}
from {GIVEN_ERRORS}
where known.project_id = given.project_id and known.error_id = given.error_id
"""

_FIRST_SEEN = """
select project_id, release, first_at from releases
join unnest($1::bigint[], $2::text[]) as given(project_id, release) using (project_id, release)
"""

# The first occurrence in each release tells as much as all of them.
_SINCE = f"""
select project_id, error_id, release, min(occurred_at) as occurred_at
from {GIVEN_ERRORS}
join error_fingerprints using (project_id, error_id)
join error_occurrences using (project_id, fingerprint_id)
where occurred_at > $3 group by project_id, error_id, release
"""

_DUE = f"""
update errors as known set status = {int(ErrorStatus.OPEN)}
from (select project_id, error_id from errors
  where ignored_until <= $1 and status = {int(ErrorStatus.IGNORED)}
  order by project_id, error_id limit $2 for update) as due
where known.project_id = due.project_id and known.error_id = due.error_id
returning known.project_id, known.error_id
"""
