"""When the first event of each fact came from a project."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import func, literal, select, union_all

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.dimensions import projects
from storage.facts import FACTS
from storage.facts.fact import Append, Fact
from storage.queries.scoping import (
    ProjectScope,
    ScopeSize,
    allowed,
    fetch_within,
    key_rows,
    key_values,
)


async def of_projects(
    database: Database, scope: ProjectScope, project_ids: Sequence[int]
) -> dict[int, dict[str, datetime]]:
    """The time of the earliest event that is stored, by project and the name of its fact."""
    keys = key_values([(project_id,) for project_id in project_ids])
    found: dict[int, dict[str, datetime]] = {project_id: {} for project_id in project_ids}
    for row in await fetch_within(database, scope, _of_projects, **keys):
        if row["first_at"] is not None:
            found[row["project_id"]][row["fact"]] = row["first_at"]
    return found


@lru_cache
def _of_projects(scope_size: ScopeSize) -> SqlQuery:
    wanted = key_rows(projects.c.project_id)
    parts = (
        select(
            wanted.c.project_id, literal(fact.name).label("fact"), _first(fact, wanted.c.project_id)
        ).where(allowed(wanted.c.project_id, scope_size))
        for fact in FACTS.values()
    )
    return SqlQuery("first_events", union_all(*parts))


def _first(fact: Fact, project_id: Any) -> Any:
    # A series knows the time of its first row also when the row is gone.
    column = fact.series.c.first_at if isinstance(fact, Append) else fact.table.c.created_at
    earliest = select(func.min(column)).where(column.table.c.project_id == project_id)
    return earliest.scalar_subquery().label("first_at")
