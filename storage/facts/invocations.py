"""Function invocations: a row for each that completed, and those that run."""

from sqlalchemy import BigInteger, Boolean, Column, Text

from storage.dimensions import ENVIRONMENT, FUNCTION, REGION, RUNTIME
from storage.facts.fact import Cell, Histogram, PartitionSpan
from storage.facts.parts import append, flagged

_DIMENSIONS = (FUNCTION, ENVIRONMENT, RUNTIME, REGION)
_failed = Column("failed", Boolean, nullable=False)
_cold_start = Column("cold_start", Boolean, nullable=False)

INVOCATIONS = append(
    "invocation",
    stem="Function",
    noun="function invocations",
    leading="invocations",
    dimensions=_DIMENSIONS,
    columns=(
        Column("init_us", BigInteger),
        Column("memory_bytes", BigInteger),
        _failed,
        _cold_start,
        Column("error", Text),
    ),
    components=(flagged("errors", _failed), flagged("cold_starts", _cold_start)),
    cells=(
        Cell(1, "function", (FUNCTION,), of_platform=False),
        Cell(2, "finest", _DIMENSIONS, of_platform=False),
    ),
    # From a millisecond to 17 minutes: 20 doublings.
    histogram=Histogram(base_us=1_000),
    paired=True,
    partition=PartitionSpan.WEEK,
    series_at_most=5_000,
)
