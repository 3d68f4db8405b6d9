"""A measure: a number computed from the components of a cell, and its description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from analytics.components import Components
from storage.facts.fact import Clock

Number = int | float
# Takes a cell, the days it spans, and the cell that a share is relative to.
Evaluator = Callable[[Components, float, Components], Number | None]
# Takes a cell, and the one that a share is relative to; returns how many of how many it counts.
Ratio = Callable[[Components, Components], tuple[int, int]]


class Unit(StrEnum):
    """The unit of a value."""

    COUNT = "count"
    FRACTION = "fraction"
    MILLISECONDS = "milliseconds"
    DAYS = "days"
    PER_WEEK = "per week"
    PER_DAY = "per day"
    PER_HOUR = "per hour"
    PER_MINUTE = "per minute"
    PER_SECOND = "per second"
    OF_METRIC = "of the metric"


class MeasureKind(StrEnum):
    """How a measure is computed from a cell."""

    FORMULA = "formula"
    PER_TIME = "per time"
    SHARE = "share"
    PERCENTILE = "percentile"
    DISTINCT = "distinct"
    AGE = "age"


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A number: its meaning, its computation, and the clock that puts it into buckets.

    A ``headline`` is a field of the fact's figures; the others are reached through `metrics` only.
    ``sample`` counts what a value is computed from: the rows or durations in a cell.
    """

    fact: str
    name: str
    unit: Unit
    clock: Clock
    formula: str
    description: str
    evaluate: Evaluator = field(repr=False)
    sample: Callable[[Components], int] = field(repr=False)
    ratio: Ratio | None = field(default=None, repr=False)  # of fractions
    kind: MeasureKind = MeasureKind.FORMULA
    when_empty: Number | None = None
    null_where: str = "if there are none"  # for what cells it has no value, unless `when_empty`
    additive: bool = False  # buckets and groups add up to the total
    error_bound: float | None = None
    headline: bool = True

    @property
    def key(self) -> tuple[str, str]:
        return self.fact, self.name

    @property
    def needs_histogram(self) -> bool:
        """Whether its slice needs ``histogram=True``."""
        return self.kind is MeasureKind.PERCENTILE

    @property
    def needs_projects(self) -> bool:
        """Whether its slice needs ``distinct=True``."""
        return self.kind is MeasureKind.DISTINCT

    @property
    def needs_ages(self) -> bool:
        """Whether its slice needs ``ages=True``."""
        return self.kind is MeasureKind.AGE

    def value(
        self, components: Components, *, days: float = 1.0, whole: Components | None = None
    ) -> Number | None:
        """Returns the value for a cell of ``days`` days; a share is relative to ``whole``."""
        return self.evaluate(components, days, whole or components)
