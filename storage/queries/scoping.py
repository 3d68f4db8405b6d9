"""Scopes as SQL: every statement over tenants' rows is built for a scope and run within it."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Protocol

import asyncpg
from sqlalchemy import BigInteger, Column, ColumnElement, true

from storage.connections.query import SqlQuery, any_of, unnested

# Up to this many projects, an index scan for each is faster than one over all projects' rows.
FEW_PROJECTS = 48


class ProjectScope(Protocol):
    """The projects a statement may read; None means all (see access.scopes.Scope)."""

    @property
    def project_ids(self) -> tuple[int, ...] | None: ...


class Reads(Protocol):
    """Where a statement is run: the database, or one state of it."""

    async def fetch(self, query: SqlQuery, **parameters: Any) -> list[asyncpg.Record]: ...


class ScopeSize(StrEnum):
    """The kind of a scope by its number of projects, which decides the SQL text."""

    EVERYTHING = "everything"
    MANY = "many"
    FEW = "few"


async def fetch_within(
    database: Reads,
    scope: ProjectScope,
    build: Callable[..., SqlQuery],
    *shapes: Any,
    **parameters: Any,
) -> list[Any]:
    """Run the query that `build` makes from the scope's size and the shapes.

    An empty scope has no rows, so no statement is sent.
    """
    if scope.project_ids == ():
        return []
    if scope.project_ids is not None:
        parameters["scope"] = list(scope.project_ids)
    return await database.fetch(build(size_of(scope), *shapes), **parameters)


def size_of(scope: ProjectScope) -> ScopeSize:
    if scope.project_ids is None:
        return ScopeSize.EVERYTHING
    return ScopeSize.FEW if len(scope.project_ids) <= FEW_PROJECTS else ScopeSize.MANY


def allowed(column: ColumnElement[int], scope_size: ScopeSize) -> ColumnElement[bool]:
    """The condition that the column's project is in the scope."""
    return true() if scope_size is ScopeSize.EVERYTHING else any_of(column, "scope")


def allowed_text(scope_size: ScopeSize, table: str) -> str:
    """The condition that the project of a table's rows is in the scope, for statements in text."""
    if scope_size is ScopeSize.EVERYTHING:
        return "true"
    return f"{table}.project_id = any(cast(:scope as bigint[]))"


def scope_rows() -> Any:
    """A row set of the scope's projects, with the column `project_id`."""
    return unnested({"project_id": ("scope", BigInteger)})


def key_rows(*columns: Column[Any]) -> Any:
    """A row set of keys with a value of each column; `key_values` gives its parameters."""
    return unnested({each.name: (f"key{index}", each.type) for index, each in enumerate(columns)})


def key_values(keys: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """The parameters of `key_rows` for keys, of which there is at least one."""
    return {f"key{index}": list(part) for index, part in enumerate(zip(*keys, strict=True))}
