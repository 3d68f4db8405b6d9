"""Guards: whether a value that passes its bound comes from enough data, or is beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.evidence import GuardVerdict
from alerts.measures import is_rate
from alerts.rules import LITERAL, SIGNIFICANT, Change, Guard, GuardKind, Operator, Threshold, Watch
from analytics.components import Components
from analytics.measures import Measure, MeasureKind
from analytics.significance import ALPHA, Sample, fall, rise
from analytics.tails import binomial_at_least, binomial_at_most

ABOVE = (Operator.ABOVE, Operator.AT_LEAST)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a measure is computed from: the components of a group, and of all groups, in a time."""

    components: Components
    whole: Components
    days: float

    def value(self, measure: Measure) -> float | None:
        """Returns the value; None where there is nothing it could be a value of."""
        if measure.ratio is not None and not measure.ratio(self.components, self.whole)[1]:
            return None
        return measure.value(self.components, days=self.days, whole=self.whole)


def guard_of(watch: Watch, measure: Measure) -> Guard:
    """Returns the rule's guard, or the usual one: `SIGNIFICANT` for rates, else `LITERAL`."""
    if watch.guard is not None:
        return watch.guard
    return SIGNIFICANT if is_rate(measure) else LITERAL


def can_be_significant(watch: Watch, measure: Measure) -> bool:
    """Whether chance can be told from a real change of this measure."""
    if isinstance(watch.comparison, Threshold):
        return is_rate(measure)
    return isinstance(watch.comparison, Change) and (is_count(measure) or is_rate(measure))


def is_count(measure: Measure) -> bool:
    """Whether a value is a number of rows, or of rows per time."""
    return measure.additive or measure.kind is MeasureKind.PER_TIME


def check(watch: Watch, measure: Measure, window: Cell, baseline: Cell | None) -> GuardVerdict:
    """Returns what the guard says of a value that passes its bound.

    Raises ValueError if the guard is SIGNIFICANT and the measure cannot be tested.
    """
    guard, trials = guard_of(watch, measure), trials_of(measure, window)
    if guard.kind is GuardKind.LITERAL:
        return GuardVerdict(guard.kind, is_met=True, trials=trials)
    if guard.kind is GuardKind.MIN_SAMPLE:
        counted = [trials_of(measure, each) for each in (window, baseline) if each is not None]
        return GuardVerdict(guard.kind, min(counted) >= (guard.at_least or 0), trials=trials)
    p_value = _p_value(watch, measure, window, baseline)
    alpha = ALPHA if guard.alpha is None else guard.alpha
    return GuardVerdict(guard.kind, p_value <= alpha, trials=trials, p_value=p_value)


def trials_of(measure: Measure, cell: Cell) -> int:
    """Returns how many rows or durations the value of a cell is computed from."""
    if measure.ratio is not None:
        return measure.ratio(cell.components, cell.whole)[1]
    return measure.sample(cell.components)


def _p_value(watch: Watch, measure: Measure, window: Cell, baseline: Cell | None) -> float:
    """Returns the probability that chance alone gives such a value, or a more extreme one."""
    if not can_be_significant(watch, measure):
        raise ValueError(f"Chance cannot be told from a change of {watch.measure}.")
    comparison = watch.comparison
    assert isinstance(comparison, Threshold | Change)
    is_above, now = comparison.operator in ABOVE, _sample(measure, window)
    if isinstance(comparison, Change):
        assert baseline is not None
        return (rise if is_above else fall)(now, _sample(measure, baseline))
    tail = binomial_at_least if is_above else binomial_at_most
    return tail(now.events, int(now.exposure), min(1.0, max(0.0, comparison.bound)))


def _sample(measure: Measure, cell: Cell) -> Sample:
    """The events of a cell, and the trials or days in which they happened."""
    if measure.ratio is not None:
        events, trials = measure.ratio(cell.components, cell.whole)
        return Sample(events, trials)
    return Sample(measure.sample(cell.components), cell.days)
