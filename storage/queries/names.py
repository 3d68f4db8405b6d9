"""Environments and frameworks that a scope's own deployments use."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import select

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.dimensions import COLUMNS, Dictionary
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within
from storage.series import series

# The dimensions whose names belong to tenants; all viewers may know the names of the others.
TENANTS_OWN: frozenset[str] = frozenset({Dictionary.ENVIRONMENT, Dictionary.FRAMEWORK})


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
