"""The catalogue of measures: each is one entry over the components of a fact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from operator import itemgetter

from analytics.components import Components, positions
from analytics.percentiles import percentile_ms
from analytics.shapes import EXACT_FINISHES
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Clock

Number = int | float
# Takes a cell, the days it spans, and the cell that a share is relative to.
Evaluator = Callable[[Components, float, Components], Number | None]


class Unit(StrEnum):
    """The unit of a value."""

    COUNT = "count"
    FRACTION = "fraction"
    MILLISECONDS = "milliseconds"
    PER_DAY = "per day"
    PER_WEEK = "per week"


class MeasureKind(StrEnum):
    """How a measure is computed from a cell."""

    FORMULA = "formula"
    PER_TIME = "per time"
    SHARE = "share"
    PERCENTILE = "percentile"
    DISTINCT = "distinct"


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A number: its meaning, its computation, and the clock that puts it into buckets."""

    name: str
    unit: Unit
    clock: Clock
    formula: str
    description: str
    evaluate: Evaluator = field(repr=False)
    fact: str = DEPLOYMENTS.name
    kind: MeasureKind = MeasureKind.FORMULA
    when_empty: Number | None = None
    additive: bool = False  # buckets and groups add up to the total
    error_bound: float | None = None

    @property
    def needs_histogram(self) -> bool:
        """Whether its slice needs ``histogram=True``."""
        return self.kind is MeasureKind.PERCENTILE

    @property
    def needs_projects(self) -> bool:
        """Whether its slice needs ``distinct=True``."""
        return self.kind is MeasureKind.DISTINCT

    def value(
        self, components: Components, *, days: float = 1.0, whole: Components | None = None
    ) -> Number | None:
        """Returns the value for a cell of ``days`` days; a share is relative to ``whole``."""
        return self.evaluate(components, days, whole or components)


_CREATED, _FINISHED = Clock.CREATED, Clock.FINISHED
# Components that formulas add up under a name of its own.
_SUMS = {"finished": ("succeeded", "failed", "rolled_back", "cancelled")}


def _reader(name: str) -> Callable[[tuple[int, ...]], int]:
    """Returns a function that reads a component or one of the named sums from counts."""
    names = _SUMS.get(name, (name,))
    pick = itemgetter(*(positions(DEPLOYMENTS)[each] for each in names))
    return pick if len(names) == 1 else lambda counts: sum(pick(counts))


def _sum_formula(name: str) -> str:
    return " + ".join(_SUMS.get(name, (name,)))


def _count(name: str, description: str, clock: Clock = _CREATED) -> Measure:
    """The component or the named sum of this name."""
    read = _reader(name)
    return Measure(
        name,
        Unit.COUNT,
        clock,
        _sum_formula(name),
        description,
        lambda cell, _days, _whole: read(cell.counts),
        when_empty=0,
        additive=True,
    )


def _in_progress() -> Measure:
    attempts, finished = _reader("attempts"), _reader("finished")
    return Measure(
        "in_progress",
        Unit.COUNT,
        _CREATED,
        f"attempts - ({_sum_formula('finished')})",
        "Deployments created that are still queued or running.",
        lambda cell, _days, _whole: attempts(cell.counts) - finished(cell.counts),
        when_empty=0,
        additive=True,
    )


def _rate(
    name: str, description: str, numerator: str, divisor: str, clock: Clock = _CREATED
) -> Measure:
    read_numerator, read_divisor = _reader(numerator), _reader(divisor)

    def evaluate(cell: Components, _days: float, _whole: Components) -> float:
        total = read_divisor(cell.counts)
        return read_numerator(cell.counts) / total if total else 0.0

    return Measure(
        name,
        Unit.FRACTION,
        clock,
        f"{numerator} / {divisor}",
        f"{description}; 0 when there are none.",
        evaluate,
        when_empty=0.0,
    )


def _share() -> Measure:
    attempts = _reader("attempts")

    def evaluate(cell: Components, _days: float, whole: Components) -> float:
        total = attempts(whole.counts)
        return attempts(cell.counts) / total if total else 0.0

    return Measure(
        "share",
        Unit.FRACTION,
        _CREATED,
        "attempts / attempts of the whole",
        "These attempts as a fraction of the whole: all attempts of the same time that you can "
        "see, whatever the filter or group; for an environment, all attempts of its project; 0 "
        "when there are none.",
        evaluate,
        kind=MeasureKind.SHARE,
        when_empty=0.0,
    )


