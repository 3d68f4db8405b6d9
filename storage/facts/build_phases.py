"""Build phases, such as clone or install: a row for each that ended."""

from enum import IntEnum

from sqlalchemy import Column, SmallInteger, Uuid

from storage.dimensions import ENVIRONMENT, FRAMEWORK, PHASE, TEMPLATE
from storage.facts.fact import Cell, Histogram
from storage.facts.parts import append, flagged


class PhaseStatus(IntEnum):
    """How a phase ended."""

    SUCCEEDED = 0
    FAILED = 1
    CANCELLED = 2


_DIMENSIONS = (PHASE, ENVIRONMENT, TEMPLATE, FRAMEWORK)
_status = Column("status", SmallInteger, nullable=False)

BUILD_PHASES = append(
    "build_phase",
    stem="BuildPhase",
    noun="phases of builds",
    leading="runs",
    dimensions=_DIMENSIONS,
    columns=(Column("build_id", Uuid, nullable=False), _status),
    components=(flagged("failed", _status == int(PhaseStatus.FAILED)),),
    cells=(
        Cell(1, "phase", (PHASE,)),
        Cell(2, "finest", _DIMENSIONS),
    ),
    # As of builds: test stages of real ones last more than a day.
    histogram=Histogram(base_us=256_000),
    indexed="build_id",
)
