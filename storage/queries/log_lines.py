"""Searches the texts of log lines, newest first, and reads lines and texts by key.

A search asks the index of words for its words, and for marks of its filter and its time
(`log_lines.marks`), and sorts the lines that match. As these may be millions, it looks in the last
hours first, then in earlier days and weeks one by one, until a page is full.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from itertools import chain, repeat
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
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.dimensions import Dimension
from storage.facts.log_lines import LOG_LINES
from storage.log_lines import marks
from storage.log_lines.tables import TIME, log_texts
from storage.queries.errors.counts import same
from storage.queries.errors.related import Related
from storage.queries.facts import Ids, Rows, dimensions_of, few_series, of_series, series_with
from storage.queries.joins import PLAIN, joined
from storage.queries.paging import (
    OrderColumn,
    Page,
    PageRequest,
    PageShape,
    counting,
    ordering,
    page,
    paged,
)
from storage.queries.rows import Order, columns, keyset, order_columns
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within
from storage.queries.words import word_parameters, words

# The first parts of its time that a search looks in, one after another; then week after week.
LENGTHS = tuple(timedelta(hours=hours) for hours in (4, 20, 6 * 24))
WEEK = timedelta(days=7)
_MOMENT = timedelta(microseconds=1)

NEWEST = Order("occurred_at")
_ROWS, _KEY = LOG_LINES.table, ("occurred_at", "event_id")


class Span(NamedTuple):
    """When the lines were written: from `start` and before `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Search:
    """A text to search for, when lines were written, and which may have it; None allows all.

    Few lines are newer than `newest`.
    """

    text: str
    span: Span
    newest: datetime
    ids: Ids = ()
    levels: Sequence[int] | None = None
    deployment_id: UUID | None = None
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A search with the series of its names: None if all or too many, none if no line matches.

    `dimensions` are those of the names that marks of series do not cover.
    """

    search: Search
    series: Sequence[tuple[int, int]] | None
    dimensions: tuple[Dimension, ...] = ()

    @property
    def matches_nothing(self) -> bool:
        return self.series == [] or self.search.levels == []

    def parameters(self, scope: ProjectScope, span: Span) -> dict[str, Any]:
        """The SQL parameters of the statements that look in a part of its time."""
        search = self.search
        projects = scope.project_ids if self.series is None else ()  # series are of projects
        kinds = (
            [marks.of_project(project_id) for project_id in projects or ()],
            [marks.of_series(*each) for each in self.series or ()],
            [marks.of_level(level) for level in search.levels or ()],
            [marks.of_deployment(search.deployment_id)] if search.deployment_id else [],
            [marks.of_trace(search.trace_id)] if search.trace_id else [],
            marks.of_span(*span),
        )
        of_span = {"marks": marks.asked(kinds), "found_start": span.start, "found_end": span.end}
        of_names = of_series(search.ids) if self.dimensions else {}
        return word_parameters(search.text) | of_span | of_names


async def prepare(database: Database, scope: ProjectScope, search: Search) -> Prepared:
    """Look up the series of a search."""
    series = await few_series(database, scope, Rows(LOG_LINES, NEWEST, ids=search.ids))
    return Prepared(search, series, dimensions_of(search.ids) if series is None else ())


async def find(
    database: Database, scope: ProjectScope, search: Prepared, request: PageRequest
) -> Page[Any]:
    """One page of the lines that match, newest first."""
    if search.matches_nothing:
        return page([], request)
    build = partial(_find, request.shape)
    rows: list[Any] = []
    for span in _spans(search.search, request):
        values = search.parameters(scope, span) | request.parameters()
        rows += await fetch_within(database, scope, build, search.dimensions, **values)
        if len(rows) > request.size:
            break
    return page(rows, request)


def _spans(search: Search, request: PageRequest) -> Iterator[Span]:
    """The time of a search in parts, one after another from where the page begins.

    From the end on, the first part has what is newer than `newest` besides.
    """
    start, end = search.span
    lengths = chain(LENGTHS, repeat(WEEK))
    if request.backward:
        at = start if request.before is None else max(start, request.before[0])
        while at < end:
            part = Span(at, at + min(next(lengths), end - at))
            yield part
            at = part.end
    else:
        at = end if request.after is None else min(end, request.after[0] + _MOMENT)
        while at > start:
            newest = min(at, search.newest)
            part = Span(newest - min(next(lengths), newest - start), at)
            yield part
            at = part.start


async def count(database: Database, scope: ProjectScope, search: Prepared, limit: int) -> int:
    """The number of lines that match, counted up to `limit`."""
    if search.matches_nothing:
        return 0
    values = search.parameters(scope, search.search.span) | {"limit": limit}
    rows = await fetch_within(database, scope, _count, search.dimensions, **values)
    return rows[0]["found"] if rows else 0


@lru_cache
def _count(scope_size: ScopeSize, dimensions: tuple[Dimension, ...]) -> SqlQuery:
    matching = _matching(scope_size, dimensions).subquery("matching")
    return counting("log_texts_search_count", matching)


@lru_cache
def _find(request: PageShape, scope_size: ScopeSize, dimensions: tuple[Dimension, ...]) -> SqlQuery:
    found = paged(_matching(scope_size, dimensions), _order(log_texts.c), request)
    keys = found.subquery("keys")
    rows = select(*columns(LOG_LINES)).select_from(keys.join(_ROWS, same(keys, _ROWS, *_KEY)))
    in_page = rows.subquery("page")
    statement = joined(LOG_LINES, in_page, PLAIN, needed=keyset(LOG_LINES, NEWEST))
    return SqlQuery("log_texts_search", statement.order_by(*ordering(_order(in_page.c), request)))


def _matching(scope_size: ScopeSize, dimensions: tuple[Dimension, ...]) -> Select[Any]:
    """The keys of texts that match. Only those of a page are joined, as the planner expects few."""
    at = log_texts.c.occurred_at
    found = select(log_texts.c.project_id, *(log_texts.c[name] for name in _KEY)).where(
        allowed(log_texts.c.project_id, scope_size),
        at >= bindparam("found_start", type_=TIME, required=True),
        at < bindparam("found_end", type_=TIME, required=True),
        _matches(),
    )
    if dimensions:
        series = series_with(scope_size, LOG_LINES, dimensions)
        is_of = select(tuple_(_ROWS.c.project_id, _ROWS.c.series_id).in_(series))
        found = found.where(is_of.where(same(log_texts, _ROWS, *_KEY)).scalar_subquery())
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


def _around(key: Any, *where: Any) -> Select[Any]:
    """The lines of a project in a span of time, newest first."""
    at = _ROWS.c.occurred_at
    found = select(*columns(LOG_LINES)).where(
        _ROWS.c.project_id == key.c.project_id, at >= key.c.since, at < key.c.until, *where
    )
    return found.order_by(at.desc(), _ROWS.c.event_id.desc())


def _of_environment(key: Any) -> ColumnElement[bool]:
    """Whether a line is of an environment; if none is asked for, every line is."""
    series = LOG_LINES.series
    of_series = select(series.c.series_id).where(same(series, _ROWS, "series_id"))
    is_of = of_series.where(series.c.environment_id == key.c.environment_id)
    return or_(key.c.environment_id.is_(None), is_of.correlate(_ROWS, key).exists())


_SPAN = (("project_id", BigInteger), ("since", TIME), ("until", TIME))

AROUND_BY_DEPLOYMENT = Related(
    "log_lines_around_by_deployment",
    (*_SPAN, ("deployment_id", Uuid)),
    lambda key: _around(key, _ROWS.c.deployment_id == key.c.deployment_id),
    names=LOG_LINES,
)
AROUND_BY_ENVIRONMENT = Related(
    "log_lines_around_by_environment",
    (*_SPAN, ("environment_id", Integer)),
    lambda key: _around(key, _of_environment(key)),
    names=LOG_LINES,
)
