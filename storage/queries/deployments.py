"""Deployments: pages, single rows and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Select, Uuid, and_, bindparam, select, true

from storage.connections.database import Database
from storage.connections.query import SqlQuery, unnested
from storage.dimensions import projects
from storage.facts.deployments import deployments
from storage.queries.conditions import Filter, Shape, clause, parameters, shape
from storage.queries.joins import PLAIN, Reading, joined
from storage.queries.paging import (
    OrderColumn,
    Page,
    PageRequest,
    PageShape,
    counting,
    limits,
    ordering,
    page,
    paged,
    size,
)
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within, scope_rows
from storage.queries.times import as_text, parse_time

Key = tuple[int, UUID]

COLUMNS = tuple(
    deployments.c[name]
    for name in (
        "project_id", "deployment_id", "external_id", "status", "created_at", "started_at",
        "finished_at", "duration_us", "rolled_back_at", "environment", "network", "template",
        "framework", "actor", "to_deployment", "error", "attributes",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """A column (created_at, finished_at or duration_us) and its direction; then by ids.

    Deployments whose column is null are not in the list.
    """

    column: str = "created_at"
    descending: bool = True

    def position(self, row: Any) -> tuple[Any, int, UUID]:
        """The values of a row's order columns."""
        value = row[self.column]
        if self.column != "duration_us":
            value = parse_time(value)
        return value, row["project_id"], row["deployment_id"]


async def find(
    database: Database,
    scope: ProjectScope,
    filter: Filter,
    order: Order,
    request: PageRequest,
    reading: Reading = PLAIN,
) -> Page[Any]:
    """One page of the scope's deployments."""
    shapes = (shape(filter), order, request.shape, reading.shape)
    values = parameters(filter) | request.parameters() | reading.parameters()
    return page(await fetch_within(database, scope, _find, *shapes, **values), request)


@lru_cache(maxsize=512)
def _find(
    scope_size: ScopeSize, filter: Shape, order: Order, request: PageShape, reading: Reading = PLAIN
) -> SqlQuery:
    if scope_size is ScopeSize.FEW:
        page = _find_by_project(filter, order, request).subquery("page")
    else:
        page = _find_overall(scope_size, filter, order, request).subquery("page")
    keyset = _keyset(page.c, order)
    return SqlQuery("deployments_find", joined(page, reading).order_by(*ordering(keyset, request)))


def _find_overall(
    scope_size: ScopeSize, filter: Shape, order: Order, request: PageShape
) -> Select[Any]:
    source = deployments.c
    inside = allowed(source.project_id, scope_size)
    found = select(*COLUMNS).where(
        inside, source[order.column].is_not(None), clause(filter, source)
    )
    return paged(found, _keyset(source, order), request)


def _find_by_project(filter: Shape, order: Order, request: PageShape) -> Select[Any]:
    """Read a page of each project by its index, then select the page from these."""
    source = deployments.c
    ids = scope_rows()
    keyset = _keyset(source, order)
    of_project = (
        select(*COLUMNS)
        .where(
            source.project_id == ids.c.project_id,
            source[order.column].is_not(None),
            clause(filter, source),
            limits(keyset, request),
        )
        # Without the project, which is fixed here: ordering by it would prevent use of the index.
        .order_by(*ordering([keyset[0], keyset[2]], request))
        .limit(size())
        .lateral("of_project")
    )
    outer = _keyset(of_project.c, order)
    return (
        select(of_project)
        .select_from(ids.join(of_project, true()))
        .order_by(*ordering(outer, request))
        .limit(size())
    )


def _keyset(source: Any, order: Order) -> list[OrderColumn]:
    return [
        OrderColumn(source[order.column], order.descending),
        OrderColumn(source.project_id),
        OrderColumn(source.deployment_id),
    ]


