"""Searches the stored bodies of occurrences, newest first.

Words that few bodies have are looked up in the index of words. Of words that many have, the newest
bodies are read until a page is full, since to sort all that match would take seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Uuid,
    bindparam,
    false,
    func,
    literal,
    literal_column,
    select,
    true,
    tuple_,
)

from storage.connections.database import Database
from storage.connections.query import SqlQuery, unnested
from storage.dimensions import Dimension, projects
from storage.error_groups.tables import TIME, bodies, errors, fingerprints
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.queries.errors.counts import of_error, of_fingerprint, same
from storage.queries.facts import Ids, dimensions_of, is_of_series, of_series
from storage.queries.joins import PLAIN, joined
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
from storage.queries.rows import Order, columns, keyset, order_columns
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within, scope_rows
from storage.queries.words import word_parameters, words

# Up to this many bodies that match are collected.
FEW_FOUND = 50_000

# More than a page.
_PAGE = 101

NEWEST = Order("occurred_at")
_ROWS = ERROR_OCCURRENCES.table
_KEY = ("occurred_at", "event_id")


@dataclass(frozen=True, slots=True)
class Query:
    """A text to search for, and when the occurrences happened."""

    text: str
    start: datetime | None = None
    end: datetime | None = None

    def parameters(self) -> dict[str, Any]:
        """The SQL parameters of `_matches` and `_between`."""
        return word_parameters(self.text) | self.span()

    def span(self) -> dict[str, Any]:
        return {} if self.start is None else {"found_start": self.start, "found_end": self.end}


@dataclass(frozen=True, slots=True)
class Found:
    """The (project, fingerprint) keys of the bodies that match; None if too many match."""

    query: Query
    keys: Sequence[tuple[int, Any]] | None

    def parameters(self) -> dict[str, Any]:
        """The SQL parameters of `is_found`."""
        if self.keys is None:
            return self.query.parameters()
        of_project, of_fingerprint = zip(*self.keys, strict=True) if self.keys else ((), ())
        return {"found_projects": list(of_project), "found_fingerprints": list(of_fingerprint)}


async def find_fingerprints(database: Database, scope: ProjectScope, query: Query) -> Found:
    """The fingerprints of the bodies that match, unless too many do."""
    values = query.parameters() | {"limit": FEW_FOUND + 1}
    ranged = query.start is not None
    rows = await fetch_within(database, scope, _fingerprints, ranged, **values)
    if sum(row["found"] for row in rows) > FEW_FOUND:
        return Found(query, None)
    return Found(query, [(row["project_id"], row["fingerprint_id"]) for row in rows])


@lru_cache
def _fingerprints(scope_size: ScopeSize, ranged: bool) -> SqlQuery:
    some = (
        select(bodies.c.project_id, bodies.c.fingerprint_id)
        .where(_matches(), *_between(ranged), allowed(bodies.c.project_id, scope_size))
        .limit(bindparam("limit", type_=Integer, required=True))
        .subquery("some")
    )
    number = func.count().label("found")
    return SqlQuery("error_bodies_search", select(*some.c, number).group_by(*some.c))


def is_found(few: bool, *, ranged: bool) -> ColumnElement[bool]:
    """Whether an error has a body that a `Found` is about."""
    if few:
        keys = unnested(
            {
                "project_id": ("found_projects", BigInteger),
                "fingerprint_id": ("found_fingerprints", Uuid),
            }
        )
        of_keys = select(fingerprints.c.project_id, fingerprints.c.error_id).join(
            keys, of_fingerprint(keys)
        )
        return tuple_(errors.c.project_id, errors.c.error_id).in_(of_keys)
    return (
        select(literal(1))
        .select_from(fingerprints)
        .join(bodies, of_fingerprint(bodies))
        .where(of_error(errors), _matches_often(), *_between(ranged))
        .correlate(errors)
        .exists()
    )


def _matches() -> ColumnElement[bool]:
    """Whether a body has all words of the text; the last one may be the beginning of a word."""
    return bodies.c.search.bool_op("@@")(words())


def _matches_often() -> ColumnElement[bool]:
    """The same for words that many bodies have: no index is used, and half of all are expected."""
    return func.coalesce(_matches(), false())


def _between(ranged: bool) -> list[ColumnElement[bool]]:
    at = bodies.c.occurred_at
    if not ranged:
        return []
    return [
        at >= bindparam("found_start", type_=TIME, required=True),
        at < bindparam("found_end", type_=TIME, required=True),
    ]


@dataclass(frozen=True, slots=True)
class Search:
    """Occurrences whose body matches, of series with these ids; `few` if a `Found` has its keys."""

    query: Query
    few: bool
    ids: Ids = ()

    def parameters(self) -> dict[str, Any]:
        return self.query.parameters() | of_series(self.ids)

    def shape(self) -> tuple[bool, bool, tuple[Dimension, ...]]:
        ranged = self.query.start is not None
        return self.few, ranged, dimensions_of(self.ids)


async def find_occurrences(
    database: Database, scope: ProjectScope, search: Search, request: PageRequest
) -> Page[Any]:
    """One page of the occurrences that match, newest first."""
    values = search.parameters() | request.parameters()
    build = partial(_find, request.shape)
    return page(await fetch_within(database, scope, build, *search.shape(), **values), request)


async def count_occurrences(
    database: Database, scope: ProjectScope, search: Search, limit: int
) -> int:
    """The number of occurrences that match, counted up to `limit`."""
    values = search.parameters() | {"limit": limit}
    _, *shape = search.shape()
    rows = await fetch_within(database, scope, _count, *shape, **values)
    return rows[0]["found"] if rows else 0


@lru_cache
def _find(
    request: PageShape,
    scope_size: ScopeSize,
    few: bool,
    ranged: bool,
    dimensions: tuple[Dimension, ...],
) -> SqlQuery:
    keys = (_indexed if few else _newest)(request, scope_size, ranged, dimensions).subquery("keys")
    of_row = same(keys, _ROWS, *_KEY)
    rows = select(*columns(ERROR_OCCURRENCES)).select_from(keys.join(_ROWS, of_row))
    page = rows.subquery("page")
    statement = joined(ERROR_OCCURRENCES, page, PLAIN, needed=keyset(ERROR_OCCURRENCES, NEWEST))
    return SqlQuery(
        "error_occurrences_search", statement.order_by(*ordering(_order(page.c), request))
    )


def _indexed(
    request: PageShape, scope_size: ScopeSize, ranged: bool, dimensions: Sequence[Dimension]
) -> Select[Any]:
    """Collect all that match by the index of words, and sort them."""
    inside = allowed(bodies.c.project_id, scope_size)
    found = _keys(ranged, dimensions).where(_matches(), inside)
    return paged(found, _order(bodies.c), request)


def _newest(
    request: PageShape, scope_size: ScopeSize, ranged: bool, dimensions: Sequence[Dimension]
) -> Select[Any]:
    """Read the bodies of each project in their order until enough match."""
    everything = scope_size is ScopeSize.EVERYTHING
    parts: Any = projects if everything else scope_rows()
    within_part = order_columns(ERROR_OCCURRENCES, NEWEST, bodies.c, within_project=True)
    of_part = (
        _keys(ranged, dimensions)
        .where(bodies.c.project_id == parts.c.project_id, _matches_often())
        .where(limits(_order(bodies.c), request))
        .order_by(*ordering(within_part, request))
        .limit(literal_column(str(_PAGE)))  # a number lets the planner read them in their order
        .lateral("of_part")
    )
    found = select(of_part).select_from(parts.join(of_part, true()))
    return found.order_by(*ordering(_order(of_part.c), request)).limit(size())


@lru_cache
def _count(scope_size: ScopeSize, ranged: bool, dimensions: tuple[Dimension, ...]) -> SqlQuery:
    found = _keys(ranged, dimensions).where(_matches(), allowed(bodies.c.project_id, scope_size))
    return counting("error_occurrences_search_count", found.subquery("matching"))


def _keys(ranged: bool, dimensions: Sequence[Dimension]) -> Select[Any]:
    """The keys of bodies. Rows are joined to those of a page only, as the planner expects few."""
    found = select(bodies.c.project_id, *(bodies.c[name] for name in _KEY))
    if dimensions:
        is_of = select(is_of_series(ERROR_OCCURRENCES, dimensions, _ROWS))
        found = found.where(is_of.where(same(bodies, _ROWS, *_KEY)).scalar_subquery())
    return found.where(*_between(ranged))


def _order(source: Any) -> list[OrderColumn]:
    return order_columns(ERROR_OCCURRENCES, NEWEST, source)
