"""Names of dimensions: those that projects of a scope use, and similar ones."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from storage.connections.database import Database
from storage.connections.query import SqlQuery, any_of
from storage.dimensions import LABEL_SET, OTHER, PROJECT, Dimension, projects
from storage.facts import FACTS
from storage.facts.fact import Append, Fact
from storage.names import OTHER_NAME
from storage.queries.facts import has_ids
from storage.queries.paging import OrderColumn, TableList
from storage.queries.scoping import (
    ProjectScope,
    Reads,
    ScopeSize,
    allowed,
    fetch_within,
    key_rows,
    key_values,
)

# A misspelt name is compared with so many names of about its length.
MAX_COMPARED = 1_000


@lru_cache
def names_of(fact: Fact, dimension: Dimension, filtered: tuple[Dimension, ...]) -> TableList:
    """The names of a dimension that series of a fact use, with their projects, by name.

    The parameters are those of `Rows.ids_of_series`.
    """
    series = fact.series.c
    used = (
        _select(dimension, series.project_id)
        .distinct()
        .join(fact.series, series[dimension.column] == dimension.key)
        .where(*has_ids(fact, filtered))
        .subquery("used")
    )
    order = [OrderColumn(used.c.name), OrderColumn(used.c.project_id)]
    return TableList(dimension.plural, used, order, project_id=used.c.project_id)


async def find_used(
    database: Reads,
    scope: ProjectScope,
    facts: Collection[Fact],
    dimension: Dimension,
    names: Sequence[str],
) -> dict[str, int]:
    """The ids of the names that series of the scope use; a name used only elsewhere is left out."""
    rows = await fetch_within(database, scope, _used, tuple(facts), dimension, names=list(names))
    return {row["name"]: row["id"] for row in rows}


@lru_cache
def _used(scope_size: ScopeSize, facts: tuple[Fact, ...], dimension: Dimension) -> SqlQuery:
    uses: list[Any] = [
        select(fact.series.c.project_id)
        .where(
            fact.series.c[dimension.column] == dimension.key,
            allowed(fact.series.c.project_id, scope_size),
        )
        .exists()
        for fact in facts
    ]
    # Projects beyond a limit use "other" without a row of their own.
    is_used = or_(dimension.key == OTHER, *uses)
    return SqlQuery(
        f"{dimension.plural}_used",
        select(dimension.key.label("id"), dimension.names.label("name")).where(
            any_of(dimension.names, "names"), is_used
        ),
    )


async def find_with_labels(
    database: Reads,
    scope: ProjectScope,
    facts: Collection[Fact],
    labels: Sequence[str],
    most: int,
) -> list[int]:
    """The ids of the sets that have all of these labels, in series of the scope; one too many."""
    values: dict[str, Any] = {"labels": list(labels), "most": most + 1}
    rows = await fetch_within(database, scope, _with_labels, tuple(facts), **values)
    return [row["id"] for row in rows]


@lru_cache
def _with_labels(scope_size: ScopeSize, facts: tuple[Fact, ...]) -> SqlQuery:
    # From the series on, since the dictionary has the sets of all tenants.
    used = union(
        *(
            select(fact.series.c[LABEL_SET.column].label("id")).where(
                allowed(fact.series.c.project_id, scope_size)
            )
            for fact in facts
        )
    ).subquery("used")
    wanted = bindparam("labels", type_=ARRAY(Text), required=True)
    has_labels = func.string_to_array(LABEL_SET.names, ",", type_=ARRAY(Text)).contains(wanted)
    return SqlQuery(
        "label_sets_with_labels",
        select(used.c.id)
        .join(LABEL_SET.dictionary, LABEL_SET.key == used.c.id)
        .where(has_labels)
        .limit(bindparam("most", type_=Integer, required=True)),
    )


async def of_similar_length(
    database: Database, scope: ProjectScope, dimension: Dimension, name: str
) -> list[str]:
    """Names of a provisioned dimension that the scope may see, those of the same length first."""
    length = len(name)
    if dimension is PROJECT:
        rows = await fetch_within(database, scope, _similar, dimension, length=length)
    else:
        rows = await database.fetch(_similar(ScopeSize.EVERYTHING, dimension), length=length)
    return [row["name"] for row in rows]


@lru_cache
def _similar(scope_size: ScopeSize, dimension: Dimension) -> SqlQuery:
    name = dimension.names
    is_visible = allowed(dimension.key, scope_size) if dimension is PROJECT else true()
    difference = func.abs(func.length(name) - bindparam("length", type_=Integer))
    return SqlQuery(
        f"{dimension.plural}_of_similar_length",
        select(name.label("name"))
        .where(is_visible, name != OTHER_NAME)
        .order_by(difference, name)
        .limit(MAX_COMPARED),
    )


async def of_projects(
    database: Database, scope: ProjectScope, dimension: Dimension, project_ids: Sequence[int]
) -> dict[int, list[Any]]:
    """The names of an interned dimension that each project uses, in their order."""
    found: dict[int, list[Any]] = {project_id: [] for project_id in project_ids}
    wanted = list(project_ids)
    for row in await fetch_within(database, scope, _of_projects, dimension, wanted=wanted):
        found[row["project_id"]].append(row)
    return found


@lru_cache
def _of_projects(scope_size: ScopeSize, dimension: Dimension) -> SqlQuery:
    used = union(
        *(
            select(fact.series.c.project_id, fact.series.c[dimension.column]).distinct()
            for fact in _facts_with(dimension)
        )
    ).subquery("used")
    return SqlQuery(
        f"{dimension.plural}_of_projects",
        _select(dimension, used.c.project_id)
        .join(used, used.c[dimension.column] == dimension.key)
        .where(allowed(used.c.project_id, scope_size), any_of(used.c.project_id, "wanted"))
        .order_by(used.c.project_id, dimension.names),
    )


async def by_names(
    database: Database,
    scope: ProjectScope,
    dimension: Dimension,
    keys: Sequence[tuple[int, str]],
) -> dict[tuple[int, str], Any]:
    """The names with these (project, name) keys that the scope's projects use, by key."""
    rows = await fetch_within(database, scope, _by_names, dimension, **key_values(keys))
    return {(row["project_id"], row["name"]): row for row in rows}


