"""Builds: status events as received, and the states folded from them."""

from sqlalchemy import BigInteger, Column, Index, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

from storage.dimensions import ENVIRONMENT, FRAMEWORK, TEMPLATE
from storage.facts.fact import Cell, Histogram
from storage.facts.lifecycle import RUN
from storage.facts.parts import entity

_DIMENSIONS = (ENVIRONMENT, TEMPLATE, FRAMEWORK)

BUILDS = entity(
    "build",
    stem="Build",
    noun="builds",
    lifecycle=RUN,
    dimensions=_DIMENSIONS,
    columns=(
        Column("deployment", Text),  # the sender's id of the deployment it is for
        Column("branch", Text),
        Column("commit", Text),
        Column("error", Text),
        Column("asset_count", Integer),
        Column("total_bytes", BigInteger),
        Column("cpu_ms", BigInteger),
        Column("memory_bytes", BigInteger),
        Column("attributes", JSONB),
    ),
    cells=(
        Cell(1, "template", (TEMPLATE,)),
        Cell(2, "finest", _DIMENSIONS),
    ),
    # From a quarter of a second to three days: 20 doublings of 256 ms.
    histogram=Histogram(base_us=256_000),
)
Index("builds_deployment_idx", BUILDS.table.c.project_id, BUILDS.table.c.deployment)