def _average_duration() -> Measure:
    duration_us, timed = _reader("duration_us"), _reader("timed")

    def evaluate(cell: Components, _days: float, _whole: Components) -> float | None:
        divisor = timed(cell.counts)
        return duration_us(cell.counts) / divisor / 1000 if divisor else None

    return Measure(
        "average_duration_ms",
        Unit.MILLISECONDS,
        _FINISHED,
        "duration_us / timed / 1_000",
        "Mean duration of the finishes whose duration is known; null when there are none.",
        evaluate,
    )


def _duration_percentile(percent: int) -> Measure:
    fraction, fact, bound = percent / 100, DEPLOYMENTS.name, DEPLOYMENTS.histogram.relative_error
    return Measure(
        f"duration_p{percent}_ms",
        Unit.MILLISECONDS,
        _FINISHED,
        f"nearest_rank(duration, {fraction:g})",
        f"Duration that {percent} % of the timed finishes did not exceed, by nearest rank; null "
        f"when none was timed. Exact when the range holds at most {EXACT_FINISHES:,} finishes and "
        f"all of its events are still stored, otherwise within {bound:.2%} for durations from "
        "256 ms to 74 h.",
        lambda cell, _days, _whole: percentile_ms(cell, fraction, fact),
        kind=MeasureKind.PERCENTILE,
        error_bound=bound,
    )


def _frequency(unit: Unit, period_days: int, description: str) -> Measure:
    finishes, period = _reader("finishes"), unit.removeprefix("per ")

    def evaluate(cell: Components, days: float, _whole: Components) -> float:
        periods = days / period_days
        return finishes(cell.counts) / periods if periods > 0 else 0.0

    return Measure(
        f"frequency_per_{period}",
        unit,
        _FINISHED,
        f"finishes / {period}s of the range",
        description,
        evaluate,
        kind=MeasureKind.PER_TIME,
        when_empty=0.0,
    )


def _active_projects() -> Measure:
    return Measure(
        "active_projects",
        Unit.COUNT,
        _CREATED,
        "distinct projects with attempts > 0",
        "Distinct projects that created a deployment. Buckets and groups do not add up.",
        lambda cell, _days, _whole: cell.projects,
        kind=MeasureKind.DISTINCT,
    )


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        _count("attempts", "Deployments created, whatever their status is now."),
        _count("succeeded", "Deployments created whose status is now succeeded."),
        _count("failed", "Deployments created whose status is now failed."),
        _count("cancelled", "Deployments created whose status is now cancelled."),
        _count("rolled_back", "Deployments created whose status is now rolled back."),
        _in_progress(),
        _count("finished", "Deployments created that are no longer queued or running."),
        _rate("success_rate", "Successes among the finished", "succeeded", "finished"),
        _rate("success_rate_of_attempts", "Successes among all attempts", "succeeded", "attempts"),
        _rate("failure_rate", "Failures among the finished", "failed", "finished"),
        _rate("rollback_rate", "Rollbacks among the finished", "rolled_back", "finished"),
        _count("finishes", "Deployments that finished, whenever created.", _FINISHED),
        _count(
            "finishes_succeeded",
            "Deployments that finished successfully; a later rollback does not change the count.",
            _FINISHED,
        ),
        _count("finishes_failed", "Deployments that finished with a failure.", _FINISHED),
        _count("finishes_cancelled", "Deployments that finished by cancellation.", _FINISHED),
        _rate(
            "failure_rate_of_finishes",
            "Failures among the deployments that finished",
            "finishes_failed",
            "finishes",
            _FINISHED,
        ),
        _average_duration(),
        _duration_percentile(50),
        _duration_percentile(90),
        _duration_percentile(95),
        _duration_percentile(99),
        _frequency(
            Unit.PER_DAY,
            1,
            "Finished deployments per day: the finishes of the range divided by its days (for the "
            "last 7 days: by 7). A whole local day is one day, less than a day is elapsed time.",
        ),
        _frequency(
            Unit.PER_WEEK,
            7,
            "Finished deployments per week: the finishes of the range divided by its weeks, which "
            "are its days divided by 7.",
        ),
        _active_projects(),
        _share(),
    )
}
