"""Rows of facts by key: one entity by its id, and the newest rows of each of many keys."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, select, true

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.dimensions import projects
from storage.facts.fact import Append, Entity, Fact
from storage.queries.joins import PLAIN, Reading, joined
from storage.queries.paging import OrderColumn, PageRequest, ordering
from storage.queries.rows import Order, begins, columns, order_columns
from storage.queries.scoping import (
    ProjectScope,
    ScopeSize,
    allowed,
    fetch_within,
    key_rows,
    key_values,
    scope_rows,
)

# A project, then a value of each further column; of an entity its id.
Key = tuple[Any, ...]

_FORWARD = PageRequest(0).shape


async def by_id(
    database: Database, scope: ProjectScope, fact: Entity, id: UUID, reading: Reading
) -> list[Any]:
    """The scope's entity with this id, or none; of several projects', the lowest project's."""
    values = reading.parameters()
    return await fetch_within(database, scope, _by_id, fact, reading.shape, id=id, **values)


@lru_cache
def _by_id(scope_size: ScopeSize, fact: Entity, reading: Reading) -> SqlQuery:
    # No index starts with the id, so each project's key is looked up.
    ids = projects if scope_size is ScopeSize.EVERYTHING else scope_rows()
    source = fact.table.c
    found = (
        select(*columns(fact))
        .where(
            source.project_id == ids.c.project_id,
            source[fact.id_column] == bindparam("id", type_=Uuid, required=True),
            source.created_at.is_not(None),
        )
        .offset(0)  # keeps the planner from replacing the look-ups by a scan of all rows
        .lateral("found")
    )
    first = select(found).select_from(ids.join(found, true())).order_by(found.c.project_id).limit(1)
    return SqlQuery(f"{fact.table.name}_by_id", joined(fact, first.subquery("page"), reading))


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest rows of each of many keys, which have a value of each column in `by`."""

    fact: Fact
    by: tuple[str, ...]
    first: int
    reading: Reading = PLAIN


async def newest(
    database: Database, scope: ProjectScope, wanted: Newest, keys: Sequence[Key]
) -> dict[Key, list[Any]]:
    """The rows of each key, newest first, read by one statement."""
    found: defaultdict[Key, list[Any]] = defaultdict(list)
    shapes = wanted.fact, wanted.by, wanted.reading.shape
    values = {"first": wanted.first} | wanted.reading.parameters() | key_values(keys)
    for row in await fetch_within(database, scope, _newest, *shapes, **values):
        found[tuple(row[name] for name in wanted.by)].append(row)
    return found


@lru_cache
def _newest(scope_size: ScopeSize, fact: Fact, by: tuple[str, ...], reading: Reading) -> SqlQuery:
    source, order = fact.table.c, Order(begins(fact))
    wanted = key_rows(*(source[name] for name in by))
    within = order_columns(fact, order, source, within_project=True)
    is_of_key = [source[name] == wanted.c[name] for name in by]
    if seeks := isinstance(fact, Append) and len(by) > 1:
        # From the key on, in the order of the index: the planner expects few rows of a key, and
        # would read and sort all of them, which may be a million. What follows it is left out.
        is_of_key[-1] = source[by[-1]] >= wanted.c[by[-1]]
        within = [OrderColumn(source[by[-1]]), *within]
    of_key = (
        select(*columns(fact))
        .where(*is_of_key, source[order.column].is_not(None))
        .order_by(*ordering(within, _FORWARD))
        .limit(bindparam("first", type_=Integer, required=True))
        .lateral("of_key")
    )
    page = (
        select(of_key)
        .select_from(wanted.join(of_key, true()))
        .where(allowed(wanted.c.project_id, scope_size))
        .where(of_key.c[by[-1]] == wanted.c[by[-1]] if seeks else true())
        .subquery("page")
    )
    in_order = ordering(order_columns(fact, order, page.c), _FORWARD)
    name = f"{fact.table.name}_newest_by_{by[-1]}"
    return SqlQuery(name, joined(fact, page, reading).order_by(*in_order))
