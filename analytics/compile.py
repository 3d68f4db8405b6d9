"""Compiles a shape to one SQL statement, once.

The statement is a union of sums over roll-ups, over facts at the ragged ends of the range, of
distinct projects, of single durations where they are few, and of ages. Each row has its bucket
(from 1; 0 spans all buckets) and group; rows of one cell are added up afterwards. One snapshot,
taken after ``as_of``, serves all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    Integer,
    Select,
    Subquery,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from analytics.plan import TableKind
from analytics.rows import active_rows, age_rows, exact_rows, fact_rows, numbered, rollup_rows
from analytics.shapes import Shape
from storage.connections.query import SqlQuery, UnionQuery, any_of
from storage.dimensions import PROJECT
from storage.facts import FACTS
from storage.facts.fact import Fact
from storage.feed.counters import platform_version_days, project_version_days

# Answers of more cells are refused.
MAX_CELLS = 50_000

_Column = ColumnElement[Any]
# A literal: with a parameter the planner expects to read few rows, and sorts to group.
_MOST_ROWS: _Column = literal_column(str(MAX_CELLS + 1))


def max_groups(fact: Fact) -> int:
    """The most dimensions that a statement groups by: the fact's and the project."""
    return len(fact.dimensions) + 1


@lru_cache(maxsize=1024)
def statement(shape: Shape) -> SqlQuery:
    """Returns the statement of a shape; all shapes of a fact have the same columns.

    These are as_of, owners, numbers, bucket, `max_groups` groups, components, peaks, histogram,
    durations, ages and projects. One row has only the first three: the time and the version
    counters of the data. All other rows lack them.
    """
    sums = [
        *_rollup_sums(shape),
        *_fact_sums(shape),
        *_project_counts(shape),
        *_exact_durations(shape),
        *_ages(shape),
    ]
    cells = union_all(*sums).limit(_MOST_ROWS).subquery("cells")
    no_cell = [null().label(column.key) for column in cells.c]
    state = _state_columns(shape)
    no_state = [null().label(column.key) for column in state]
    return SqlQuery(shape.label, union_all(select(*state, *no_cell), select(*no_state, *cells.c)))


@lru_cache(maxsize=1024)
def together(shapes: tuple[Shape, ...]) -> SqlQuery:
    """Returns one statement for several shapes of a fact; its first column is the shape's index."""
    return UnionQuery(f"{shapes[0].fact}_slices", [statement(shape) for shape in shapes])


def _state_columns(shape: Shape) -> list[_Column]:
    """The database's time before the snapshot, and the version counters of the data."""
    by_project = shape.versioned is TableKind.PROJECT
    table = project_version_days if by_project else platform_version_days
    owner = table.c.project_id if by_project else table.c.slot
    first, last = (bindparam(f"version_{end}", type_=Date()) for end in ("first", "last"))
    highest = (
        select(owner.label("owner"), func.max(table.c.number).label("number"))
        .where(table.c.fact == literal_column(f"'{shape.fact}'"))
        .where(table.c.day >= first, table.c.day < last)
        .group_by(owner)
    )
    if by_project:
        highest = highest.where(any_of(owner, PROJECT.plural))
    counters = highest.subquery("counters")
    arrays = select(
        func.array_agg(counters.c.owner).label("owners"),
        func.array_agg(counters.c.number).label("numbers"),
    ).cte("versions")
    return [
        func.transaction_timestamp(type_=DateTime(timezone=True)).label("as_of"),
        select(cast(arrays.c.owners, ARRAY(BigInteger))).scalar_subquery().label("owners"),
        select(cast(arrays.c.numbers, ARRAY(BigInteger))).scalar_subquery().label("numbers"),
    ]


def _rollup_sums(shape: Shape) -> list[Select[Any]]:
    fact = FACTS[shape.fact]
    arms = [rollup_rows(shape, scan) for scan in shape.counts if scan.kind is not TableKind.FACTS]
    if not arms:
        return []
    rows = _one_of_many(arms, "rows")
    histogram: _Column | None = None
    if shape.histogram:
        sums = ", ".join(f"coalesce(sum(rows.{h}), 0)" for h in fact.histogram)
        histogram = literal_column(f"array[{sums}]", ARRAY(BigInteger))
    # Numbering thirty sums costs less than numbering thousands of rows.
    number = numbered(shape, rows.c.bucket) if shape.as_stored else None
    return [_grouped(shape, rows, _Values(_sums(fact, rows), histogram, number=number))]


