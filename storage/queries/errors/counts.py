"""Counts of occurrences by error, exact in any range: whole days, then hours, then single rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    Table,
    and_,
    bindparam,
    func,
    literal,
    select,
    true,
    tuple_,
    union_all,
)

from storage.connections.database import Database
from storage.connections.query import SqlQuery, unnested
from storage.dimensions import Dimension
from storage.error_groups.tables import TIME, error_days, error_hours, errors, fingerprints
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.queries.facts import Ids, dimensions_of, is_of_series, of_series, series_with
from storage.queries.scoping import (
    ProjectScope,
    ScopeSize,
    allowed,
    fetch_within,
    key_rows,
    key_values,
)

Key = tuple[int, UUID]

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# The tables that occurrences are counted from, and the column with the time.
_SOURCES: tuple[tuple[str, Table, str], ...] = (
    ("days", error_days, "bucket"),
    ("hours", error_hours, "bucket"),
    ("rows", ERROR_OCCURRENCES.table, "occurred_at"),
)


class Counting(NamedTuple):
    """The occurrences to count: in the buckets between these edges, of series with these ids."""

    edges: tuple[datetime, ...]
    ids: Ids = ()

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        return dimensions_of(self.ids)

    @property
    def has_days(self) -> bool:
        """Whether there is a whole UTC day between the first and the last edge."""
        return any(name == "days" for name, _, _ in _cut(self.edges[0], self.edges[-1]))

    def parameters(self) -> dict[str, Any]:
        """The SQL parameters of `occurrences_in`."""
        spans: defaultdict[str, list[tuple[int, datetime, datetime]]] = defaultdict(list)
        for number, (start, end) in enumerate(pairwise(self.edges)):
            for name, first, last in _cut(start, end):
                spans[name].append((number, first, last))
        values = of_series(self.ids)
        for name, _, _ in _SOURCES:
            columns = zip(*spans[name], strict=True) if spans[name] else ((), (), ())
            for part, column in zip(_SPAN, columns, strict=True):
                values[f"{name}_{part}"] = list(column)
        return values


_SPAN = ("number", "start", "end")


def _cut(start: datetime, end: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Cut a span into whole UTC days and hours, which are counted already, and the rest."""
    hours = _up(start, _HOUR), _down(end, _HOUR)
    if hours[0] >= hours[1]:
        yield from _filled("rows", start, end)
        return
    yield from _filled("rows", start, hours[0])
    yield from _filled("rows", hours[1], end)
    days = _up(hours[0], _DAY), _down(hours[1], _DAY)
    if days[0] >= days[1]:
        yield "hours", *hours
        return
    yield "days", *days
    yield from _filled("hours", hours[0], days[0])
    yield from _filled("hours", days[1], hours[1])


