"""What runs now, of append facts whose events report starts too."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, and_, bindparam, func, select

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.dimensions import Dimension, projects
from storage.facts.fact import Append
from storage.queries.facts import Rows, dimensions_of, is_of_series, of_series
from storage.queries.joins import named
from storage.queries.paging import size
from storage.queries.scoping import (
    ProjectScope,
    ScopeSize,
    allowed,
    fetch_within,
    key_rows,
    key_values,
)
from storage.queries.times import as_text
from storage.running import is_running

_NOW: Any = bindparam("now", type_=DateTime(timezone=True), required=True)


async def newest(
    database: Database, scope: ProjectScope, rows: Rows, now: datetime, size: int
) -> list[Any]:
    """What runs of the series of these rows, newest first, with the names of its series."""
    shapes, values = (rows.fact, dimensions_of(rows.ids)), of_series(rows.ids)
    return await fetch_within(database, scope, _newest, *shapes, now=now, size=size, **values)


@lru_cache
def _newest(scope_size: ScopeSize, fact: Append, dimensions: tuple[Dimension, ...]) -> SqlQuery:
    running = fact.running
    assert running is not None
    conditions = [allowed(running.c.project_id, scope_size), is_running(fact, _NOW)]
    if dimensions:
        conditions.append(is_of_series(fact, dimensions, running))
    names = ("project_id", "pair_id", "at", "series_id", "external_id")
    page = (
        select(*(running.c[name] for name in names))
        .where(*conditions)
        .order_by(running.c.at.desc(), running.c.pair_id)
        .limit(size())
        .subquery("page")
    )
    source, columns = named(fact, page)
    statement = select(*as_text(page.c), *columns).select_from(source)
    return SqlQuery(f"{running.name}_newest", statement.order_by(page.c.at.desc(), page.c.pair_id))


async def counts(
    database: Database,
    scope: ProjectScope,
    fact: Append,
    dimension: Dimension,
    now: datetime,
    keys: Sequence[tuple[int, int]],
) -> dict[tuple[int, int], int]:
    """How many run now, by (project, id) of the dimension; without those of which none runs."""
    values = {"now": now} | key_values(keys)
    rows = await fetch_within(database, scope, _counts, fact, dimension, **values)
    return {(row["project_id"], row[dimension.column]): row["running"] for row in rows}


@lru_cache
def _counts(scope_size: ScopeSize, fact: Append, dimension: Dimension) -> SqlQuery:
    assert fact.running is not None
    wanted = key_rows(projects.c.project_id, dimension.key)
    running, series = fact.running.c, fact.series.c
    same_series = and_(
        series.project_id == running.project_id, series.series_id == running.series_id
    )
    same_name = and_(*(series[column.name] == column for column in wanted.c))
    return SqlQuery(
        f"{fact.running.name}_counts",
        select(*wanted.c, func.count().label("running"))
        .select_from(wanted)
        .join(fact.series, same_name)
        .join(fact.running, same_series)
        .where(allowed(wanted.c.project_id, scope_size), is_running(fact, _NOW))
        .group_by(*wanted.c),
    )
