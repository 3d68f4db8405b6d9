"""Versions: counters beside the data, which say whether a kept answer is still the data's.

Each (project, fact) has a counter. A transaction that changes the project's data raises it as its
last statement and notes the new number on every UTC day whose roll-ups it changed. The row
lock makes a counter rise in commit order, and its number becomes visible together with the data.
So an answer about some days is unchanged while the highest number noted on those days is. The
platform's roll-ups have the same counters by writer slot.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)

from storage.batches import Batches
from storage.database import Connection, Database
from storage.metadata import metadata
from storage.query import Fetch, Query

# Counters read this recently vouch for a kept answer without the database.
FRESH_SECONDS = 0.25
# A process remembers the versions of so many different tags.
REMEMBERED_TAGS = 10_000
# Questions that are asked meanwhile are read together, so many at a time.
_TOGETHER = 200

# What is provisioned (names, titles) concerns everybody, so it is counted under no project.
CATALOGUE = "catalogue"
CATALOGUE_PROJECT = 0

_READABLE_LENGTH = 32

# A counter's row is updated with every batch: room on its page keeps those updates cheap (HOT).
_HOT = {"postgresql_with": {"fillfactor": 50}}


def _counted(name: str, owner: Column[Any], *day: Column[Any], **options: Any) -> Table:
    return Table(
        name,
        metadata,
        owner,
        Column("fact", Text, primary_key=True),
        *day,
        Column("number", BigInteger, nullable=False),
        **options,
    )


def _project() -> Column[Any]:
    return Column("project_id", BigInteger, primary_key=True, autoincrement=False)


def _slot() -> Column[Any]:
    return Column("slot", SmallInteger, primary_key=True, autoincrement=False)


def _day() -> Column[Any]:
    return Column("day", Date, primary_key=True)


project_versions = _counted("project_versions", _project(), **_HOT)
project_version_days = _counted("project_version_days", _project(), _day(), **_HOT)
platform_versions = _counted("platform_versions", _slot(), **_HOT)
platform_version_days = _counted("platform_version_days", _slot(), _day(), **_HOT)

# The change feed: which entities a number of a project's counter stands for.
changes = Table(
    "changes",
    metadata,
    _project(),
    Column("fact", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("entity_id", Uuid, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("changes_recorded_at_idx", changes.c.recorded_at)


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
class Touched:
    """What a transaction has changed: the UTC days of each project, and entities."""

    days: Collection[tuple[int, date]]
    entities: Collection[tuple[int, UUID]] = ()


async def record(connection: Connection, fact: str, slot: int, touched: Touched) -> None:
    """Count a change of these projects. The last statement of a transaction: its locks are hot."""
    if not touched.days and not touched.entities:
        return
    await connection.execute(
        _RECORD, fact, slot, *_columns(touched.days, 2), *_columns(touched.entities, 2)
    )


def _columns(rows: Collection[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


# A number is never below the time, in microseconds: a database restored from a copy, or another one
# beside the same Redis, does not come to numbers that stand for other data there.
_NOW_US = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
_NEXT = "greatest(stored.number + 1, excluded.number)"

# In one fixed order, projects by number and then the platform, so that no two writers wait for
# each other. Rows of days are written only under the lock of their counter.
_RECORD = f"""
with days as (select * from unnest($3::bigint[], $4::date[]) as given(project_id, day)),
entities as (select * from unnest($5::bigint[], $6::uuid[]) as given(project_id, entity_id)),
counted as (
  insert into project_versions as stored (project_id, fact, number)
  select project_id, $1, {_NOW_US}
  from (select project_id from days union select project_id from entities) as projects
  order by project_id
  on conflict (project_id, fact) do update set number = {_NEXT}
  returning project_id, number),
noted as (
  insert into project_version_days as stored (project_id, fact, day, number)
  select distinct project_id, $1, day, number from days join counted using (project_id)
  order by project_id, day
  on conflict (project_id, fact, day) do update set number = excluded.number),
platform as (
  insert into platform_versions as stored (slot, fact, number)
  select $2::smallint, $1, {_NOW_US} from (select count(*) from counted) as afterwards
  on conflict (slot, fact) do update set number = {_NEXT}
  returning number),
platform_noted as (
  insert into platform_version_days as stored (slot, fact, day, number)
  select $2::smallint, $1, day, number from (select distinct day from days) as touched, platform
  order by day
  on conflict (slot, fact, day) do update set number = excluded.number),
told as (
  insert into changes (project_id, fact, number, entity_id)
  select distinct project_id, $1, number, entity_id from entities join counted using (project_id))
select count(*) from counted
"""

# For the dictionaries: SQL that counts a change of the catalogue in the statement it is part of.
COUNT_CATALOGUE = f"""
catalogue_counted as (
  insert into project_versions as stored (project_id, fact, number)
  values ({CATALOGUE_PROJECT}, '{CATALOGUE}', {_NOW_US})
  on conflict (project_id, fact) do update set number = {_NEXT})
"""


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
    columns = (*_columns(of_projects, 5), *_columns(of_platform, 4))
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