def _sums(fact: Fact, rows: Subquery) -> list[_Column]:
    # PostgreSQL adds up bigints to a numeric, which the driver returns as a Decimal.
    sums: list[_Column] = [
        func.sum(rows.c[c.name]) if c.large else cast(func.sum(rows.c[c.name]), BigInteger)
        for c in fact.components
    ]
    return sums + [func.max(rows.c[peak.name]) for peak in fact.peaks]


def _one_of_many(arms: Sequence[Select[Any]], name: str) -> Subquery:
    return (union_all(*arms) if len(arms) > 1 else arms[0]).subquery(name)


@dataclass(frozen=True, slots=True)
class _Values:
    """The columns that an arm of the statement fills; the others are null."""

    counts: Sequence[_Column] | None = None
    histogram: _Column | None = None
    durations: _Column | None = None
    ages: Sequence[_Column] | None = None
    projects: _Column | None = None
    number: _Column | None = None  # of the bucket, if the rows have only its start


def _grouped(
    shape: Shape,
    rows: FromClause,
    values: _Values,
    *,
    per_bucket: bool = True,
    per_group: bool = True,
) -> Select[Any]:
    """One arm of the statement: a row per bucket and group, or over all of them."""
    bucket = [rows.c.bucket] if per_bucket and shape.bucketed else []
    fact = FACTS[shape.fact]
    groups = [rows.c[dimension.name] for dimension in shape.group_by] if per_group else []
    number = bucket if values.number is None else [values.number]
    columns: list[_Column] = [
        *(number or [literal_column("1" if per_bucket else "0", Integer)]),
        *groups,
        *_nulls(max_groups(fact) - len(groups)),
        *(values.counts or _nulls(len(fact.counted))),
        _or_null(values.histogram, ARRAY(BigInteger)),
        _or_null(values.durations, ARRAY(BigInteger)),
        *(values.ages or _nulls(len(fact.ages))),
        _or_null(values.projects, BigInteger),
    ]
    labelled = [column.label(f"c{position}") for position, column in enumerate(columns)]
    return select(*labelled).select_from(rows).group_by(*bucket, *groups)


def _nulls(count: int) -> list[_Column]:
    return [cast(null(), BigInteger) for _ in range(count)]


def _or_null(column: _Column | None, kind: Any) -> _Column:
    return cast(null(), kind) if column is None else column


def _fact_sums(shape: Shape) -> list[Select[Any]]:
    scans = [scan for scan in shape.counts if scan.kind is TableKind.FACTS]
    if not scans:
        return []
    fact = FACTS[shape.fact]
    rows = _one_of_many([fact_rows(shape, scans[0], clock) for clock in fact.clocks], "fact_rows")
    durations = func.array_agg(rows.c.duration).filter(rows.c.duration.is_not(None))
    return [_grouped(shape, rows, _Values(_sums(fact, rows), durations=durations))]


def _project_counts(shape: Shape) -> list[Select[Any]]:
    if not shape.projects:
        return []
    arms = [active_rows(shape, scan) for scan in shape.projects]
    active = _one_of_many(arms, "active_rows")
    rows = select(*active.c).distinct().cte("active")
    # Within a bucket and group rows are distinct; across several a project may repeat.
    sums = [_grouped(shape, rows, _Values(projects=func.count(rows.c.project_id)))]
    count = _Values(projects=func.count(rows.c.project_id.distinct()))
    if shape.bucketed:
        sums.append(_grouped(shape, rows, count, per_bucket=False))
    if shape.group_by:
        sums.append(_grouped(shape, rows, count, per_bucket=False, per_group=False))
    return sums


def _exact_durations(shape: Shape) -> list[Select[Any]]:
    if shape.exact is None:
        return []
    rows = exact_rows(shape, *shape.exact).subquery("exact_rows")
    return [_grouped(shape, rows, _Values(durations=func.array_agg(rows.c.duration)))]


def _ages(shape: Shape) -> list[Select[Any]]:
    if not shape.ages:
        return []
    ages = FACTS[shape.fact].ages
    found = []
    for position, age in enumerate(ages):
        rows = age_rows(shape, age).subquery(f"{age}_ages")
        values = _nulls(len(ages))
        values[position] = func.max(rows.c.age)
        found.append(_grouped(shape, rows, _Values(ages=values), per_bucket=False))
    return found
