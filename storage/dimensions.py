"""Dictionaries: small integer ids for the names that facts carry, and their tables."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity, Integer, Table, Text, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery, any_of
from storage.feed.counters import COUNT_CATALOGUE
from storage.metadata import metadata

# Reserved ids in every dictionary but projects: no name given, and a name that is unknown or
# beyond a limit.
NONE = 0
OTHER = 1

# The name of OTHER in every dictionary, which nothing provisioned may have.
OTHER_NAME = "other"
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")

# Events create environments and frameworks, so their number is limited.
NAMES_AT_MOST = 10_000


class Dictionary(StrEnum):
    PROJECT = "project"
    ENVIRONMENT = "environment"
    NETWORK = "network"
    TEMPLATE = "template"
    FRAMEWORK = "framework"


def is_slug(text: str) -> bool:
    """Whether the text may be a name in queries and URLs."""
    return bool(_SLUG.fullmatch(text)) and text != OTHER_NAME


def _created_at() -> Column[Any]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def _id(name: str, kind: type[Integer] = Integer, start: int = 2) -> Column[Any]:
    return Column(name, kind, Identity(start=start), primary_key=True)


projects = Table(
    "projects",
    metadata,
    _id("project_id", BigInteger, start=1),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    _created_at(),
)

networks = Table(
    "networks",
    metadata,
    _id("network_id", start=4),
    Column("name", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("chain_id", BigInteger),
    _created_at(),
)

templates = Table(
    "templates",
    metadata,
    _id("template_id"),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("category", Text),
    Column("tags", ARRAY(Text), nullable=False, server_default="{}"),
    _created_at(),
)

environments = Table(
    "environments",
    metadata,
    _id("environment_id"),
    Column("name", Text, nullable=False, unique=True),
)

frameworks = Table(
    "frameworks",
    metadata,
    _id("framework_id"),
    Column("name", Text, nullable=False, unique=True),
)

# The id and name columns of each dictionary.
COLUMNS: dict[Dictionary, tuple[Column[Any], Column[Any]]] = {
    Dictionary.PROJECT: (projects.c.project_id, projects.c.slug),
    Dictionary.ENVIRONMENT: (environments.c.environment_id, environments.c.name),
    Dictionary.NETWORK: (networks.c.network_id, networks.c.name),
    Dictionary.TEMPLATE: (templates.c.template_id, templates.c.slug),
    Dictionary.FRAMEWORK: (frameworks.c.framework_id, frameworks.c.name),
}

_BY_NAME = {
    dimension: SqlQuery(f"{dimension}_ids", select(key, name).where(any_of(name, "names")))
    for dimension, (key, name) in COLUMNS.items()
}

_BY_ID = {
    dimension: SqlQuery(f"{dimension}_names", select(key, name).where(any_of(key, "ids")))
    for dimension, (key, name) in COLUMNS.items()
}


class Dictionaries:
    """The names and ids of all dictionaries, cached for the life of the process.

    An id never changes its name, so entries stay valid. A miss is not cached, since another
    process may provision the name at any moment.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[Dictionary, dict[str, int]] = {dimension: {} for dimension in Dictionary}
        self._names: dict[Dictionary, dict[int, str]] = {dimension: {} for dimension in Dictionary}

    async def project_ids(self, slugs: Iterable[str]) -> dict[str, int]:
        """The ids of the slugs that exist."""
        return await self.ids(Dictionary.PROJECT, slugs)

    async def ids(self, dimension: str, names: Iterable[str]) -> dict[str, int]:
        """The ids of the names that exist."""
        kind = Dictionary(dimension)
        wanted, known = set(names), self._ids[kind]
        missing = sorted(wanted - known.keys())
        if missing:
            self._remember(kind, await self._database.fetch(_BY_NAME[kind], names=missing))
        return {name: known[name] for name in wanted if name in known}

    async def names(self, dimension: str, ids: Iterable[int]) -> dict[int, str]:
        """The names of the ids that exist."""
        kind = Dictionary(dimension)
        wanted, known = set(ids), self._names[kind]
        missing = sorted(wanted - known.keys())
        if missing:
            self._remember(kind, await self._database.fetch(_BY_ID[kind], ids=missing))
        return {key: known[key] for key in wanted if key in known}

    def _remember(self, dimension: Dictionary, rows: Iterable[Any]) -> None:
        for key, name in rows:
            self._ids[dimension][name] = key
            self._names[dimension][key] = name

    async def ensure(
        self, connection: Connection, dimension: Dictionary, names: Iterable[str]
    ) -> dict[str, int]:
        """The ids of all environments or frameworks, creating new ones; OTHER beyond the limit."""
        wanted = set(names)
        found = await self.ids(dimension, wanted)
        missing = sorted(wanted - found.keys())
        if not missing:
            return found
        # Not cached here: the caller's transaction may still be rolled back.
        await connection.execute(_INTERN[dimension], missing, NAMES_AT_MOST)
        rows = await connection.fetch(_BY_NAME[dimension].text, missing)
        created = {name: key for key, name in rows}
        return found | {name: created.get(name, OTHER) for name in missing}

    async def create_projects(self, connection: Connection, slugs: Iterable[str]) -> dict[str, int]:
        """The ids of all slugs; new projects are created with the slug as their name."""
        wanted = sorted(set(slugs))
        await connection.execute(_CREATE_PROJECTS, wanted)
        rows = await connection.fetch(_BY_NAME[Dictionary.PROJECT].text, wanted)
        return {slug: key for key, slug in rows}


def _intern(table: Table) -> str:
    # In one order, so that two transactions with the same new names do not deadlock.
    return (
        f"insert into {table.name} (name) select name from unnest($1::text[]) as given(name)"
        f" where (select count(*) from {table.name}) < $2 order by name"
        " on conflict (name) do nothing"
    )


_INTERN = {
    Dictionary.ENVIRONMENT: _intern(environments),
    Dictionary.FRAMEWORK: _intern(frameworks),
}

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
