"""Searches the texts of log lines, newest first, and reads the texts of lines by key.

A search asks the index of words for its words and for marks of its filter (`log_lines.marks`). If
few lines match, all of them are sorted. Else the newest lines are read until a page is full, since
to sort all that match would take seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.dimensions import Dimension, projects
from storage.facts.log_lines import LOG_LINES
from storage.log_lines import marks
from storage.log_lines.tables import TIME, log_texts
from storage.queries.errors.counts import same
from storage.queries.errors.related import Related
from storage.queries.facts import Ids, Rows, dimensions_of, few_series, is_of_series, of_series
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

# Up to this many lines that match are sorted.
FEW_FOUND = 50_000
# More than a page.
_PAGE = 101

NEWEST = Order("occurred_at")
_ROWS, _KEY = LOG_LINES.table, ("occurred_at", "event_id")


class Span(NamedTuple):
    """When the lines were written: from `start` and before `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Search:
    """A text to search for, and which lines may have it; None allows all."""

    text: str
    ids: Ids = ()
    span: Span | None = None
    levels: Sequence[int] | None = None
    deployment_id: UUID | None = None
    trace_id: str | None = None


class _Shape(NamedTuple):
    """The part of a search that decides the SQL text."""

    ranged: bool
    dimensions: tuple[Dimension, ...]  # that marks do not cover
    few: bool = True


@dataclass(frozen=True, slots=True)
class Prepared:
    """A search as statements take it; `matches_nothing` if no series has its names."""

    shape: _Shape
    values: dict[str, Any]
    matches_nothing: bool = False


async def prepare(database: Database, scope: ProjectScope, search: Search) -> Prepared:
    """Look up the series of a search, and whether few lines match it."""
    series = await few_series(database, scope, Rows(LOG_LINES, NEWEST, ids=search.ids))
    if series == [] or search.levels == []:
        return Prepared(_Shape(False, ()), {}, matches_nothing=True)
    covered = series is not None
    dimensions = () if covered else dimensions_of(search.ids)
    values = word_parameters(search.text) | {"marks": _marks(scope, search, series or [])}
    if not covered:
        values |= of_series(search.ids)
    if search.span is not None:
        values |= {"found_start": search.span.start, "found_end": search.span.end}
    shape = _Shape(search.span is not None, dimensions)
    number = await _number(database, scope, Prepared(shape, values), FEW_FOUND + 1)
    return Prepared(shape._replace(few=number <= FEW_FOUND), values)


def _marks(scope: ProjectScope, search: Search, series: Sequence[tuple[int, int]]) -> str:
    return marks.asked(
        (
            [marks.of_project(project_id) for project_id in scope.project_ids or ()],
            [marks.of_series(*each) for each in series],
            [marks.of_level(level) for level in search.levels or ()],
            [marks.of_deployment(search.deployment_id)] if search.deployment_id else [],
            [marks.of_trace(search.trace_id)] if search.trace_id else [],
        )
    )


async def find(
    database: Database, scope: ProjectScope, search: Prepared, request: PageRequest
) -> Page[Any]:
    """One page of the lines that match, newest first."""
    if search.matches_nothing:
        return page([], request)
    values = search.values | request.parameters()
    build = partial(_find, request.shape)
    return page(await fetch_within(database, scope, build, search.shape, **values), request)


async def count(database: Database, scope: ProjectScope, search: Prepared, limit: int) -> int:
    """The number of lines that match, counted up to `limit`."""
    return 0 if search.matches_nothing else await _number(database, scope, search, limit)


async def _number(database: Database, scope: ProjectScope, search: Prepared, limit: int) -> int:
    values = search.values | {"limit": limit}
    rows = await fetch_within(database, scope, _count, search.shape, **values)
    return rows[0]["found"] if rows else 0


@lru_cache
def _count(scope_size: ScopeSize, shape: _Shape) -> SqlQuery:
    found = _keys(shape).where(_matches(), allowed(log_texts.c.project_id, scope_size))
    return counting("log_texts_search_count", found.subquery("matching"))


@lru_cache
def _find(request: PageShape, scope_size: ScopeSize, shape: _Shape) -> SqlQuery:
    keys = (_indexed if shape.few else _newest)(request, scope_size, shape).subquery("keys")
    rows = select(*columns(LOG_LINES)).select_from(keys.join(_ROWS, same(keys, _ROWS, *_KEY)))
    found = rows.subquery("page")
    statement = joined(LOG_LINES, found, PLAIN, needed=keyset(LOG_LINES, NEWEST))
    return SqlQuery("log_texts_search", statement.order_by(*ordering(_order(found.c), request)))


def _indexed(request: PageShape, scope_size: ScopeSize, shape: _Shape) -> Select[Any]:
    """Collect all that match by the index of words, and sort them."""
    inside = allowed(log_texts.c.project_id, scope_size)
    return paged(_keys(shape).where(_matches(), inside), _order(log_texts.c), request)


def _newest(request: PageShape, scope_size: ScopeSize, shape: _Shape) -> Select[Any]:
    """Read the texts of each project in their order until enough match."""
    everything = scope_size is ScopeSize.EVERYTHING
    parts: Any = projects if everything else scope_rows()
    within_part = order_columns(LOG_LINES, NEWEST, log_texts.c, within_project=True)
    of_part = (
        _keys(shape)
        .where(log_texts.c.project_id == parts.c.project_id)
        .where(func.coalesce(_matches(), false()))  # so that the index of words is not used
        .where(limits(_order(log_texts.c), request))
        .order_by(*ordering(within_part, request))
        .limit(literal_column(str(_PAGE)))  # a number lets the planner read them in their order
        .lateral("of_part")
    )
    found = select(of_part).select_from(parts.join(of_part, true()))
    return found.order_by(*ordering(_order(of_part.c), request)).limit(size())


def _keys(shape: _Shape) -> Select[Any]:
    """The keys of texts. Rows are joined to those of a page only, as the planner expects few."""
    found = select(log_texts.c.project_id, *(log_texts.c[name] for name in _KEY))
    if shape.dimensions:
        is_of = select(is_of_series(LOG_LINES, shape.dimensions, _ROWS))
        found = found.where(is_of.where(same(log_texts, _ROWS, *_KEY)).scalar_subquery())
    if shape.ranged:
        at = log_texts.c.occurred_at
        found = found.where(
            at >= bindparam("found_start", type_=TIME, required=True),
            at < bindparam("found_end", type_=TIME, required=True),
        )
    return found


def _matches() -> ColumnElement[bool]:
    """Whether a text has all words and the marks. Without a word, none has."""
    found = words()
    asked = cast(bindparam("marks", type_=Text, required=True), TSQUERY)
    matches = log_texts.c.search.bool_op("@@")(asked.op("&&")(found))
    return and_(func.numnode(found) > literal_column("0"), matches)


def _order(source: Any) -> list[OrderColumn]:
    return order_columns(LOG_LINES, NEWEST, source)


_EVENT = (("project_id", BigInteger), ("occurred_at", TIME), ("event_id", Uuid))

BY_KEY = Related(
    "log_lines_by_key",
    _EVENT,
    lambda key: select(*columns(LOG_LINES)).where(same(_ROWS, key, *_KEY)),
    names=LOG_LINES,
)
TEXTS = Related(
    "log_texts_by_key",
    _EVENT,
    lambda key: select(log_texts.c.project_id, log_texts.c.message, log_texts.c.fields).where(
        same(log_texts, key, *_KEY)
    ),
)


def _of_function(key: Any) -> Select[Any]:
    """The newest lines of each series of a function, newest first."""
    series = LOG_LINES.series.c
    of_series = (
        select(*columns(LOG_LINES))
        .where(_ROWS.c.project_id == series.project_id, _ROWS.c.series_id == series.series_id)
        .order_by(_ROWS.c.occurred_at.desc(), _ROWS.c.event_id.desc())
        .limit(bindparam("first", type_=Integer, required=True))
        .correlate(LOG_LINES.series)
        .lateral("of_series")
    )
    return (
        select(of_series)
        .select_from(LOG_LINES.series.join(of_series, true()))
        .where(series.project_id == key.c.project_id, series.function_id == key.c.number)
        .order_by(of_series.c.occurred_at.desc(), of_series.c.event_id.desc())
    )


OF_FUNCTION = Related(
    "log_lines_of_functions",
    (("project_id", BigInteger), ("number", Integer)),
    _of_function,
    names=LOG_LINES,
)
