"""Versions: whether a kept answer is still the data's, read from the counters beside the data.

An answer about some days is unchanged while the highest number noted on those days is.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import (
    text,
)

from storage.connections.batches import Batches
from storage.connections.database import Database
from storage.connections.query import Fetch, Query, columns_of
from storage.feed.counters import CATALOGUE, CATALOGUE_PROJECT

# Counters read this recently vouch for a kept answer without the database.
FRESH_SECONDS = 0.25
# A process remembers the versions of so many different tags.
REMEMBERED_TAGS = 10_000
# Questions that are asked meanwhile are read together, so many at a time.
_TOGETHER = 200

_READABLE_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Tags:
    """The data an answer depends on: a fact's, of some projects, on some UTC days.

    No projects (None) means the platform's, no fact any, no days any. ``days`` is half-open.
    """

    fact: str | None
    project_ids: tuple[int, ...] | None
    days: tuple[date, date] | None = None


ANYTHING = Tags(None, None)
CATALOGUE_TAGS = Tags(CATALOGUE, (CATALOGUE_PROJECT,))

# The highest number of each project, or of each writer slot of the platform.
Numbers = Mapping[int, int]


def version_text(numbers: Numbers, project_ids: Iterable[int] | None) -> str:
    """A version: equal texts of equal tags stand for equal data."""
    owners = sorted(numbers if project_ids is None else set(project_ids) & numbers.keys())
    text = ",".join(f"{owner}:{numbers[owner]}" for owner in owners)
    if len(text) <= _READABLE_LENGTH:
        return text
    return hashlib.blake2b(text.encode(), digest_size=_READABLE_LENGTH // 2).hexdigest()


def days_of(start: datetime, end: datetime) -> tuple[date, date]:
    """The UTC days that a half-open range of time touches."""
    last = (end - timedelta(microseconds=1)).astimezone(UTC).date()
    return start.astimezone(UTC).date(), last + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """Versions that were all true at one moment, ``as_of`` of the database's clock or later."""

    versions: Mapping[Tags, str]
    as_of: datetime


async def read(fetch: Fetch, tags: Collection[Tags]) -> Moment:
    """The versions of all tags, read by one statement."""
    asked = list(tags)
    numbers: list[dict[int, int]] = [{} for _ in asked]
    of_projects = [
        (number, one.fact, project_id, *(one.days or (None, None)))
        for number, one in enumerate(asked)
        for project_id in one.project_ids or ()
    ]
    of_platform = [
        (number, one.fact, *(one.days or (None, None)))
        for number, one in enumerate(asked)
        if one.project_ids is None
    ]
    names = (*_OF_PROJECTS, *_OF_PLATFORM)
    columns = (*columns_of(of_projects, 5), *columns_of(of_platform, 4))
    rows = await fetch(_READ, **dict(zip(names, columns, strict=True)))
    for _, number, owner, highest in rows:
        if number is not None:
            numbers[number][owner] = highest
    versions = {one: version_text(found, None) for one, found in zip(asked, numbers, strict=True)}
    return Moment(versions, rows[0][0])


_OF_PROJECTS = ("asked_projects", "facts", "project_ids", "first_days", "last_days")
_OF_PLATFORM = ("asked_of_platform", "platform_facts", "platform_first_days", "platform_last_days")


def _highest(owner: str, table: str, asked: str) -> str:
    """SQL for the highest number of each owner: on the days asked for, or of its counter."""
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

_READ = Query(
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
    """A version and the span of reads in which it was seen, by their times."""

    version: str
    first_as_of: datetime
    last_as_of: datetime
    read_at: float


class Versions:
    """The versions a process has read. Reads follow one another, so their order is the data's."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._remembered: OrderedDict[Tags, _Remembered] = OrderedDict()
        self._reads = Batches[frozenset[Tags], Moment](self._read_together, _TOGETHER)

    async def of(self, tags: Collection[Tags]) -> Moment:
        """Versions that were all true at one moment no longer than FRESH_SECONDS ago."""
        return self._known(tags) or await self._reads.ask(frozenset(tags))

    def _known(self, tags: Collection[Tags]) -> Moment | None:
        found = {tag: self._remembered.get(tag) for tag in tags}
        known = {tag: one for tag, one in found.items() if one is not None}
        oldest = self._monotonic() - FRESH_SECONDS
        if not known or len(known) < len(found):
            return None
        if any(one.read_at < oldest for one in known.values()):
            return None
        # All were true when that of them was read which was read longest ago.
        as_of = min(one.last_as_of for one in known.values())
        if any(one.first_as_of > as_of for one in known.values()):
            return None
        return Moment({tag: one.version for tag, one in known.items()}, as_of)

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
            self._remembered[tag] = _Remembered(version, as_of, as_of, read_at)
        self._remembered.move_to_end(tag)
        while len(self._remembered) > REMEMBERED_TAGS:
            self._remembered.popitem(last=False)
