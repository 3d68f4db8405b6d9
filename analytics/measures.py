"""The catalogue of measures: each is one entry over the components of a fact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from analytics.components import Components
from analytics.expressions import Evaluate, Expression, Number, component, constant
from analytics.percentiles import percentile_ms
from analytics.shapes import EXACT_FINISHES
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Clock

_Value = Number | None
Evaluator = Callable[[Components, float, Components], _Value]


class Unit(StrEnum):
    """What a value is counted in."""

    COUNT = "count"
    FRACTION = "fraction"
    MILLISECONDS = "milliseconds"
    PER_DAY = "per day"
    PER_WEEK = "per week"


class MeasureKind(StrEnum):
    """How a measure is computed from the components of a cell."""

    EXPRESSION = "expression"
    PER_TIME = "per time"
    SHARE = "share"
    PERCENTILE = "percentile"
    DISTINCT = "distinct"


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """One number: what it means, how it is computed, by which clock events fall into buckets."""

    name: str
    fact: str
    unit: Unit
    clock: Clock
    formula: str
    description: str
    kind: MeasureKind = MeasureKind.EXPRESSION
    expression: Expression | None = None
    fraction: float | None = None  # of a percentile
    when_empty: Number | None = None
    additive: bool = False  # may buckets and groups be summed into a total?
    error_bound: float | None = None
    # Of a cell, the days it spans and what a share of it is a share of.
    evaluate: Evaluator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "evaluate", _EVALUATORS[self.kind](self))

    @property
    def needs_histogram(self) -> bool:
        return self.kind is MeasureKind.PERCENTILE

    @property
    def needs_projects(self) -> bool:
        """Whether a slice must be asked with ``distinct=True``."""
        return self.kind is MeasureKind.DISTINCT

    def value(
        self, components: Components, *, days: float = 1.0, whole: Components | None = None
    ) -> Number | None:
        """Compute it for a cell that spans ``days``; a share is of ``whole``, or all of itself."""
        return self.evaluate(components, days, whole or components)


def _expression(measure: Measure) -> Evaluator:
    numerator, empty = _numerator(measure), measure.when_empty

    def evaluate(cell: Components, _days: float, _whole: Components) -> _Value:
        value = numerator(cell.counts)
        return empty if value is None else value

    return evaluate


def _per_time(measure: Measure) -> Evaluator:
    numerator, empty = _numerator(measure), measure.when_empty
    unit_days = 7 if measure.unit is Unit.PER_WEEK else 1

    def evaluate(cell: Components, days: float, _whole: Components) -> _Value:
        spans = days / unit_days
        return (numerator(cell.counts) or 0) / spans if spans > 0 else empty

    return evaluate


def _share(measure: Measure) -> Evaluator:
    numerator, empty = _numerator(measure), measure.when_empty

    def evaluate(cell: Components, _days: float, whole: Components) -> _Value:
        divisor = numerator(whole.counts)
        return (numerator(cell.counts) or 0) / divisor if divisor else empty

    return evaluate


def _percentile(measure: Measure) -> Evaluator:
    fraction, fact = measure.fraction, measure.fact
    assert fraction is not None
    return lambda cell, _days, _whole: percentile_ms(cell, fraction, fact)


def _distinct(_measure: Measure) -> Evaluator:
    return lambda cell, _days, _whole: cell.projects


def _numerator(measure: Measure) -> Evaluate:
    assert measure.expression is not None
    return measure.expression.evaluate


_EVALUATORS = {
    MeasureKind.EXPRESSION: _expression,
    MeasureKind.PER_TIME: _per_time,
    MeasureKind.SHARE: _share,
    MeasureKind.PERCENTILE: _percentile,
    MeasureKind.DISTINCT: _distinct,
}


def _deployments(name: str) -> Expression:
    return component(DEPLOYMENTS, name)


_attempts = _deployments("attempts")
_succeeded = _deployments("succeeded")
_failed = _deployments("failed")
_cancelled = _deployments("cancelled")
_rolled_back = _deployments("rolled_back")
_finished_sum = _succeeded + _failed + _rolled_back + _cancelled
_finished = _finished_sum.named("finished")
_finishes = _deployments("finishes")


def _count(
    name: str, description: str, expression: Expression, clock: Clock = Clock.CREATED
) -> Measure:
    return Measure(
        name,
        DEPLOYMENTS.name,
        Unit.COUNT,
        clock,
        expression.formula,
        description,
        expression=expression,
        when_empty=0,
        additive=True,
    )


def _rate(
    name: str, description: str, expression: Expression, clock: Clock = Clock.CREATED
) -> Measure:
    return Measure(
        name,
        DEPLOYMENTS.name,
        Unit.FRACTION,
        clock,
        expression.formula,
        f"{description}; 0 when there is nothing to divide by.",
        expression=expression,
        when_empty=0.0,
    )


def _duration_percentile(percent: int) -> Measure:
    bound = DEPLOYMENTS.histogram.relative_error
    return Measure(
        f"duration_p{percent}_ms",
        DEPLOYMENTS.name,
        Unit.MILLISECONDS,
        Clock.FINISHED,
        f"nearest_rank(duration, {percent / 100:g})",
        f"Duration that {percent} % of the timed finishes did not exceed, by nearest rank; null "
        f"when none was timed. Exact when the range holds at most {EXACT_FINISHES:,} finishes and "
        f"all of its events are kept, otherwise within {bound:.2%} for durations from 256 ms to "
        "74 h.",
        kind=MeasureKind.PERCENTILE,
        fraction=percent / 100,
        error_bound=bound,
    )


def _frequency(name: str, unit: Unit, description: str) -> Measure:
    return Measure(
        name,
        DEPLOYMENTS.name,
        unit,
        Clock.FINISHED,
        f"finishes / {'days' if unit is Unit.PER_DAY else 'weeks'} of the range",
        description,
        kind=MeasureKind.PER_TIME,
        expression=_finishes,
        when_empty=0.0,
    )


_FINISHED = Clock.FINISHED

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        _count("attempts", "Deployments created, whatever became of them.", _attempts),
        _count("succeeded", "Deployments created here that have succeeded.", _succeeded),
        _count("failed", "Deployments created here that have failed.", _failed),
        _count("cancelled", "Deployments created here that were cancelled.", _cancelled),
        _count("rolled_back", "Deployments created here that were rolled back.", _rolled_back),
        _count(
            "in_progress",
            "Deployments created here that are queued or running.",
            _attempts - _finished_sum,
        ),
        _count("finished", "Deployments created here that have come to an end.", _finished_sum),
        _rate("success_rate", "Successes among the finished", _succeeded / _finished),
        _rate("success_rate_of_attempts", "Successes among all attempts", _succeeded / _attempts),
        _rate("failure_rate", "Failures among the finished", _failed / _finished),
        _rate("rollback_rate", "Rollbacks among the finished", _rolled_back / _finished),
        _count("finishes", "Deployments that ended here, whenever created.", _finishes, _FINISHED),
        _count(
            "finishes_succeeded",
            "Deployments that ended here in success; a later rollback does not change it.",
            _deployments("finishes_succeeded"),
            _FINISHED,
        ),
        _count(
            "finishes_failed",
            "Deployments that ended here in failure.",
            _deployments("finishes_failed"),
            _FINISHED,
        ),
        _count(
            "finishes_cancelled",
            "Deployments that ended here by cancellation.",
            _deployments("finishes_cancelled"),
            _FINISHED,
        ),
        _rate(
            "failure_rate_of_finishes",
            "Failures among the deployments that ended here",
            _deployments("finishes_failed") / _finishes,
            _FINISHED,
        ),
        Measure(
            "average_duration_ms",
            DEPLOYMENTS.name,
            Unit.MILLISECONDS,
            _FINISHED,
            "duration_us / timed / 1_000",
            "Mean duration of the finishes whose duration is known; null when there are none.",
            expression=_deployments("duration_us") / _deployments("timed") / constant(1000),
        ),
        _duration_percentile(50),
        _duration_percentile(90),
        _duration_percentile(95),
        _duration_percentile(99),
        _frequency(
            "frequency_per_day",
            Unit.PER_DAY,
            "Finished deployments per day: the finishes of the range divided by its days (for the "
            "last 7 days: by 7). A whole local day is one day, less than a day is elapsed time.",
        ),
        _frequency(
            "frequency_per_week",
            Unit.PER_WEEK,
            "Finished deployments per week: the finishes of the range divided by its weeks, which "
            "are its days divided by 7.",
        ),
        Measure(
            "active_projects",
            DEPLOYMENTS.name,
            Unit.COUNT,
            Clock.CREATED,
            "distinct projects with attempts > 0",
            "Distinct projects that created a deployment. Buckets and groups do not add up.",
            kind=MeasureKind.DISTINCT,
        ),
        Measure(
            "share",
            DEPLOYMENTS.name,
            Unit.FRACTION,
            Clock.CREATED,
            "attempts / attempts of the whole",
            "The part that these attempts are of the whole, which no filter and no group narrows: "
            "all attempts of the same time that you can see, for an environment those of its "
            "project; 0 when there are none.",
            kind=MeasureKind.SHARE,
            expression=_attempts,
            when_empty=0.0,
        ),
    )
}