@lru_cache
def _by_names(scope_size: ScopeSize, dimension: Dimension) -> SqlQuery:
    wanted = key_rows(projects.c.project_id, dimension.names)
    # One fact after the other, since some have thousands of series in a project.
    uses = (
        select(fact.series.c.project_id)
        .where(
            fact.series.c.project_id == wanted.c.project_id,
            fact.series.c[dimension.column] == dimension.key,
        )
        .exists()
        for fact in _facts_with(dimension)
    )
    return SqlQuery(
        f"{dimension.plural}_by_names",
        _select(dimension, wanted.c.project_id)
        .join(wanted, wanted.c.name == dimension.names)
        .where(allowed(wanted.c.project_id, scope_size), or_(*uses)),
    )


async def seen(
    database: Database, scope: ProjectScope, dimension: Dimension, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Any]:
    """The times of the first and the last row of append facts with these (project, id) keys."""
    rows = await fetch_within(database, scope, _seen, dimension, **key_values(keys))
    return {(row["project_id"], row[dimension.column]): row for row in rows}


@lru_cache
def _seen(scope_size: ScopeSize, dimension: Dimension) -> SqlQuery:
    wanted = key_rows(projects.c.project_id, dimension.key)
    parts = (
        select(*wanted.c, source.first_at, source.last_at).join(
            wanted, and_(*(source[column.name] == column for column in wanted.c))
        )
        for source in (fact.series.c for fact in _facts_with(dimension) if isinstance(fact, Append))
    )
    series = union_all(*parts).subquery("series")
    times = (
        func.min(series.c.first_at).label("first_at"),
        func.max(series.c.last_at).label("last_at"),
    )
    key = series.c.project_id, series.c[dimension.column]
    return SqlQuery(
        f"{dimension.plural}_seen",
        select(*key, *times).where(allowed(series.c.project_id, scope_size)).group_by(*key),
    )


def _facts_with(dimension: Dimension) -> list[Fact]:
    return [fact for fact in FACTS.values() if dimension in fact.dimensions]


def _select(dimension: Dimension, project_id: ColumnElement[int]) -> Select[Any]:
    key, name = dimension.key, dimension.names
    return select(project_id, key.label("id"), name.label("name")).where(key > OTHER)
