"""Deployments: pages, single rows and counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    select,
    true,
)

from storage.connections.database import Database
from storage.connections.query import Query
from storage.dimensions import projects
from storage.facts.deployments import deployments
from storage.queries.conditions import Filter, Shape, clause, parameters, shape
from storage.queries.joins import PLAIN, Reading, joined
from storage.queries.paging import (
    OrderColumn,
    Page,
    PageRequest,
    PageShape,
    limits,
    ordering,
    page,
    size,
)
from storage.queries.scoping import (
    ProjectScope,
    ScopeSize,
    allowed,
    is_empty,
    scope_parameters,
    scope_rows,
    size_of,
)
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
    """A column and its direction; the id decides between equals.

    The columns are created_at, finished_at and duration_us. A deployment without the value is not
    in that order's list.
    """

    column: str = "created_at"
    descending: bool = True

    def position(self, row: Any) -> tuple[Any, int, UUID]:
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
    if is_empty(scope):
        return Page([], has_next=False, has_previous=False)
    query = _find(size_of(scope), shape(filter), order, request.shape, reading.shape)
    rows = await database.fetch(
        query,
        **scope_parameters(scope),
        **parameters(filter),
        **request.parameters(),
        **reading.parameters(),
    )
    return page(rows, request)


@lru_cache(maxsize=512)
def _find(
    scope_size: ScopeSize, filter: Shape, order: Order, request: PageShape, reading: Reading = PLAIN
) -> Query:
    build = _find_by_project if scope_size is ScopeSize.FEW else _find_overall
    page = build(scope_size, filter, order, request).subquery("page")
    keyset = _keyset(page.c, order)
    return Query("deployments_find", joined(page, reading).order_by(*ordering(keyset, request)))


def _find_overall(
    scope_size: ScopeSize, filter: Shape, order: Order, request: PageShape
) -> Select[Any]:
    source = deployments.c
    keyset = _keyset(source, order)
    return (
        select(*COLUMNS)
        .where(
            allowed(source.project_id, scope_size),
            source[order.column].is_not(None),
            clause(filter, source),
            limits(keyset, request),
        )
        .order_by(*ordering(keyset, request))
        .limit(size())
    )


def _find_by_project(
    _scope_size: ScopeSize, filter: Shape, order: Order, request: PageShape
) -> Select[Any]:
    """A page of each project by its own index, then the page of these."""
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
        # The project is fixed here: naming it in the order would only hide the index.
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
    """How many deployments the list has, counted no further than `limit`."""
    if is_empty(scope):
        return 0
    query = _count(size_of(scope), shape(filter), order.column)
    rows = await database.fetch(query, **scope_parameters(scope), **parameters(filter), limit=limit)
    return int(rows[0]["found"])


@lru_cache(maxsize=512)
def _count(scope_size: ScopeSize, filter: Shape, order_column: str) -> Query:
    source = deployments.c
    found = (
        select(literal(1).label("one"))
        .select_from(deployments)
        .where(
            allowed(source.project_id, scope_size),
            source[order_column].is_not(None),
            clause(filter, source),
        )
        .limit(bindparam("limit", type_=Integer, required=True))
        .subquery("found")
    )
    return Query("deployments_count", select(func.count().label("found")).select_from(found))


async def by_keys(database: Database, scope: ProjectScope, keys: Sequence[Key]) -> dict[Key, Any]:
    """The deployments of these (project, id) pairs that exist inside the scope."""
    if is_empty(scope) or not keys:
        return {}
    rows = await database.fetch(
        _by_keys(size_of(scope)),
        **scope_parameters(scope),
        key_projects=[project_id for project_id, _ in keys],
        key_ids=[deployment_id for _, deployment_id in keys],
    )
    return {(row["project_id"], row["deployment_id"]): row for row in rows}


@lru_cache
def _by_keys(scope_size: ScopeSize) -> Query:
    wanted = _pairs()
    source = deployments.c
    return Query(
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


def _pairs() -> Any:
    projects: ColumnElement[Any] = bindparam("key_projects", type_=ARRAY(BigInteger), required=True)
    ids: ColumnElement[Any] = bindparam("key_ids", type_=ARRAY(Uuid), required=True)
    return (
        func.unnest(projects, ids)
        .table_valued("project_id", "deployment_id", name="wanted")
        .render_derived()
    )


async def by_id(database: Database, scope: ProjectScope, deployment_id: UUID) -> Any | None:
    """The scope's deployment of this id; of several projects' the first, by project id."""
    if is_empty(scope):
        return None
    rows = await database.fetch(
        _by_id(size_of(scope)), **scope_parameters(scope), deployment_id=deployment_id
    )
    return rows[0] if rows else None


@lru_cache
def _by_id(scope_size: ScopeSize) -> Query:
    # No index starts with the id, so the key is asked for project by project.
    ids = projects if scope_size is ScopeSize.EVERYTHING else scope_rows()
    source = deployments.c
    found = (
        select(*COLUMNS)
        .where(
            source.project_id == ids.c.project_id,
            source.deployment_id == bindparam("deployment_id", type_=Uuid, required=True),
            source.created_at.is_not(None),
        )
        .offset(0)  # keeps the planner from turning the look-ups into one scan of everything
        .lateral("found")
    )
    return Query(
        "deployments_by_id",
        select(*as_text(found.c))
        .select_from(ids.join(found, true()))
        .order_by(found.c.project_id)
        .limit(1),
    )


async def latest_by_project(
    database: Database, scope: ProjectScope, project_ids: Sequence[int], first: int
) -> dict[int, list[Any]]:
    """Each project's newest deployments, one statement for all projects."""
    found: dict[int, list[Any]] = {project_id: [] for project_id in project_ids}
    if is_empty(scope) or not project_ids or first <= 0:
        return found
    rows = await database.fetch(
        _latest_by_project(size_of(scope)),
        **scope_parameters(scope),
        wanted=list(project_ids),
        first=first,
    )
    for row in rows:
        found[row["project_id"]].append(row)
    return found


@lru_cache
def _latest_by_project(scope_size: ScopeSize) -> Query:
    ids: ColumnElement[Any] = bindparam("wanted", type_=ARRAY(BigInteger), required=True)
    wanted = func.unnest(ids).table_valued("project_id", name="wanted").render_derived()
    source = deployments.c
    newest = (
        select(*COLUMNS)
        .where(source.project_id == wanted.c.project_id, source.created_at.is_not(None))
        .order_by(source.created_at.desc(), source.deployment_id)
        .limit(bindparam("first", type_=Integer, required=True))
        .lateral("newest")
    )
    return Query(
        "deployments_latest_by_project",
        select(*as_text(newest.c))
        .select_from(wanted.join(newest, true()))
        .where(allowed(newest.c.project_id, scope_size))
        .order_by(newest.c.created_at.desc(), newest.c.deployment_id),
    )
