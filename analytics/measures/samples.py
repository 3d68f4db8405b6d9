"""The measures of samples' values, which only those of one metric have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from analytics.components import Components
from analytics.measures.builder import Builder
from analytics.measures.measure import Measure, Unit
from storage.dimensions import OTHER
from storage.facts.samples import ABOVE_ZERO, PER_MICROSECOND, PER_UNIT, SAMPLES


@dataclass(frozen=True, slots=True)
class _Values:
    """What is known of the values of a cell, in billionths."""

    count: int
    total: int
    highest: int
    lowest: int
    latest: int


def _values(cell: Components) -> _Values | None:
    """What is known of the values; None without samples, and of samples of several metrics."""
    if not cell.peaks:
        return None
    highest, minus_lowest, latest, last_metric, minus_first_metric = cell.peaks
    if last_metric != -minus_first_metric or last_metric == OTHER:
        return None
    count, total = cell.counts
    return _Values(count, total, highest, -minus_lowest, latest % PER_MICROSECOND - ABOVE_ZERO)


def _measure(
    name: str, formula: str, description: str, read: Callable[[_Values], int | float]
) -> Measure:
    def evaluate(cell: Components, _days: float, _whole: Components) -> float | None:
        values = _values(cell)
        return None if values is None else read(values) / PER_UNIT

    return Builder(SAMPLES).other(
        name,
        Unit.OF_METRIC,
        "value",
        formula,
        f"{description}.",
        evaluate,
        sampled=SAMPLES.leading,
        null_where="if there are no samples or they are of several metrics",
    )


SAMPLE_MEASURES = (
    _measure("sum", "value", "The sum of the values", attrgetter("total")),
    _measure(
        "average",
        "value / count",
        "The mean of the values",
        lambda values: values.total / values.count,
    ),
    _measure("minimum", "lowest", "The lowest value", attrgetter("lowest")),
    _measure("maximum", "highest", "The highest value", attrgetter("highest")),
    _measure(
        "last",
        "latest",
        "The latest value, of several at one moment the highest",
        attrgetter("latest"),
    ),
)
