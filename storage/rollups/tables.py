"""The roll-up tables of every fact, built from its declaration."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Integer, Numeric, SmallInteger, Table

from storage.facts import FACTS
from storage.facts.fact import Cell, Component, Fact, Grain, Keep, Peak, Presence, Reach
from storage.metadata import metadata

# The value of a dimension that a cell's rows sum over.
TOTAL = -1

# A bucket's row is updated many times; free space on its page keeps updates cheap (HOT).
FILLFACTOR = {Reach.PROJECT: 70, Reach.PLATFORM: 50}


def rollup_table(fact: Fact, kind: str, grain: str) -> Table:
    """The table of a grain: of kind "project", "platform" or "presence".

    A project table has a row per project, cell, bucket and dimensions. A platform table's rows are
    to be summed over writer slots. A presence table lists the projects of a bucket by a dimension.
    """
    return metadata.tables[f"{fact.name}_{kind}_{grain}"]


def grain_table(fact: Fact, grain: Grain) -> Table:
    return rollup_table(fact, grain.reach, grain.name)


def presence_table(fact: Fact, presence: Presence) -> Table:
    return rollup_table(fact, "presence", presence.name)


def key_columns(fact: Fact, grain: Grain) -> tuple[str, ...]:
    """The primary key of a grain's table."""
    if grain.reach is Reach.PROJECT:
        return ("project_id", "cell", "bucket", *fact.series_columns)
    return ("cell", "bucket", *fact.series_columns, "slot")


def presence_key(presence: Presence) -> tuple[str, ...]:
    """The primary key of a presence table."""
    return ("bucket", presence.dimension.column, "project_id")


def numbers(cells: Iterable[Cell]) -> str:
    """The cells' numbers as an SQL list."""
    return ", ".join(str(cell.number) for cell in cells)


@dataclass(frozen=True, slots=True)
class RollupRows:
    """Rows of a roll-up table that have the same columns, with or without a histogram."""

    table: str
    keys: tuple[str, ...]
    width: timedelta
    keep: Keep
    cells: tuple[Cell, ...]  # the cells that they are summed from
    components: tuple[Component, ...]
    peaks: tuple[Peak, ...] = ()
    histogram: tuple[str, ...] = ()

    @property
    def totals(self) -> dict[str, str]:
        """The SQL function that makes one of several rows, by the column of a component or peak."""
        sums = {component.name: "sum" for component in self.components}
        return sums | {peak.name: "max" for peak in self.peaks}

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that are not part of the key."""
        return (*self.totals, *self.histogram)


def rows_of(fact: Fact) -> Iterator[RollupRows]:
    """The rows of all roll-up tables, grouped by their columns."""
    for grain in fact.grains:
        table, keys = grain_table(fact, grain).name, key_columns(fact, grain)
        of = partial(
            RollupRows,
            *(table, keys, grain.width, grain.keep),
            components=fact.components,
            peaks=fact.peaks,
        )
        if grain.histogram:
            yield of(cells=grain.histogram, histogram=fact.histogram)
        others = tuple(cell for cell in fact.cells_of(grain) if cell not in grain.histogram)
        if others:
            yield of(cells=others)
    for presence in fact.presences:
        yield RollupRows(
            presence_table(fact, presence).name,
            presence_key(presence),
            presence.width,
            presence.keep,
            cells=(fact.cell({presence.dimension}),),
            components=(fact.component(fact.leading),),
        )


_KEY_TYPES: dict[str, Any] = {
    "project_id": BigInteger,
    "cell": SmallInteger,
    "bucket": DateTime(timezone=True),
    "slot": SmallInteger,
}


def _key_column(name: str) -> Column[Any]:
    return Column(name, _KEY_TYPES.get(name, Integer), primary_key=True, autoincrement=False)


def _component_column(component: Component) -> Column[Any]:
    kind = Numeric if component.large else Integer
    return Column(component.name, kind, nullable=False, server_default="0")


def _define_grain(fact: Fact, grain: Grain) -> None:
    # A partitioned table has no pages; its fillfactor is set on each partition.
    storage: dict[str, Any] = (
        {"postgresql_partition_by": "RANGE (bucket)"}
        if grain.partition
        else {"postgresql_with": {"fillfactor": FILLFACTOR[grain.reach]}}
    )
    histogram = fact.histogram if grain.histogram else ()
    Table(
        f"{fact.name}_{grain.reach}_{grain.name}",
        metadata,
        *(_key_column(name) for name in key_columns(fact, grain)),
        *(_component_column(component) for component in fact.components),
        *(Column(peak.name, Numeric, nullable=False) for peak in fact.peaks),
        *(Column(name, Integer) for name in histogram),
        **storage,
    )


def _define_presence(fact: Fact, presence: Presence) -> None:
    Table(
        f"{fact.name}_presence_{presence.name}",
        metadata,
        *(_key_column(name) for name in presence_key(presence)),
        Column(fact.leading, Integer, nullable=False, server_default="0"),
        postgresql_with={"fillfactor": FILLFACTOR[Reach.PROJECT]},
    )


for _fact in FACTS.values():
    for _grain in _fact.grains:
        _define_grain(_fact, _grain)
    for _presence in _fact.presences:
        _define_presence(_fact, _presence)
