"""Versions of the data, read from the counters, by which a cached answer is found current.

An answer about some days stays current while the highest number stored for those days stays.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text

from storage.connections.batches import Batches
from storage.connections.database import Database
from storage.connections.query import Fetch, SqlQuery, columns_of
from storage.feed.counters import CATALOGUE, CATALOGUE_PROJECT
from storage.recent import Recent

# For how long counters are used without reading them again.
FRESH_SECONDS = 0.25
# The most tags whose versions a process remembers.
REMEMBERED_TAGS = 10_000
# The most questions that one statement answers.
_QUESTIONS_AT_MOST = 200

_READABLE_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Tags:
    """The data that an answer depends on: a fact, projects, and a half-open range of UTC days.

    None means any fact, the whole platform, and any day.
    """

    fact: str | None
    project_ids: tuple[int, ...] | None
    days: tuple[date, date] | None = None


CATALOGUE_TAGS = Tags(CATALOGUE, (CATALOGUE_PROJECT,))

# The highest number by project id, or by writer slot of the platform.
Numbers = Mapping[int, int]


def version_text(numbers: Numbers, project_ids: Iterable[int] | None) -> str:
    """A version as text: for equal tags, equal texts mean equal data."""
    owners = sorted(numbers if project_ids is None else set(project_ids) & numbers.keys())
    text = ",".join(f"{owner}:{numbers[owner]}" for owner in owners)
    if len(text) <= _READABLE_LENGTH:
        return text
    return hashlib.blake2b(text.encode(), digest_size=_READABLE_LENGTH // 2).hexdigest()


def days_of(start: datetime, end: datetime) -> tuple[date, date]:
    """The half-open range of UTC days that a half-open range of time touches."""
    last = (end - timedelta(microseconds=1)).astimezone(UTC).date()
    return start.astimezone(UTC).date(), last + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """Versions that were all true at one moment, at or after ``as_of`` by the database's clock."""

    versions: Mapping[Tags, str]
    as_of: datetime


async def read(fetch: Fetch, tags: Collection[Tags]) -> Moment:
    """Read the versions of all tags with one statement."""
    wanted = list(tags)
    numbers: list[dict[int, int]] = [{} for _ in wanted]
    of_projects = [
        (number, tag.fact, project_id, *(tag.days or (None, None)))
        for number, tag in enumerate(wanted)
        for project_id in tag.project_ids or ()
    ]
    of_platform = [
        (number, tag.fact, *(tag.days or (None, None)))
        for number, tag in enumerate(wanted)
        if tag.project_ids is None
    ]
    names = (*_OF_PROJECTS, *_OF_PLATFORM)
    columns = (*columns_of(of_projects, 5), *columns_of(of_platform, 4))
    rows = await fetch(_READ, **dict(zip(names, columns, strict=True)))
    for _, number, owner, highest in rows:
        if number is not None:
            numbers[number][owner] = highest
    versions = {tag: version_text(found, None) for tag, found in zip(wanted, numbers, strict=True)}
    return Moment(versions, rows[0][0])


_OF_PROJECTS = ("asked_projects", "facts", "project_ids", "first_days", "last_days")
_OF_PLATFORM = ("asked_of_platform", "platform_facts", "platform_first_days", "platform_last_days")


def _highest(owner: str, table: str, asked: str) -> str:
    """SQL for each owner's highest number on the given days, or its counter if there are none."""
    return f"""
select asked.number, noted.{owner} as owner, max(noted.number) as highest
from {asked} join {table}_days as noted
  on {_SAME[owner]} and (asked.fact is null or noted.fact = asked.fact)
  and noted.day >= asked.first_day and noted.day < asked.last_day
where asked.first_day is not null group by 1, 2
union all
select asked.number, noted.{owner}, sum(noted.number)::bigint
from {asked} join {table}s as noted
  on {_SAME[owner]} and (asked.fact is null or noted.fact = asked.fact)
where asked.first_day is null group by 1, 2"""


_SAME = {"project_id": "noted.project_id = asked.project_id", "slot": "true"}

_READ = SqlQuery(
    "versions",
    text(f"""
with of_projects as (
  select * from unnest(:asked_projects ::int[], :facts ::text[], :project_ids ::bigint[],
    :first_days ::date[], :last_days ::date[])
    as given(number, fact, project_id, first_day, last_day)),
of_platform as (
  select * from unnest(:asked_of_platform ::int[], :platform_facts ::text[],
    :platform_first_days ::date[], :platform_last_days ::date[])
    as given(number, fact, first_day, last_day))
select clock.as_of, found.* from (select transaction_timestamp() as as_of) as clock
left join ({_highest("project_id", "project_version", "of_projects as asked")}
union all {_highest("slot", "platform_version", "of_platform as asked")}) as found on true
"""),
)


@dataclass(slots=True)
class _Remembered:
    """A version, and the times of the first and last read that returned it."""

    version: str
    first_as_of: datetime
    last_as_of: datetime
    read_at: float


class Versions:
    """The versions that a process has read, one read after another, so in the data's order."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._remembered = Recent[Tags, _Remembered](REMEMBERED_TAGS)
        self._reads = Batches[frozenset[Tags], Moment](self._read_together, _QUESTIONS_AT_MOST)

    async def of(self, tags: Collection[Tags]) -> Moment:
        """Versions that were all true at one moment at most FRESH_SECONDS ago."""
        return self._known(tags) or await self._reads.ask(frozenset(tags))

    def _known(self, tags: Collection[Tags]) -> Moment | None:
        found = {tag: self._remembered.get(tag) for tag in tags}
        known = {tag: version for tag, version in found.items() if version is not None}
        oldest = self._monotonic() - FRESH_SECONDS
        if not known or len(known) < len(found):
            return None
        if any(version.read_at < oldest for version in known.values()):
            return None
        # All were true at the time of the oldest last read, if none was first seen later.
        as_of = min(version.last_as_of for version in known.values())
        if any(version.first_as_of > as_of for version in known.values()):
            return None
        return Moment({tag: version.version for tag, version in known.items()}, as_of)

    async def _read_together(self, questions: Sequence[frozenset[Tags]]) -> list[Moment]:
        began = self._monotonic()
        moment = await read(self._database.fetch, frozenset().union(*questions))
        for tag, version in moment.versions.items():
            self._remember(tag, version, moment.as_of, began)
        return [moment] * len(questions)

    def _remember(self, tag: Tags, version: str, as_of: datetime, read_at: float) -> None:
        known = self._remembered.get(tag)
        if known is not None and known.version == version:
            known.last_as_of, known.read_at = as_of, read_at
        else:
            known = _Remembered(version, as_of, as_of, read_at)
        self._remembered[tag] = known
