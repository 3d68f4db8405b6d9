"""The scope as SQL: every statement over tenants' rows is built with one of these."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import ARRAY, BigInteger, ColumnElement, bindparam, func, true

from storage.connections.query import any_of

# Up to this many projects, one index scan per project beats one over everybody's rows.
FEW_PROJECTS = 48


class ProjectScope(Protocol):
    """The projects a statement may touch; None is everything (access.scopes.Scope)."""

    @property
    def project_ids(self) -> tuple[int, ...] | None: ...


class ScopeSize(StrEnum):
    """What of a scope decides the SQL text."""

    EVERYTHING = "everything"
    MANY = "many"
    FEW = "few"


def size_of(scope: ProjectScope) -> ScopeSize:
    if scope.project_ids is None:
        return ScopeSize.EVERYTHING
    return ScopeSize.FEW if len(scope.project_ids) <= FEW_PROJECTS else ScopeSize.MANY


def is_empty(scope: ProjectScope) -> bool:
    return scope.project_ids == ()


def allowed(column: ColumnElement[int], scope_size: ScopeSize) -> ColumnElement[bool]:
    """The column's project lies in the scope."""
    return true() if scope_size is ScopeSize.EVERYTHING else any_of(column, "scope")


def scope_rows() -> Any:
    """The scope's projects as a row set with the column `project_id`."""
    ids: ColumnElement[Any] = bindparam("scope", type_=ARRAY(BigInteger), required=True)
    return func.unnest(ids).table_valued("project_id", name="allowed_projects").render_derived()


def scope_parameters(scope: ProjectScope) -> Mapping[str, Any]:
    return {} if scope.project_ids is None else {"scope": list(scope.project_ids)}
