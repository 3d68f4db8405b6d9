"""SQL that sums what a fact's rows add to its roll-ups; ingest, rebuild and recount share it."""

from datetime import timedelta
from typing import Any

from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement

from storage.dimensions import OTHER
from storage.facts.fact import Cell, Clock, Component, Fact, Floors
from storage.rollups.tables import TOTAL, RollupRows, numbers, rows_of


def _bucket_of(column: str, width: timedelta) -> str:
    """SQL for the start of the UTC bucket that ``column`` falls into."""
    origin = "timestamptz '2000-01-01 00:00:00+00'"
    return f"date_bin(interval '{int(width.total_seconds())} seconds', {column}, {origin})"


def contribution_rows(fact: Fact, source: str) -> str:
    """SQL for the signed rows of ``source``: one for each clock whose time is known.

    ``source`` is SQL for a row set with the fact's columns and ``sign`` (1 adds, -1 subtracts).
    The result has project_id, the series dimensions, at, sign, the components, the peaks and
    histogram_bucket.
    """
    return "\nunion all\n".join(_clock_rows(fact, clock, source) for clock in fact.clocks)


def _clock_rows(fact: Fact, clock: Clock, source: str) -> str:
    row, series = fact.table.name, fact.series.name
    at = f"{row}.{fact.clocks[clock]}"
    dimensions = ", ".join(
        f"coalesce({series}.{name}, {OTHER}) as {name}" for name in fact.series_columns
    )
    values = [
        f"sign * ({_on_clock(component, clock)}) as {component.name}"
        for component in fact.components
    ] + [f"{_literal(peak.value)} as {peak.name}" for peak in fact.peaks]
    return (
        f"select {row}.project_id, {dimensions}, {at} as at, sign, {', '.join(values)},\n"
        f"  {_histogram_bucket(fact, clock)} as histogram_bucket\n"
        f"from {source} as {row}\n"
        f"left join {series} on {series}.project_id = {row}.project_id"
        f" and {series}.series_id = {row}.series_id\n"
        f"where {at} is not null"
    )


def _on_clock(component: Component, clock: Clock) -> str:
    return _literal(component.value) if component.clock is clock else "0"


def _histogram_bucket(fact: Fact, clock: Clock) -> str:
    if fact.timing is None or clock is not fact.timing.clock:
        return "null::int"
    thresholds = ",".join(str(value) for value in fact.timing.histogram.thresholds_us())
    value = f"{fact.table.name}.{fact.timing.column}"
    return f"width_bucket({value}, '{{{thresholds}}}'::bigint[])"


def counted_rows(fact: Fact) -> str:
    """SQL that sums the rows named ``contribution`` by cell and by the finest bucket.

    A dimension that a cell sums over is TOTAL. All roll-ups are summed from these rows, so that
    their common work is done once and rows that cancel out are dropped early.
    """
    keys = ("project_id", "cell", "at", *fact.series_columns, "histogram_bucket")
    cells = ", ".join(
        f"({', '.join([str(cell.number), *_dimensions_of(fact, cell)])})" for cell in fact.cells
    )
    known = {"at": _bucket_of("at", min(grain.width for grain in fact.grains)), "cell": "kept.cell"}
    known |= {name: f"kept.{name}" for name in fact.series_columns}
    sums = [
        f"sum({component.name}){'' if component.large else '::int'} as {component.name}"
        for component in fact.components
    ] + [f"max({peak.name}) as {peak.name}" for peak in fact.peaks]
    return (
        f"select {', '.join(f'{known.get(name, name)} as {name}' for name in keys)},\n"
        f"  {', '.join(sums)}, sum(sign)::int as sign\n"
        f"from contribution cross join lateral (values {cells})"
        f" as kept({', '.join(('cell', *fact.series_columns))})\n"
        f"group by {', '.join(str(number) for number in range(1, len(keys) + 1))}\n"
        f"having sum(sign) <> 0 or {' or '.join(f'sum({c.name}) <> 0' for c in fact.components)}"
    )


def _dimensions_of(fact: Fact, cell: Cell) -> list[str]:
    return [
        f"contribution.{dimension.column}" if dimension in cell.dimensions else str(TOTAL)
        for dimension in fact.dimensions
    ]


def rolled(fact: Fact, slot: str, floors: Floors) -> list[str]:
    """SQL for the common table expressions that add the rows named ``changed`` to every roll-up.

    ``slot`` and the floors are SQL parameters; buckets before a floor are left out.
    """
    steps = [
        f"contribution as materialized (\n{contribution_rows(fact, 'changed')})",
        f"counted as materialized (\n{counted_rows(fact)})",
    ]
    for number, rows in enumerate(rows_of(fact)):
        upsert = _rollup_upsert(fact, rows, slot, _from(floors.of(rows.keep)))
        steps.append(f"rollup_step_{number} as ({upsert})")
    return steps


def _from(floor: object) -> str:
    return f"({floor}::timestamptz is null or at >= {floor}::timestamptz)"


def _rollup_upsert(fact: Fact, rows: RollupRows, slot: str, condition: str) -> str:
    updates = (
        [
            f"{component.name} = r.{component.name} + excluded.{component.name}"
            for component in rows.components
        ]
        + [f"{peak.name} = greatest(r.{peak.name}, excluded.{peak.name})" for peak in rows.peaks]
        + [
            f"{h} = case when excluded.{h} is null then r.{h}"
            f" else nullif(coalesce(r.{h}, 0) + excluded.{h}, 0) end"
            for h in rows.histogram
        ]
    )
    return (
        f"{rollup_insert(fact, rows, slot, condition)}\n"
        f"on conflict ({', '.join(rows.keys)}) do update set {', '.join(updates)}"
    )


def rollup_insert(fact: Fact, rows: RollupRows, slot: str, condition: str) -> str:
    """SQL that inserts the sums of the rows named ``counted`` into a roll-up table.

    In key order: many writers update the rows of coarse cells, and one order prevents deadlocks.
    """
    return (
        f"insert into {rows.table} as r ({', '.join((*rows.keys, *rows.values))})\n"
        f"{rollup_select(fact, rows, slot, condition)}\n"
        f"order by {', '.join(str(position) for position in range(1, len(rows.keys) + 1))}"
    )


def rollup_select(fact: Fact, rows: RollupRows, slot: str, condition: str) -> str:
    """SQL that sums the rows named ``counted`` to rows of a roll-up table."""
    known = {"bucket": _bucket_of("at", rows.width), "slot": f"{slot}::smallint"}
    keys = [known.get(name, name) for name in rows.keys]
    sums = [f"{total}({name})" for name, total in rows.totals.items()] + [
        f"nullif(sum(sign) filter (where histogram_bucket = {index}), 0)"
        for index in range(len(rows.histogram))
    ]
    if rows.cells != fact.cells:
        condition += f" and cell in ({numbers(rows.cells)})"
    if rows.components != fact.components:  # of the rest, a row may have nothing
        condition += f" and ({' or '.join(f'{each.name} <> 0' for each in rows.components)})"
    groups = ", ".join(str(position) for position in range(1, len(keys) + 1))
    return f"select {', '.join([*keys, *sums])}\nfrom counted where {condition} group by {groups}"


def _literal(expression: ColumnElement[Any]) -> str:
    compiled = expression.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    return str(compiled)
