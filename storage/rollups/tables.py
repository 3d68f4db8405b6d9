"""The roll-up tables of every fact, built from its declaration."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, SmallInteger, Table

from storage.facts import FACTS
from storage.facts.fact import Component, Fact, Grain, Presence, Reach
from storage.metadata import metadata

SERIES_DIMENSIONS = ("environment_id", "network_id", "template_id", "framework_id")

# The dimension value of a platform row that sums over all dimensions.
TOTAL = -1

# A bucket's row is updated many times: room on its page keeps those updates cheap (HOT).
FILLFACTOR = {Reach.PROJECT: 70, Reach.PLATFORM: 50}


def project_table(fact: Fact, grain: str) -> Table:
    """The roll-up with a row per project, bucket and series dimensions."""
    return metadata.tables[f"{fact.name}_{Reach.PROJECT}_{grain}"]


def platform_table(fact: Fact, grain: str) -> Table:
    """The roll-up over all projects, with a row per writer slot, to be summed."""
    return metadata.tables[f"{fact.name}_{Reach.PLATFORM}_{grain}"]


def presence_table(fact: Fact, grain: str) -> Table:
    """Which projects had anything in a bucket, by network."""
    return metadata.tables[f"{fact.name}_presence_{grain}"]


def grain_table(fact: Fact, grain: Grain) -> Table:
    return metadata.tables[f"{fact.name}_{grain.reach}_{grain.name}"]


def _component_column(component: Component) -> Column[int]:
    kind = BigInteger if component.large else Integer
    return Column(component.name, kind, nullable=False, server_default="0")


def _define_grain(fact: Fact, grain: Grain) -> None:
    owner = [Column("project_id", BigInteger, primary_key=True, autoincrement=False)]
    slot = [Column("slot", SmallInteger, primary_key=True, autoincrement=False)]
    by_project = grain.reach is Reach.PROJECT
    partitioned = {"postgresql_partition_by": "RANGE (bucket)"}
    # A partitioned table has no storage of its own: its fillfactor is set on each partition.
    stored = {"postgresql_with": {"fillfactor": FILLFACTOR[grain.reach]}}
    Table(
        f"{fact.name}_{grain.reach}_{grain.name}",
        metadata,
        *(owner if by_project else []),
        Column("bucket", DateTime(timezone=True), primary_key=True),
        *(
            Column(name, Integer, primary_key=True, autoincrement=False)
            for name in SERIES_DIMENSIONS
        ),
        *([] if by_project else slot),
        *(_component_column(component) for component in fact.components),
        *(Column(name, Integer) for name in (fact.histogram.columns if grain.histogram else ())),
        **(partitioned if grain.partition else stored),
    )


def _define_presence(fact: Fact, presence: Presence) -> None:
    Table(
        f"{fact.name}_presence_{presence.name}",
        metadata,
        Column("bucket", DateTime(timezone=True), primary_key=True),
        Column("network_id", Integer, primary_key=True, autoincrement=False),
        Column("project_id", BigInteger, primary_key=True, autoincrement=False),
        Column(fact.presence_component, Integer, nullable=False, server_default="0"),
        postgresql_partition_by="RANGE (bucket)",
    )


for _fact in FACTS.values():
    for _grain in _fact.grains:
        _define_grain(_fact, _grain)
    for _presence in _fact.presences:
        _define_presence(_fact, _presence)
