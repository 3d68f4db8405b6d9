"""Environments of projects: those that occur in their series."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Text, and_, select

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of, unnested
from storage.dimensions import OTHER, environments
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within
from storage.series import series


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
