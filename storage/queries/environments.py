"""Environments: the names a project's deployments have been admitted under."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Text,
    and_,
    bindparam,
    func,
    select,
)

from storage.connections.database import Database
from storage.connections.query import Query, any_of
from storage.dimensions import OTHER, environments
from storage.queries.scoping import (
    ProjectScope,
    ScopeSize,
    allowed,
    is_empty,
    scope_parameters,
    size_of,
)
from storage.series import series


async def of_projects(
    database: Database, scope: ProjectScope, project_ids: Sequence[int]
) -> dict[int, list[Any]]:
    """Each project's environments, by name."""
    found: dict[int, list[Any]] = {project_id: [] for project_id in project_ids}
    if is_empty(scope) or not project_ids:
        return found
    query = _of_projects(size_of(scope))
    rows = await database.fetch(query, **scope_parameters(scope), wanted=list(project_ids))
    for row in rows:
        found[row["project_id"]].append(row)
    return found


@lru_cache
def _of_projects(scope_size: ScopeSize) -> Query:
    return Query(
        "environments_of_projects",
        _select(scope_size)
        .where(any_of(series.c.project_id, "wanted"))
        .order_by(series.c.project_id, environments.c.name),
    )


async def by_names(
    database: Database, scope: ProjectScope, keys: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], Any]:
    """The environments of these (project, name) pairs that exist."""
    if is_empty(scope) or not keys:
        return {}
    rows = await database.fetch(
        _by_names(size_of(scope)),
        **scope_parameters(scope),
        key_projects=[project_id for project_id, _ in keys],
        key_names=[name for _, name in keys],
    )
    return {(row["project_id"], row["name"]): row for row in rows}


@lru_cache
def _by_names(scope_size: ScopeSize) -> Query:
    names: ColumnElement[Any] = bindparam("key_names", type_=ARRAY(Text), required=True)
    wanted = _pairs(names)
    return Query(
        "environments_by_names",
        _select(scope_size).join(
            wanted,
            and_(
                series.c.project_id == wanted.c.project_id,
                environments.c.name == wanted.c.name,
            ),
        ),
    )


def _select(scope_size: ScopeSize) -> Any:
    return (
        select(series.c.project_id, environments.c.environment_id, environments.c.name)
        .distinct()
        .select_from(series)
        .join(environments, environments.c.environment_id == series.c.environment_id)
        .where(allowed(series.c.project_id, scope_size), environments.c.environment_id > OTHER)
    )


def _pairs(names: ColumnElement[Any]) -> Any:
    projects: ColumnElement[Any] = bindparam("key_projects", type_=ARRAY(BigInteger), required=True)
    return (
        func.unnest(projects, names)
        .table_valued("project_id", "name", name="wanted")
        .render_derived()
    )
