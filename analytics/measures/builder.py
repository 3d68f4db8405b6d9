"""Builds the measures of a fact from the components it declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from analytics.components import Components, positions
from analytics.measures.measure import Evaluator, Measure, MeasureKind, Ratio, Unit
from analytics.percentiles import percentile_ms
from storage.facts.fact import Age, Clock, Fact, Timing


@dataclass(frozen=True, slots=True)
class Sum:
    """Components that formulas add up under one name."""

    name: str
    components: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


# The name of a component, or a sum.
Term = str | Sum

_DAYS = {
    Unit.PER_WEEK: 7.0,
    Unit.PER_DAY: 1.0,
    Unit.PER_HOUR: 1 / 24,
    Unit.PER_MINUTE: 1 / 1_440,
    Unit.PER_SECOND: 1 / 86_400,
}
_DAY_US = 86_400_000_000
_Read = Callable[[tuple[int, ...]], int]


class Builder:
    """Builds measures of one fact."""

    def __init__(self, fact: Fact) -> None:
        self.fact = fact
        self.noun = fact.noun

    def count(self, term: Term, description: str, *, headline: bool = True) -> Measure:
        """The component or the sum of this name."""
        name, formula = str(term), " + ".join(_components(term))
        return self._count(name, term, formula, description, self._reader(term), headline=headline)

    def rest(self, name: str, whole: str, others: Sequence[Term], description: str) -> Measure:
        """A component less others that are part of it."""
        read, readers = self._reader(whole), [self._reader(other) for other in others]
        formula = " - ".join(map(str, (whole, *others)))
        return self._count(
            name,
            whole,
            formula,
            description,
            lambda counts: read(counts) - sum(reader(counts) for reader in readers),
        )

    def _count(
        self, name: str, term: Term, formula: str, description: str, read: _Read, **more: Any
    ) -> Measure:
        def evaluate(cell: Components, _days: float, _whole: Components) -> int:
            return read(cell.counts)

        more |= {"when_empty": 0, "additive": True}
        return self.other(name, Unit.COUNT, term, formula, description, evaluate, **more)

    def rate(
        self, name: str, part: Term, whole: Term, description: str, *, headline: bool = True
    ) -> Measure:
        """A component as a fraction of another one of the same clock; 0 of nothing."""
        read, read_whole, formula = self._reader(part), self._reader(whole), f"{part} / {whole}"

        def ratio(cell: Components, _whole: Components) -> tuple[int, int]:
            return read(cell.counts), read_whole(cell.counts)

        return self._fraction(name, part, formula, description, ratio, headline=headline)

    def _fraction(
        self, name: str, term: Term, formula: str, description: str, ratio: Ratio, **more: Any
    ) -> Measure:
        def evaluate(cell: Components, _days: float, whole: Components) -> float:
            part, divisor = ratio(cell, whole)
            return part / divisor if divisor else 0.0

        more |= {"when_empty": 0.0, "ratio": ratio}
        return self.other(name, Unit.FRACTION, term, formula, description, evaluate, **more)

    def per_time(
        self, name: str, term: Term, unit: Unit, description: str, *, headline: bool = True
    ) -> Measure:
        """A component divided by the length of the time; 0 of no time."""
        read, period_days = self._reader(term), _DAYS[unit]

        def evaluate(cell: Components, days: float, _whole: Components) -> float:
            periods = days / period_days
            return read(cell.counts) / periods if periods > 0 else 0.0

        formula = f"{term} / {unit.removeprefix('per ')}s of the range"
        more = {"kind": MeasureKind.PER_TIME, "when_empty": 0.0, "headline": headline}
        return self.other(name, unit, term, formula, description, evaluate, **more)

    def durations(self) -> list[Measure]:
        """Mean and percentiles of the durations, if the fact has any."""
        timing = self.fact.timing
        if timing is None:
            return []
        percentiles = (self._percentile(percent, timing) for percent in (50, 90, 95, 99))
        return [self._average(timing), *percentiles]

    def _average(self, timing: Timing) -> Measure:
        read, read_count = self._reader(timing.total), self._reader(timing.count)

        def evaluate(cell: Components, _days: float, _whole: Components) -> float | None:
            divisor = read_count(cell.counts)
            return read(cell.counts) / divisor / 1_000 if divisor else None

        return self.other(
            "average_duration_ms",
            Unit.MILLISECONDS,
            timing.total,
            f"{timing.total} / {timing.count} / 1_000",
            f"Mean duration of the {self.noun} whose duration is known.",
            evaluate,
            sampled=timing.count,
        )

    def _percentile(self, percent: int, timing: Timing) -> Measure:
        """A percentile of the durations by nearest rank; None if none is known."""
        fraction, fact = percent / 100, self.fact.name
        return self.other(
            f"duration_p{percent}_ms",
            Unit.MILLISECONDS,
            timing.count,
            f"nearest_rank({timing.column}, {fraction:g}) / 1_000",
            f"Duration that {percent} % of the {self.noun} whose duration is known did not exceed.",
            lambda cell, _days, _whole: percentile_ms(cell, fraction, fact),
            kind=MeasureKind.PERCENTILE,
            error_bound=timing.histogram.relative_error,
            headline=percent != 90,
        )

    def ages(self) -> list[Measure]:
        """What is known of an entity's rows at the end of a range."""
        made = {Age.RUNNING: self._longest_running, Age.EXPIRY: self._days_to_expiry}
        return [made[age](position) for position, age in enumerate(self.fact.ages)]

    def _longest_running(self, position: int) -> Measure:
        return self._age(
            position,
            "longest_running_ms",
            Unit.MILLISECONDS,
            "highest end of the range - started_at",
            f"Longest time since the start of any of the {self.noun} created in the range and "
            "not ended by its end; 0 without any.",
            lambda age_us: (age_us or 0) / 1_000,
        )

    def _days_to_expiry(self, position: int) -> Measure:
        return self._age(
            position,
            "days_to_expiry",
            Unit.DAYS,
            "lowest not_after - end of the range",
            f"Days until the first of the {self.noun} in force expires, from the end of the range; "
            "negative once it has.",
            lambda age_us: None if age_us is None else -age_us / _DAY_US,
        )

    def _age(
        self,
        position: int,
        name: str,
        unit: Unit,
        formula: str,
        description: str,
        of_us: Callable[[int | None], float | None],
    ) -> Measure:
        def evaluate(cell: Components, _days: float, _whole: Components) -> float | None:
            return of_us(cell.ages[position]) if cell.ages else None

        def sample(cell: Components) -> int:
            return int(bool(cell.ages) and cell.ages[position] is not None)

        return Measure(
            self.fact.name,
            name,
            unit,
            Clock.END,
            formula,
            description,
            evaluate,
            sample,
            kind=MeasureKind.AGE,
            headline=False,
        )

    def of_projects(self) -> list[Measure]:
        """The share of the whole, and the distinct projects if the fact lists them."""
        return [self._share(), *([self._active_projects()] if self.fact.presences else ())]

    def _share(self) -> Measure:
        leading = self.fact.leading
        read = self._reader(leading)

        def ratio(cell: Components, whole: Components) -> tuple[int, int]:
            return read(cell.counts), read(whole.counts)

        return self._fraction(
            "share",
            leading,
            f"{leading} / {leading} of all groups",
            f"These {leading} as a fraction of all that the filter selects in the same time.",
            ratio,
            kind=MeasureKind.SHARE,
        )

    def _active_projects(self) -> Measure:
        leading = self.fact.leading
        return self.other(
            "active_projects",
            Unit.COUNT,
            leading,
            f"distinct projects with {leading} > 0",
            f"Distinct projects that the {self.noun} belong to.",
            lambda cell, _days, _whole: cell.projects,
            kind=MeasureKind.DISTINCT,
            null_where="for the group of all others",
        )

    def other(
        self,
        name: str,
        unit: Unit,
        term: Term,
        formula: str,
        description: str,
        evaluate: Evaluator,
        **more: Any,
    ) -> Measure:
        """Any measure, on the clock of its term; ``sampled`` counts what it is computed from."""
        clock = self.fact.component(_components(term)[0]).clock
        read = self._reader(more.pop("sampled", term))

        def sample(cell: Components) -> int:
            return read(cell.counts)

        return Measure(
            self.fact.name, name, unit, clock, formula, description, evaluate, sample, **more
        )

    def _reader(self, term: Term) -> _Read:
        """Returns a function that reads the term from the counts of a cell."""
        at = positions(self.fact)
        pick = itemgetter(*(at[name] for name in _components(term)))
        return pick if len(_components(term)) == 1 else partial(_added, pick)


def _components(term: Term) -> tuple[str, ...]:
    return (term,) if isinstance(term, str) else term.components


def _added(pick: Callable[[tuple[int, ...]], tuple[int, ...]], counts: tuple[int, ...]) -> int:
    return sum(pick(counts))