def _filled(name: str, start: datetime, end: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    if start < end:
        yield name, start, end


def _down(at: datetime, width: timedelta) -> datetime:
    return at - (at - _EPOCH) % width


def _up(at: datetime, width: timedelta) -> datetime:
    return at + (_EPOCH - at) % width


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def occurrences_in(
    dimensions: Sequence[Dimension], *where: Any, of: FromClause | None = None
) -> Any:
    """The rows (project_id, fingerprint_id, number of the bucket, occurrences) of a `Counting`.

    `of` is a table whose project and fingerprint they have; `where` makes a condition of the
    columns of each table.
    """
    parts: list[Select[Any]] = []
    for name, table, time in _SOURCES:
        spans, source = _spans(name), table.c
        number = literal(1) if name == "rows" else source.occurrences
        columns = source.project_id, source.fingerprint_id, spans.c.number
        part = (
            select(*columns, number.label("occurrences"))
            .select_from(spans.join(table, true()))
            .where(source[time] >= spans.c.start, source[time] < spans.c.end)
            .where(*(make(source) for make in where))
        )
        if of is not None:
            part = part.where(same(table, of, "fingerprint_id")).correlate(of)
        if dimensions:
            part = part.where(is_of_series(ERROR_OCCURRENCES, dimensions, table))
        parts.append(part)
    return union_all(*parts)


def _spans(name: str) -> Any:
    kinds: Sequence[Any] = (SmallInteger, TIME, TIME)
    parts = zip(_SPAN, kinds, strict=True)
    return unnested({part: (f"{name}_{part}", kind) for part, kind in parts})


def same(one: Any, other: Any, *names: str) -> ColumnElement[bool]:
    """The condition that two rows have the same project and the same values of these columns."""
    return and_(*(one.c[name] == other.c[name] for name in ("project_id", *names)))


def of_error(error: Any) -> ColumnElement[bool]:
    """The condition that a fingerprint belongs to an error, or to a row that names one."""
    return same(fingerprints, error, "error_id")


def of_fingerprint(row: Any) -> ColumnElement[bool]:
    """The condition that a row has the fingerprint."""
    return same(fingerprints, row, "fingerprint_id")


async def of_errors(
    database: Database, scope: ProjectScope, counting: Counting, keys: Sequence[Key]
) -> dict[Key, dict[int, int]]:
    """How often each error occurred, by the number of the bucket; empty ones are left out."""
    found: dict[Key, dict[int, int]] = {key: {} for key in keys}
    values = counting.parameters() | key_values(keys)
    for row in await fetch_within(database, scope, _of_errors, counting.dimensions, **values):
        found[row["project_id"], row["error_id"]][row["number"]] = row["occurrences"]
    return found


@lru_cache
def _of_errors(scope_size: ScopeSize, dimensions: tuple[Dimension, ...]) -> SqlQuery:
    wanted = key_rows(errors.c.project_id, errors.c.error_id)
    counted = occurrences_in(dimensions, of=fingerprints).lateral("counted")
    key = wanted.c.project_id, wanted.c.error_id, counted.c.number
    source = wanted.join(fingerprints, of_error(wanted))
    source = source.join(counted, true())
    total = func.sum(counted.c.occurrences).cast(BigInteger).label("occurrences")
    return SqlQuery(
        "error_counts",
        select(*key, total)
        .select_from(source)
        .where(allowed(wanted.c.project_id, scope_size))
        .group_by(*key),
    )


class Share(NamedTuple):
    """How often an error occurred, and how often all did."""

    key: Key
    occurrences: int
    of: int


async def top(
    database: Database, scope: ProjectScope, counting: Counting, first: int
) -> list[Share]:
    """The errors that occurred most often."""
    values: Mapping[str, Any] = counting.parameters() | {"first": first}
    rows: Iterable[Any] = await fetch_within(database, scope, _top, counting.dimensions, **values)
    return [
        Share((row["project_id"], row["error_id"]), row["occurrences"], row["total"])
        for row in rows
    ]


@lru_cache
def _top(scope_size: ScopeSize, dimensions: tuple[Dimension, ...]) -> SqlQuery:
    totals = totals_in(scope_size, dimensions)
    total = func.sum(totals.c.occurrences).over().cast(BigInteger).label("total")
    return SqlQuery(
        "errors_top",
        select(totals, total)
        .order_by(totals.c.occurrences.desc(), totals.c.project_id, totals.c.error_id)
        .limit(bindparam("first", type_=Integer, required=True)),
    )


def totals_in(scope_size: ScopeSize, dimensions: Sequence[Dimension]) -> Any:
    """The rows (project_id, error_id, occurrences) of the errors that a `Counting` counts."""

    def inside(source: Any) -> ColumnElement[bool]:
        return allowed(source.project_id, scope_size)

    def has_series(source: Any) -> ColumnElement[bool]:
        # All at once: to look the series of each row up takes longer than to add them up.
        chosen = series_with(scope_size, ERROR_OCCURRENCES, dimensions)
        return tuple_(source.project_id, source.series_id).in_(chosen)

    where = (inside, has_series) if dimensions else (inside,)
    rows = occurrences_in((), *where).subquery("counted")
    key = rows.c.project_id, rows.c.fingerprint_id
    number = func.sum(rows.c.occurrences).label("occurrences")
    # Added up before the join, which is then one of fingerprints, not of all their buckets.
    sums = select(*key, number).group_by(*key).subquery("sums")
    total = func.sum(sums.c.occurrences).cast(BigInteger).label("occurrences")
    columns = fingerprints.c.project_id, fingerprints.c.error_id
    return (
        select(*columns, total)
        .select_from(sums.join(fingerprints, of_fingerprint(sums)))
        .group_by(*columns)
        .subquery("totals")
    )