async def count(
    database: Database, scope: ProjectScope, filter: Filter, order: Order, limit: int
) -> int:
    """The number of deployments in the list, counted up to `limit`."""
    shapes, values = (shape(filter), order.column), parameters(filter) | {"limit": limit}
    rows = await fetch_within(database, scope, _count, *shapes, **values)
    return rows[0]["found"] if rows else 0


@lru_cache(maxsize=512)
def _count(scope_size: ScopeSize, filter: Shape, order_column: str) -> SqlQuery:
    source = deployments.c
    return counting(
        "deployments_count",
        deployments,
        allowed(source.project_id, scope_size),
        source[order_column].is_not(None),
        clause(filter, source),
    )


async def by_keys(database: Database, scope: ProjectScope, keys: Sequence[Key]) -> dict[Key, Any]:
    """The deployments with these (project, id) keys that exist in the scope, by key."""
    rows = await fetch_within(
        database,
        scope,
        _by_keys,
        key_projects=[project_id for project_id, _ in keys],
        key_ids=[deployment_id for _, deployment_id in keys],
    )
    return {(row["project_id"], row["deployment_id"]): row for row in rows}


@lru_cache
def _by_keys(scope_size: ScopeSize) -> SqlQuery:
    wanted = unnested(
        {"project_id": ("key_projects", BigInteger), "deployment_id": ("key_ids", Uuid)},
    )
    source = deployments.c
    return SqlQuery(
        "deployments_by_keys",
        select(*as_text(COLUMNS))
        .join(
            wanted,
            and_(
                source.project_id == wanted.c.project_id,
                source.deployment_id == wanted.c.deployment_id,
            ),
        )
        .where(allowed(source.project_id, scope_size), source.created_at.is_not(None)),
    )


async def by_id(database: Database, scope: ProjectScope, deployment_id: UUID) -> Any | None:
    """The scope's deployment with this id; if several projects have one, the lowest project's."""
    rows = await fetch_within(database, scope, _by_id, deployment_id=deployment_id)
    return rows[0] if rows else None


@lru_cache
def _by_id(scope_size: ScopeSize) -> SqlQuery:
    # No index starts with the id, so each project's key is looked up.
    ids = projects if scope_size is ScopeSize.EVERYTHING else scope_rows()
    source = deployments.c
    found = (
        select(*COLUMNS)
        .where(
            source.project_id == ids.c.project_id,
            source.deployment_id == bindparam("deployment_id", type_=Uuid, required=True),
            source.created_at.is_not(None),
        )
        .offset(0)  # keeps the planner from replacing the look-ups by a scan of all rows
        .lateral("found")
    )
    return SqlQuery(
        "deployments_by_id",
        select(*as_text(found.c))
        .select_from(ids.join(found, true()))
        .order_by(found.c.project_id)
        .limit(1),
    )


async def latest_by_project(
    database: Database, scope: ProjectScope, project_ids: Sequence[int], first: int
) -> dict[int, list[Any]]:
    """The newest deployments of each project, newest first, read by one statement."""
    found: dict[int, list[Any]] = {project_id: [] for project_id in project_ids}
    wanted = {"wanted": list(project_ids), "first": first}
    for row in await fetch_within(database, scope, _latest_by_project, **wanted):
        found[row["project_id"]].append(row)
    return found


@lru_cache
def _latest_by_project(scope_size: ScopeSize) -> SqlQuery:
    wanted = unnested({"project_id": ("wanted", BigInteger)})
    source = deployments.c
    newest = (
        select(*COLUMNS)
        .where(source.project_id == wanted.c.project_id, source.created_at.is_not(None))
        .order_by(source.created_at.desc(), source.deployment_id)
        .limit(bindparam("first", type_=Integer, required=True))
        .lateral("newest")
    )
    return SqlQuery(
        "deployments_latest_by_project",
        select(*as_text(newest.c))
        .select_from(wanted.join(newest, true()))
        .where(allowed(newest.c.project_id, scope_size))
        .order_by(newest.c.created_at.desc(), newest.c.deployment_id),
    )
