"""The roll-up tables of every fact, built from its declaration."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Integer, Numeric, SmallInteger, Table

from storage.facts import FACTS
from storage.facts.fact import SERIES_DIMENSIONS, Cell, Component, Fact, Grain, Presence, Reach
from storage.metadata import metadata

# The value of a dimension that a cell's rows sum over.
TOTAL = -1

# A bucket's row is updated many times; free space on its page keeps updates cheap (HOT).
FILLFACTOR = {Reach.PROJECT: 70, Reach.PLATFORM: 50}


def rollup_table(fact: Fact, kind: str, grain: str) -> Table:
    """The table of a grain: of kind "project", "platform" or "presence".

    A project table has a row per project, cell, bucket and dimensions. A platform table's rows are
    to be summed over writer slots. A presence table lists the projects of a bucket by network.
    """
    return metadata.tables[f"{fact.name}_{kind}_{grain}"]


def grain_table(fact: Fact, grain: Grain) -> Table:
    return rollup_table(fact, grain.reach, grain.name)


def presence_table(fact: Fact, presence: Presence) -> Table:
    return rollup_table(fact, "presence", presence.name)


def key_columns(grain: Grain) -> tuple[str, ...]:
    """The primary key of a grain's table."""
    if grain.reach is Reach.PROJECT:
        return ("project_id", "cell", "bucket", *SERIES_DIMENSIONS)
    return ("cell", "bucket", *SERIES_DIMENSIONS, "slot")


def numbers(cells: Iterable[Cell]) -> str:
    """The cells' numbers as an SQL list."""
    return ", ".join(str(cell.number) for cell in cells)


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
    histogram = fact.histogram.columns if grain.histogram else ()
    Table(
        f"{fact.name}_{grain.reach}_{grain.name}",
        metadata,
        *(_key_column(name) for name in key_columns(grain)),
        *(_component_column(component) for component in fact.components),
        *(Column(name, Integer) for name in histogram),
        **storage,
    )


def _define_presence(fact: Fact, presence: Presence) -> None:
    Table(
        f"{fact.name}_presence_{presence.name}",
        metadata,
        *(_key_column(name) for name in ("bucket", "network_id", "project_id")),
        Column(fact.presence_component, Integer, nullable=False, server_default="0"),
        postgresql_with={"fillfactor": FILLFACTOR[Reach.PROJECT]},
    )


for _fact in FACTS.values():
    for _grain in _fact.grains:
        _define_grain(_fact, _grain)
    for _presence in _fact.presences:
        _define_presence(_fact, _presence)
