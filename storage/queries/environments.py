"""Environments and frameworks: those that occur in the series of a scope's projects."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Text, and_, select

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of, unnested
from storage.dimensions import COLUMNS, OTHER, Dictionary, environments
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within
from storage.series import series

# The dimensions whose names belong to tenants; all viewers may know the names of the others.
TENANTS_OWN: frozenset[str] = frozenset({Dictionary.ENVIRONMENT, Dictionary.FRAMEWORK})


async def of_projects(
    database: Database, scope: ProjectScope, project_ids: Sequence[int]
) -> dict[int, list[Any]]:
    """The environments of each project, ordered by name."""
    found: dict[int, list[Any]] = {project_id: [] for project_id in project_ids}
    for row in await fetch_within(database, scope, _of_projects, wanted=list(project_ids)):
        found[row["project_id"]].append(row)
    return found


@lru_cache
def _of_projects(scope_size: ScopeSize) -> SqlQuery:
    return SqlQuery(
        "environments_of_projects",
        _select(scope_size)
        .where(any_of(series.c.project_id, "wanted"))
        .order_by(series.c.project_id, environments.c.name),
    )


async def by_names(
    database: Database, scope: ProjectScope, keys: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], Any]:
    """The environments with these (project, name) keys that exist in the scope, by key."""
    rows = await fetch_within(
        database,
        scope,
        _by_names,
        key_projects=[project_id for project_id, _ in keys],
        key_names=[name for _, name in keys],
    )
    return {(row["project_id"], row["name"]): row for row in rows}


@lru_cache
def _by_names(scope_size: ScopeSize) -> SqlQuery:
    columns = {"project_id": ("key_projects", BigInteger), "name": ("key_names", Text)}
    wanted = unnested(columns)
    same_key = and_(
        series.c.project_id == wanted.c.project_id, environments.c.name == wanted.c.name
    )
    return SqlQuery("environments_by_names", _select(scope_size).join(wanted, same_key))


def _select(scope_size: ScopeSize) -> Any:
    return (
        select(series.c.project_id, environments.c.environment_id, environments.c.name)
        .distinct()
        .select_from(series)
        .join(environments, environments.c.environment_id == series.c.environment_id)
        .where(allowed(series.c.project_id, scope_size), environments.c.environment_id > OTHER)
    )


async def find_used(
    database: Database, scope: ProjectScope, dimension: str, names: Sequence[str]
) -> dict[str, int]:
    """The ids of the names that are used in the scope; a name used only elsewhere is left out."""
    rows = await fetch_within(database, scope, _used, Dictionary(dimension), names=list(names))
    return {row["name"]: row["id"] for row in rows}


@lru_cache
def _used(scope_size: ScopeSize, dimension: Dictionary) -> SqlQuery:
    key, name = COLUMNS[dimension]
    known = select(series.c.project_id).where(
        series.c[key.name] == key, allowed(series.c.project_id, scope_size)
    )
    return SqlQuery(
        f"{dimension}s_used",
        select(key.label("id"), name.label("name")).where(any_of(name, "names"), known.exists()),
    )
