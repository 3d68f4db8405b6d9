"""Version counters: a number for the latest change of each project and fact.

A transaction that changes a project's data raises the project's counter as its last statement, and
stores the new number for every UTC day about which an answer may have changed. The row lock makes a
counter rise in commit order, and its number becomes visible together with the data. The platform's
roll-ups have the same counters by writer slot.
"""

from collections.abc import Collection
from datetime import date
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
)

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.metadata import metadata

# Provisioned names and titles concern all viewers, so their counter belongs to no project.
CATALOGUE = "catalogue"
CATALOGUE_PROJECT = 0


# A counter's row is updated with every batch; free space on its page keeps updates cheap (HOT).
def _counters(name: str, **key: Any) -> Table:
    """A table of numbers, by key columns of these types."""
    columns = (_key(column, kind) for column, kind in key.items())
    number = Column("number", BigInteger, nullable=False)
    return Table(name, metadata, *columns, number, postgresql_with={"fillfactor": 50})


def _key(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


project_versions = _counters("project_versions", project_id=BigInteger, fact=Text)
project_version_days = _counters("project_version_days", project_id=BigInteger, fact=Text, day=Date)
platform_versions = _counters("platform_versions", slot=SmallInteger, fact=Text)
platform_version_days = _counters("platform_version_days", slot=SmallInteger, fact=Text, day=Date)

# The change feed: the entities that each number of a project's counter stands for.
changes = Table(
    "changes",
    metadata,
    _key("project_id", BigInteger),
    _key("fact", Text),
    _key("number", BigInteger),
    _key("entity_id", Uuid),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
Index("changes_recorded_at_idx", changes.c.recorded_at)


async def record(
    connection: Connection,
    fact: str,
    slot: int,
    days: Collection[tuple[int, date]],
    entities: Collection[tuple[int, UUID]] = (),
) -> None:
    """Count a change of the (project, UTC day) and (project, entity) pairs' projects.

    Call it last in a transaction, since many writers wait for its locks.
    """
    if days or entities:
        columns = (*columns_of(days, 2), *columns_of(entities, 2))
        await connection.execute(_RECORD, fact, slot, *columns)


# A number is never below the time in microseconds, so that a restored database, or another one on
# the same Redis, does not reuse a number that stands for other data.
_NOW_US = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
_NEXT = "greatest(stored.number + 1, excluded.number)"

# Locks are taken in one order, projects by id and then the platform, so that writers do not
# deadlock. Rows of days are written only under the lock of their counter.
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
entity_changes as (
  insert into changes (project_id, fact, number, entity_id)
  select distinct project_id, $1, number, entity_id from entities join counted using (project_id))
select count(*) from counted
"""

# A common table expression that counts a change of the catalogue, for the dictionaries' statements.
COUNT_CATALOGUE = f"""
catalogue_counted as (
  insert into project_versions as stored (project_id, fact, number)
  values ({CATALOGUE_PROJECT}, '{CATALOGUE}', {_NOW_US})
  on conflict (project_id, fact) do update set number = {_NEXT})
"""
