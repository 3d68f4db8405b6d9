"""Deployments: status events as received, and the states folded from them."""

from datetime import timedelta

from sqlalchemy import Column, Index, Text
from sqlalchemy.dialects.postgresql import JSONB

from storage.dimensions import ENVIRONMENT, FRAMEWORK, NETWORK, TEMPLATE
from storage.facts.fact import Cell, Histogram, Keep, Presence
from storage.facts.lifecycle import RUN_WITH_ROLLBACK
from storage.facts.parts import entity

_DIMENSIONS = (ENVIRONMENT, NETWORK, TEMPLATE, FRAMEWORK)

DEPLOYMENTS = entity(
    "deployment",
    stem="Deployment",
    noun="deployments",
    lifecycle=RUN_WITH_ROLLBACK,
    dimensions=_DIMENSIONS,
    columns=(
        Column("actor", Text),
        Column("to_deployment", Text),
        Column("release", Text),
        Column("commit", Text),
        Column("repository", Text),
        Column("error", Text),
        Column("attributes", JSONB),
    ),
    cells=(
        Cell(1, "network", (NETWORK,)),
        Cell(2, "finest", _DIMENSIONS),
        Cell(3, "environment", (ENVIRONMENT,)),
    ),
    # From a quarter of a second to three days: 20 doublings of 256 ms.
    histogram=Histogram(base_us=256_000),
    presences=(
        Presence("hour", timedelta(hours=1), Keep.FINE, NETWORK),
        Presence("day", timedelta(days=1), Keep.DAY, NETWORK),
    ),
)
_of = DEPLOYMENTS.table.c
Index("deployments_release_idx", _of.project_id, _of.release, _of.created_at.desc())
