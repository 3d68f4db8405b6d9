"""Row sets: the rows a statement reads from each kind of table, with bucket and group."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    Table,
    and_,
    bindparam,
    cast,
    extract,
    func,
    literal_column,
    null,
    select,
    true,
)

from analytics.plan import TableKind
from analytics.shapes import EXACT_DURATIONS, ScanShape, Shape, Windows
from storage.connections.query import any_of
from storage.dimensions import OTHER, PROJECT, projects
from storage.facts import FACTS
from storage.facts.fact import Age, Cell, Clock, Entity, Fact, Timing
from storage.queries.ages import rows_of_age
from storage.rollups.tables import rollup_table

_INSTANT = DateTime(timezone=True)
_Column = ColumnElement[Any]
_MOST: _Column = literal_column(str(EXACT_DURATIONS))


def rollup_rows(shape: Shape, scan: ScanShape) -> Select[Any]:
    fact, table = FACTS[shape.fact], _table(shape, scan)
    at = table.c.bucket
    counts = [table.c[name] for name in fact.counted]
    bucket = at if shape.as_stored else numbered(shape, at)
    rows = select(bucket, *_groups(shape, table.c), *counts)
    rows = rows.where(_of_cell(table, shape.cell), *_filters(shape, table.c))
    extra = fact.histogram if shape.histogram else ()
    return _within(scan, table, at, _with_text(rows, table.name, extra), extra)


def _table(shape: Shape, scan: ScanShape) -> Table:
    return rollup_table(FACTS[shape.fact], scan.kind, scan.grain)


def _of_cell(table: Table, cell: Cell) -> ColumnElement[bool]:
    """Every row of the fact is counted once in each cell, so only one cell is read."""
    return table.c.cell == literal_column(str(cell.number))


def _with_text(rows: Select[Any], table: str, names: Sequence[str]) -> Select[Any]:
    """Adds columns as one text: a histogram's, one by one, take ten times as long to compile."""
    if not names:
        return rows
    return rows.add_columns(literal_column(", ".join(f"{table}.{name}" for name in names)))


def _within(
    scan: ScanShape, table: Table, at: _Column, rows: Select[Any], extra: Sequence[str] = ()
) -> Select[Any]:
    """Keeps the rows inside the windows of ``scan``; ``extra`` names columns added as text."""
    outer: list[FromClause] = []
    if scan.each_project:
        outer.append(projects)
        rows = rows.where(table.c.project_id == projects.c.project_id)
    if scan.windows is Windows.APART:
        windows = _windows(scan)
        outer.append(windows)
        rows = rows.where(at >= windows.c.low, at < windows.c.high)
    else:
        low, high = (bindparam(f"{scan.name}_{end}", type_=_INSTANT) for end in ("low", "high"))
        rows = rows.where(at >= low, at < high)
    if scan.windows is Windows.GAPPED:
        rows = rows.where(_in_a_window(scan, at))
    return _for_each(outer, rows, f"{scan.name}_rows", extra) if outer else rows


def _windows(scan: ScanShape) -> FromClause:
    lows, highs = (
        bindparam(f"{scan.name}_{ends}", type_=ARRAY(_INSTANT)) for ends in ("lows", "highs")
    )
    windows = func.unnest(lows, highs).table_valued("low", "high")
    return windows.render_derived(name=f"{scan.name}_windows")


def _for_each(
    outer: Sequence[FromClause], rows: Select[Any], name: str, extra: Sequence[str]
) -> Select[Any]:
    """Selects ``rows``, which refer to the tables of ``outer``, for each row of these."""
    # The offset keeps the planner, which does not know how narrow the windows are, from reading
    # everything between them.
    inside = rows.offset(literal_column("0")).lateral(name)
    whole = [str(c.key) for c in rows.selected_columns if not getattr(c, "is_literal", False)]
    source = reduce(lambda left, right: left.join(right, true()), (*outer, inside))
    return _with_text(select(*(inside.c[key] for key in whole)).select_from(source), name, extra)


def _in_a_window(scan: ScanShape, at: _Column) -> ColumnElement[bool]:
    """Inside a window the number of starts and ends up to ``at`` is odd."""
    ends: Any = bindparam(f"{scan.name}_ends", type_=ARRAY(_INSTANT))
    return func.width_bucket(at, ends) % literal_column("2") == literal_column("1")


def _filters(shape: Shape, columns: Any) -> list[ColumnElement[bool]]:
    return [any_of(columns[d.column], d.plural) for d in shape.filtered]


def numbered(shape: Shape, at: _Column) -> _Column:
    """The bucket's number, from 1: how many edges are not later."""
    if not shape.bucketed:
        return literal_column("1", Integer).label("bucket")
    edges: Any = bindparam("edges", type_=ARRAY(_INSTANT))
    return func.width_bucket(at, edges).label("bucket")


def _groups(shape: Shape, columns: Any) -> list[_Column]:
    return [columns[dimension.column].label(dimension.name) for dimension in shape.group_by]


def fact_rows(shape: Shape, scan: ScanShape, clock: Clock) -> Select[Any]:
    """Facts whose time by ``clock`` is in the windows, as their contributions."""
    fact = FACTS[shape.fact]
    at = fact.table.c[fact.clocks[clock]]
    dimensions, source = _fact_source(shape)
    counts = [
        (component.value if component.clock is clock else literal_column("0", Integer)).label(
            component.name
        )
        for component in fact.components
    ] + [peak.value.label(peak.name) for peak in fact.peaks]
    measured = shape.histogram and clock is _timing(fact).clock
    duration = fact.table.c[_timing(fact).column] if measured else cast(null(), BigInteger)
    rows = (
        select(
            numbered(shape, at), *_groups(shape, dimensions), *counts, duration.label("duration")
        )
        .select_from(source)
        .where(*_filters(shape, dimensions))
    )
    return _within(scan, fact.table, at, rows)


