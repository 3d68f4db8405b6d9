"""The members of projects."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import select

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.members import project_members
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within


async def of_projects(
    database: Database, scope: ProjectScope, project_ids: Sequence[int]
) -> dict[int, list[Any]]:
    """The members of each project, by subject."""
    found: dict[int, list[Any]] = {project_id: [] for project_id in project_ids}
    for row in await fetch_within(database, scope, _of_projects, wanted=list(project_ids)):
        found[row["project_id"]].append(row)
    return found


@lru_cache
def _of_projects(scope_size: ScopeSize) -> SqlQuery:
    project_id, subject = project_members.c.project_id, project_members.c.subject
    return SqlQuery(
        "members_of_projects",
        select(project_members)
        .where(allowed(project_id, scope_size), any_of(project_id, "wanted"))
        .order_by(project_id, subject),
    )
