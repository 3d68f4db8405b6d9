"""Dictionaries: the small integer ids of the names that facts carry, and how names are created."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery, any_of
from storage.dimensions import DIMENSIONS, OTHER, PROJECT, Dimension
from storage.feed.counters import COUNT_CATALOGUE
from storage.recent import Recent

# The most names of each dimension that a process remembers.
_REMEMBERED_AT_MOST = 50_000


_BY_NAME = {
    dimension: SqlQuery(
        f"{dimension}_ids",
        select(dimension.key, dimension.names).where(any_of(dimension.names, "names")),
    )
    for dimension in DIMENSIONS.values()
}

_BY_ID = {
    dimension: SqlQuery(
        f"{dimension}_names",
        select(dimension.key, dimension.names).where(any_of(dimension.key, "ids")),
    )
    for dimension in DIMENSIONS.values()
}


class Dictionaries:
    """The names and ids of all dictionaries; a process remembers the recent ones.

    An id never changes its name, so entries stay valid. A miss is not remembered, since another
    process may create the name at any moment.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids = {each: Recent[str, int](_REMEMBERED_AT_MOST) for each in _BY_NAME}
        self._names = {each: Recent[int, str](_REMEMBERED_AT_MOST) for each in _BY_ID}

    async def project_ids(self, slugs: Iterable[str]) -> dict[str, int]:
        """The ids of the slugs that exist."""
        return await self.ids(PROJECT, slugs)

    async def ids(self, dimension: Dimension, names: Iterable[str]) -> dict[str, int]:
        """The ids of the names that exist."""
        found, missing = _known(self._ids[dimension], names)
        if missing:
            rows = await self._database.fetch(_BY_NAME[dimension], names=sorted(missing))
            found |= {name: key for key, name in rows}
            self._remember(dimension, rows)
        return found

    async def names(self, dimension: Dimension, ids: Iterable[int]) -> dict[int, str]:
        """The names of the ids that exist."""
        found, missing = _known(self._names[dimension], ids)
        if missing:
            rows = await self._database.fetch(_BY_ID[dimension], ids=sorted(missing))
            found |= dict(rows)
            self._remember(dimension, rows)
        return found

    def _remember(self, dimension: Dimension, rows: Iterable[Any]) -> None:
        for key, name in rows:
            self._ids[dimension][name] = key
            self._names[dimension][key] = name

    async def ensure(
        self, connection: Connection, dimension: Dimension, names: Iterable[str]
    ) -> dict[str, int]:
        """The ids of all names of an interned dimension, creating new ones; OTHER if it is full."""
        wanted = set(names)
        found = await self.ids(dimension, wanted)
        missing = sorted(wanted - found.keys())
        if not missing:
            return found
        # Not remembered here: the caller's transaction may still be rolled back.
        await connection.execute(_intern(dimension), missing, dimension.at_most)
        rows = await connection.fetch(_BY_NAME[dimension].text, missing)
        created = {name: key for key, name in rows}
        return found | {name: created.get(name, OTHER) for name in missing}

    async def create_projects(self, connection: Connection, slugs: Iterable[str]) -> dict[str, int]:
        """The ids of all slugs; new projects are created with the slug as their name."""
        wanted = sorted(set(slugs))
        await connection.execute(_CREATE_PROJECTS, wanted)
        rows = await connection.fetch(_BY_NAME[PROJECT].text, wanted)
        return {slug: key for key, slug in rows}


def _known(memory: Recent[Any, Any], keys: Iterable[Any]) -> tuple[dict[Any, Any], set[Any]]:
    """The remembered values by key, and the other keys."""
    wanted = set(keys)
    found = {key: value for key in wanted if (value := memory.get(key)) is not None}
    return found, wanted - found.keys()


def _intern(dimension: Dimension) -> str:
    """SQL that creates names, in one order so that two transactions do not deadlock.

    Ids are handed out in order, so the highest one limits their number without counting them.
    """
    table = dimension.dictionary.name
    return (
        f"insert into {table} (name) select name from unnest($1::text[]) as given(name)"
        f" where coalesce((select max({dimension.column}) from {table}), 0) < $2 order by name"
        " on conflict (name) do nothing"
    )


_CREATE_PROJECTS = """
insert into projects (slug, name) select slug, slug from unnest($1::text[]) as given(slug)
where not exists (select 1 from projects where projects.slug = given.slug)
order by slug on conflict (slug) do nothing
"""


@dataclass(frozen=True, slots=True)
class TemplateFields:
    """A template's slug and the fields to store; None leaves the stored value."""

    slug: str
    name: str | None = None
    description: str | None = None
    category: str | None = None
    tags: tuple[str, ...] | None = None


async def find_ids(
    connection: Connection, dimension: Dimension, names: Sequence[str] | None
) -> dict[str, int]:
    """The ids of the names that exist, in order of the names; of all where it is None."""
    table, key, label = dimension.dictionary.name, dimension.column, dimension.label
    given = f"where $1::text[] is null or {label} = any($1::text[])"
    statement = f"select {label} as name, {key} as id from {table} {given} order by {label}"
    return {row["name"]: row["id"] for row in await connection.fetch(statement, names)}


async def upsert_project(connection: Connection, slug: str, name: str | None = None) -> int:
    return int(await connection.fetchval(_UPSERT_PROJECT, slug, name))


async def upsert_network(
    connection: Connection, name: str, title: str | None = None, chain_id: int | None = None
) -> int:
    return int(await connection.fetchval(_UPSERT_NETWORK, name, title, chain_id))


async def upsert_template(connection: Connection, template: TemplateFields) -> int:
    tags = None if template.tags is None else list(template.tags)
    fields = (template.slug, template.name, template.description, template.category, tags)
    return int(await connection.fetchval(_UPSERT_TEMPLATE, *fields))


# Cached answers hold these names and titles, so each statement counts a change.
_UPSERT_PROJECT = f"""
with {COUNT_CATALOGUE}
insert into projects as stored (slug, name) values ($1, coalesce($2, $1))
on conflict (slug) do update set name = coalesce($2, stored.name) returning project_id
"""

# Deployments may have named it before it existed, so a new name requests their reassignment.
_UPSERT_NETWORK = f"""
with {COUNT_CATALOGUE}, pending as (
  insert into reassignments (dimension, name)
  select 'network', $1 where not exists (select 1 from networks where name = $1)
  on conflict do nothing)
insert into networks as stored (name, title, chain_id) values ($1, coalesce($2, $1), $3)
on conflict (name) do update
set title = coalesce($2, stored.title), chain_id = coalesce($3, stored.chain_id)
returning network_id
"""

_UPSERT_TEMPLATE = f"""
with {COUNT_CATALOGUE}, pending as (
  insert into reassignments (dimension, name)
  select 'template', $1 where not exists (select 1 from templates where slug = $1)
  on conflict do nothing)
insert into templates as stored (slug, name, description, category, tags)
values ($1, coalesce($2, $1), $3, $4, coalesce($5::text[], '{{}}'))
on conflict (slug) do update
set name = coalesce($2, stored.name), description = coalesce($3, stored.description),
    category = coalesce($4, stored.category), tags = coalesce($5, stored.tags)
returning template_id
"""