def _timing(fact: Fact) -> Timing:
    assert fact.timing is not None  # a slice of other facts has no histogram
    return fact.timing


def _fact_source(shape: Shape) -> tuple[dict[str, _Column], FromClause]:
    """Returns the columns of the facts' dimensions, and the tables to read them from."""
    return _with_series(shape, FACTS[shape.fact].table)


def _with_series(shape: Shape, table: FromClause) -> tuple[dict[str, _Column], FromClause]:
    fact = FACTS[shape.fact]
    series = fact.series
    columns: dict[str, _Column] = {PROJECT.column: table.c.project_id}
    if not shape.series_dimensions and not fact.peaks:
        return columns, table
    for dimension in shape.series_dimensions:
        # The overflow series has no row: all its dimensions are "other".
        known = series.c[dimension.column]
        columns[dimension.column] = func.coalesce(known, literal_column(str(OTHER), Integer))
    same = [series.c.project_id == table.c.project_id, series.c.series_id == table.c.series_id]
    if PROJECT in shape.filtered:
        # The planner does not see by itself that no other project's series are needed.
        same.append(any_of(series.c.project_id, PROJECT.plural))
    return columns, table.outerjoin(series, and_(*same))


def active_rows(shape: Shape, scan: ScanShape) -> Select[Any]:
    """Bucket, group and project of everything that was active."""
    fact = FACTS[shape.fact]
    counted = fact.component(fact.leading)
    columns: Any
    something: ColumnElement[bool] = true()
    if scan.kind is TableKind.FACTS:
        table = fact.table
        at = table.c[fact.clocks[counted.clock]]
        columns, source = _fact_source(shape)
    else:
        table = _table(shape, scan)
        at, columns, source = table.c.bucket, table.c, table
        something = table.c[counted.name] > literal_column("0")
        if scan.kind is not TableKind.PRESENCE:
            something = and_(something, _of_cell(table, shape.cell))
    project = columns[PROJECT.column].label(PROJECT.column)
    rows = (
        select(numbered(shape, at), *_groups(shape, columns), project)
        .select_from(source)
        .where(something, *_filters(shape, columns))
    )
    return _within(scan, table, at, rows)


def age_rows(shape: Shape, age: Age) -> Select[Any]:
    """Group and age, in microseconds, of the rows that have it at the end of the range, or now."""
    fact = FACTS[shape.fact]
    assert isinstance(fact, Entity)  # a slice of other facts has no ages
    start, end = (bindparam(f"ages_{edge}", type_=_INSTANT) for edge in ("start", "end"))
    project = fact.table.c.project_id
    visible = any_of(project, PROJECT.plural) if PROJECT in shape.filtered else true()
    rows = rows_of_age(fact, age, visible, start, end).subquery(f"{age}_rows")
    dimensions, source = _with_series(shape, rows)
    moment = func.least(end, func.transaction_timestamp(type_=_INSTANT))
    seconds = extract("epoch", moment - rows.c.since)
    age_us = cast(seconds * literal_column("1000000"), BigInteger)
    return (
        select(*_groups(shape, dimensions), age_us.label("age"))
        .select_from(source)
        .where(*_filters(shape, dimensions))
    )


def exact_rows(shape: Shape, scan: ScanShape, bound: ScanShape) -> Select[Any]:
    """Single durations, of projects whose roll-ups count few enough of them."""
    fact = FACTS[shape.fact]
    timing = _timing(fact)
    at, duration = fact.table.c[fact.clocks[timing.clock]], fact.table.c[timing.column]
    dimensions, source = _fact_source(shape)
    rows: Select[Any] = (
        select(numbered(shape, at), *_groups(shape, dimensions), duration.label("duration"))
        .select_from(source)
        .where(duration.is_not(None), *_filters(shape, dimensions))
    )
    rows = _within(scan, fact.table, at, rows)
    table = _table(shape, bound)
    # Filtered by project only: this limits the rows that are read.
    few = func.coalesce(func.sum(table.c[timing.count]), literal_column("0")) <= _MOST
    if PROJECT not in shape.group_by:
        return rows.where(_bounding(shape, bound, select(few)).scalar_subquery())
    # Each project has its own limit, so that it shows the same values alone and in a list.
    project = table.c.project_id
    having = _bounding(shape, bound, select(project).group_by(project).having(few)).subquery("few")
    rows = rows.where(dimensions[PROJECT.column] == having.c.project_id)
    of_project = rows.offset(literal_column("0")).lateral("exact_of_project")
    return select(*of_project.c).select_from(having.join(of_project, true()))


def _bounding(shape: Shape, bound: ScanShape, sums: Select[Any]) -> Select[Any]:
    """Sums over the windows of ``bound``, of the slice's projects."""
    table = _table(shape, bound)
    sums = sums.where(_of_cell(table, FACTS[shape.fact].cell(())))
    if bound.kind is TableKind.PROJECT:
        sums = sums.where(any_of(table.c.project_id, PROJECT.plural))
    return _within(bound, table, table.c.bucket, sums)
