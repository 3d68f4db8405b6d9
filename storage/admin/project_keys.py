"""The table of project keys: public keys with which Sentry SDKs send events of one project."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Integer,
    Table,
    Text,
    bindparam,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on

from storage.admin.credentials import Lifecycle, lifecycle
from storage.connections.database import Connection, Database
from storage.connections.query import SqlQuery, any_of
from storage.dimensions import projects
from storage.metadata import metadata
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within

KEYS_OF_PROJECT_AT_MOST = 100
REVOKED_AT_MOST = 100  # of a project; those revoked first are forgotten

project_keys = Table(
    "project_keys",
    metadata,
    Column("public_key", Text, primary_key=True),
    Column("project_id", BigInteger, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("events_per_minute", Integer, nullable=False),
    Column("origins", ARRAY(Text), nullable=False),
    Column("refused_releases", ARRAY(Text), nullable=False),
    Column("refused_texts", ARRAY(Text), nullable=False),
    Column("refuses_legacy_browsers", Boolean, nullable=False),
    Column("takes_transactions", Boolean, nullable=False),
    Column("forward_to", Text),
    *lifecycle(),
)
_LIFECYCLE = Lifecycle("project_keys", "public_key", "text")
revoke, mark_used = _LIFECYCLE.revoke, _LIFECYCLE.mark_used


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """What may be changed of a key."""

    name: str
    events_per_minute: int
    origins: tuple[str, ...] = ()  # of pages that may send; empty for any
    refused_releases: tuple[str, ...] = ()  # globs
    refused_texts: tuple[str, ...] = ()  # globs, or parts of a text
    refuses_legacy_browsers: bool = False
    takes_transactions: bool = False
    forward_to: str | None = None  # the DSN of another server

    def row(self) -> list[Any]:
        values = [getattr(self, column.name) for column in fields(KeySettings)]
        return [list(value) if isinstance(value, tuple) else value for value in values]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectKey(KeySettings):
    """A row of the table, with the slug of its project."""

    public_key: str
    project_id: int
    project: str
    created_by: str
    created_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    last_used_at: datetime | None = None

    @classmethod
    def of(cls, row: Any) -> "ProjectKey":
        values = {column.name: row[column.name] for column in fields(cls)}
        lists = ("origins", "refused_releases", "refused_texts")
        return cls(**values | {name: tuple(row[name]) for name in lists})


async def add(connection: Connection, key: ProjectKey) -> bool:
    """Insert a new key; returns false if the project has too many that are not revoked."""
    await connection.execute(_COUNTING)
    status: str = await connection.execute(
        _ADD,
        key.public_key,
        key.project_id,
        key.created_by,
        key.created_at,
        KEYS_OF_PROJECT_AT_MOST,
        *key.row(),
    )
    await connection.execute(_FORGET, key.project_id, REVOKED_AT_MOST)
    return status.endswith(" 1")


async def change(connection: Connection, public_key: str, settings: KeySettings) -> None:
    await connection.execute(_CHANGE, public_key, *settings.row())


async def find(database: Database, public_key: str) -> ProjectKey | None:
    rows = await database.fetch(_BY_KEY, public_key=public_key)
    return ProjectKey.of(rows[0]) if rows else None


async def lock(connection: Connection, public_key: str) -> ProjectKey | None:
    """The key, locked until the transaction ends."""
    row = await connection.fetchrow(_LOCK, public_key)
    return None if row is None else ProjectKey.of(row)


async def find_of(database: Database, project_id: int) -> list[ProjectKey]:
    """The keys of a project, the newest first."""
    rows = await database.fetch(_BY_PROJECT, project_id=project_id)
    return [ProjectKey.of(row) for row in rows]


async def live_of_projects(
    database: Database, scope: ProjectScope, project_ids: Sequence[int]
) -> dict[int, ProjectKey]:
    """The newest key of each project that is not revoked."""
    rows = await fetch_within(database, scope, _live, wanted=list(project_ids))
    return {row["project_id"]: ProjectKey.of(row) for row in rows}


@lru_cache
def _live(scope_size: ScopeSize) -> SqlQuery:
    project_id = project_keys.c.project_id
    return SqlQuery(
        "live_project_keys",
        _WITH_PROJECT.where(
            allowed(project_id, scope_size),
            any_of(project_id, "wanted"),
            project_keys.c.revoked_at.is_(None),
        )
        .ext(distinct_on(project_id))
        .order_by(project_id, project_keys.c.created_at.desc(), project_keys.c.public_key),
    )


_WITH_PROJECT = select(project_keys, projects.c.slug.label("project")).join(
    projects, projects.c.project_id == project_keys.c.project_id
)

_BY_KEY = SqlQuery(
    "project_key", _WITH_PROJECT.where(project_keys.c.public_key == bindparam("public_key"))
)

_BY_PROJECT = SqlQuery(
    "project_keys",
    _WITH_PROJECT.where(project_keys.c.project_id == bindparam("project_id")).order_by(
        project_keys.c.created_at.desc(), project_keys.c.public_key
    ),
)

_LOCK = """
select project_keys.*, projects.slug as project
from project_keys join projects using (project_id) where public_key = $1
for update of project_keys
"""


def _casts(first: int) -> Sequence[str]:
    """The parameters of the settings, the first of which has this number."""
    kinds = ("text", "int", "text[]", "text[]", "text[]", "boolean", "boolean", "text")
    return [f"${number}::{kind}" for number, kind in enumerate(kinds, first)]


_SETTINGS = ", ".join(column.name for column in fields(KeySettings))

_ADD = f"""
insert into project_keys (public_key, project_id, created_by, created_at, {_SETTINGS})
select $1::text, $2::bigint, $3::text, $4::timestamptz, {", ".join(_casts(6))}
where (select count(*) from project_keys where project_id = $2 and revoked_at is null) < $5
"""

# New keys are counted one transaction after the other.
_COUNTING = "select pg_advisory_xact_lock(hashtext('project_keys'))"

_FORGET = """
delete from project_keys where public_key in (
  select public_key from project_keys where project_id = $1 and revoked_at is not null
  order by revoked_at desc, public_key offset $2)
"""

_CHANGE = f"""
update project_keys set ({_SETTINGS}) = ({", ".join(_casts(2))}) where public_key = $1
"""
