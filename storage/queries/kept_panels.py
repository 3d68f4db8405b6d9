"""The panels that are kept in the pages of projects."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.kept_panels import kept_panels
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within


async def of_projects(
    database: Database, scope: ProjectScope, project_ids: Sequence[int]
) -> dict[int, list[Any]]:
    """The panels of each project, in their order."""
    found: dict[int, list[Any]] = {project_id: [] for project_id in project_ids}
    for row in await fetch_within(database, scope, _of_projects, wanted=list(project_ids)):
        found[row["project_id"]].append(row)
    return found


@lru_cache
def _of_projects(scope_size: ScopeSize) -> SqlQuery:
    columns = kept_panels.c
    return SqlQuery(
        "kept_panels_of_projects",
        select(kept_panels)
        .where(allowed(columns.project_id, scope_size), any_of(columns.project_id, "wanted"))
        .order_by(columns.project_id, columns.position, columns.panel_id),
    )
