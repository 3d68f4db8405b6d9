"""Samples: a row for each value of a metric, of a host or of anything else."""

from sqlalchemy import Column, Numeric, literal_column

from storage.dimensions import ENVIRONMENT, LABEL_SET, METRIC, OTHER
from storage.facts.fact import Cell, Clock, Component, Peak
from storage.facts.parts import append

# Values have at most nine decimal places, so sums are whole numbers of billionths, in any order.
PER_UNIT = 10**9
LARGEST = 10**18
# The peak `latest` has the time in microseconds before the value, from which this is added.
ABOVE_ZERO = LARGEST * PER_UNIT
PER_MICROSECOND = 10 * ABOVE_ZERO

_DIMENSIONS = (METRIC, LABEL_SET, ENVIRONMENT)
_billionths = f"(samples.value * {PER_UNIT})"
_metric = f"coalesce(sample_series.metric_id, {OTHER})"

SAMPLES = append(
    "sample",
    stem="Sample",
    noun="samples",
    leading="count",
    dimensions=_DIMENSIONS,
    columns=(Column("value", Numeric, nullable=False),),
    components=(Component("value", Clock.OCCURRED, literal_column(_billionths), large=True),),
    peaks=(
        Peak("highest", literal_column(_billionths)),
        Peak("lowest", literal_column(f"-{_billionths}")),
        # Of several at one moment, the highest.
        Peak(
            "latest",
            literal_column(
                f"extract(epoch from samples.occurred_at) * 1000000 * {PER_MICROSECOND}"
                f" + {_billionths} + {ABOVE_ZERO}"
            ),
        ),
        # They agree where all rows are of one metric, so that the values mean the same.
        Peak("last_metric", literal_column(_metric)),
        Peak("first_metric", literal_column(f"-{_metric}")),
    ),
    cells=(
        Cell(1, "metric", (METRIC,), of_platform=False),
        Cell(2, "finest", _DIMENSIONS, of_platform=False),
    ),
    histogram=None,
    series_at_most=2_000,
)
