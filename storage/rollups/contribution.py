"""SQL for what a fact's row adds to its roll-ups; ingest, rebuild and recount share it."""

from datetime import timedelta

from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement

from storage.facts.fact import SERIES_DIMENSIONS, Cell, Clock, Component, Fact, RollupRows
from storage.rollups.tables import TOTAL

OTHER = 1  # the dictionaries' reserved id


def bucket_of(column: str, width: timedelta) -> str:
    """SQL for the start of the UTC bucket that ``column`` falls into."""
    origin = "timestamptz '2000-01-01 00:00:00+00'"
    return f"date_bin(interval '{int(width.total_seconds())} seconds', {column}, {origin})"


def contribution_rows(fact: Fact, source: str) -> str:
    """SQL for the signed rows of ``source``: one for each clock whose time is known.

    ``source`` is SQL for a row set with the fact's columns and ``sign`` (1 adds, -1 subtracts).
    The result has project_id, the series dimensions, at, sign, the components and histogram_bucket.
    """
    return "\nunion all\n".join(_clock_rows(fact, clock, source) for clock in fact.clocks)


def _clock_rows(fact: Fact, clock: Clock, source: str) -> str:
    row = fact.table.name
    at = f"{row}.{fact.clocks[clock]}"
    dimensions = ", ".join(
        f"coalesce(series.{name}, {OTHER}) as {name}" for name in SERIES_DIMENSIONS
    )
    components = ", ".join(
        f"sign * ({_on_clock(component, clock)}) as {component.name}"
        for component in fact.components
    )
    return (
        f"select {row}.project_id, {dimensions}, {at} as at, sign, {components},\n"
        f"  {_histogram_bucket(fact, clock)} as histogram_bucket\n"
        f"from {source} as {row}\n"
        f"left join series on series.project_id = {row}.project_id"
        f" and series.series_id = {row}.series_id\n"
        f"where {at} is not null"
    )


def _on_clock(component: Component, clock: Clock) -> str:
    return _literal(component.value) if component.clock is clock else "0"


def _histogram_bucket(fact: Fact, clock: Clock) -> str:
    if clock is not fact.histogram_clock:
        return "null::int"
    thresholds = ",".join(str(value) for value in fact.histogram.thresholds_us())
    value = f"{fact.table.name}.{fact.histogram_column}"
    return f"width_bucket({value}, '{{{thresholds}}}'::bigint[])"


def counted_rows(fact: Fact) -> str:
    """SQL that sums the rows named ``contribution`` by cell and by the finest bucket.

    A dimension that a cell sums over is TOTAL. All roll-ups are summed from these rows, so that
    their common work is done once and rows that cancel out are dropped early.
    """
    keys = ("project_id", "cell", "at", *SERIES_DIMENSIONS, "histogram_bucket")
    cells = ", ".join(
        f"({', '.join([str(cell.number), *_dimensions_of(cell)])})" for cell in fact.cells
    )
    known = {"at": bucket_of("at", min(grain.width for grain in fact.grains)), "cell": "kept.cell"}
    known |= {name: f"kept.{name}" for name in SERIES_DIMENSIONS}
    sums = [
        f"sum({component.name}){'' if component.large else '::int'} as {component.name}"
        for component in fact.components
    ]
    return (
        f"select {', '.join(f'{known.get(name, name)} as {name}' for name in keys)},\n"
        f"  {', '.join(sums)}, sum(sign)::int as sign\n"
        f"from contribution cross join lateral (values {cells})"
        f" as kept({', '.join(('cell', *SERIES_DIMENSIONS))})\n"
        f"group by {', '.join(str(number) for number in range(1, len(keys) + 1))}\n"
        f"having sum(sign) <> 0 or {' or '.join(f'sum({c.name}) <> 0' for c in fact.components)}"
    )


def _dimensions_of(cell: Cell) -> list[str]:
    return [
        f"contribution.{name}" if name in cell.dimensions else str(TOTAL)
        for name in SERIES_DIMENSIONS
    ]


def sums(fact: Fact, rows: RollupRows) -> list[str]:
    """SQL for each column of a roll-up row, summed over `counted_rows`, in the table's order."""
    components = [f"sum({component.name})" for component in fact.components]
    return components + [
        f"nullif(sum(sign) filter (where histogram_bucket = {index}), 0)"
        for index in range(fact.histogram.buckets if rows.histogram else 0)
    ]


def value_columns(fact: Fact, rows: RollupRows) -> list[str]:
    """The names of a roll-up row's columns that are not part of its key."""
    names = [component.name for component in fact.components]
    return names + list(fact.histogram.columns if rows.histogram else ())


def _literal(expression: ColumnElement[int]) -> str:
    compiled = expression.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    return str(compiled)
