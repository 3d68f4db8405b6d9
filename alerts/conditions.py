"""Conditions: whether a measure's value over a window is wrong, and the evidence of it.

Pure: the components come from the evaluator, from a preview or from an explanation, which so all
say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import ge, gt, le, lt
from typing import NamedTuple

from alerts.evidence import Evidence, GuardVerdict, Measured
from alerts.guards import ABOVE, Cell, check, guard_of, is_count
from alerts.measures import measure_called
from alerts.rules import Absence, Change, GuardKind, Operator, Threshold, Watch
from alerts.states import Outcome, Timing
from analytics.measures import Measure, MeasureKind
from analytics.periods import Range
from analytics.significance import LEAST_EVENTS
from storage.facts import FACTS

_COMPARE = {
    Operator.ABOVE: gt,
    Operator.AT_LEAST: ge,
    Operator.BELOW: lt,
    Operator.AT_MOST: le,
}
_SHORTEST_GONE_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class Reading:
    """A cell in its time."""

    range: Range
    cell: Cell


def measure_of(watch: Watch) -> Measure:
    """Returns the measure that a rule watches; raises ValueError if there is none."""
    measure = measure_called(watch.measure)
    if measure is None:
        raise ValueError(f"There is no measure {watch.measure!r}.")
    return measure


def timing_of(watch: Watch) -> Timing:
    """Returns how long a rule waits; an instance without data for two windows is gone."""
    gone_after = max(2 * watch.window_seconds, _SHORTEST_GONE_SECONDS)
    return Timing(watch.for_seconds, watch.keep_firing_seconds, gone_after)


def judge(
    watch: Watch,
    window: Reading,
    baseline: Reading | None,
    as_of: datetime,
    labels: Mapping[str, str] | None = None,
) -> Evidence:
    """Returns what is found in a window: BREACH, CLEAR or NO_DATA, and why.

    ``baseline`` is given for a `Change`. Raises ValueError for a rule that cannot be judged.
    """
    measure = measure_of(watch)
    found = _found(watch, measure, window, baseline)
    outcome, guard, reason = found.verdict
    return Evidence(
        as_of=as_of,
        outcome=outcome,
        measure=watch.measure,
        window=_measured(measure, window, found.value),
        baseline=None if baseline is None else _measured(measure, baseline, found.before),
        bound=found.bound,
        guard=guard,
        reason=reason,
        labels=dict(labels or {}),
    )


def outcome_of(watch: Watch, window: Reading, baseline: Reading | None) -> Outcome:
    """Returns the outcome that `judge` finds, without the evidence of it."""
    return _found(watch, measure_of(watch), window, baseline).verdict[0]


_Verdict = tuple[Outcome, GuardVerdict | None, str | None]


class _Found(NamedTuple):
    """The values of the window and of the baseline, the bound, and what follows from them."""

    value: float | None
    before: float | None
    bound: float | None
    verdict: _Verdict


def _found(watch: Watch, measure: Measure, window: Reading, baseline: Reading | None) -> _Found:
    value = window.cell.value(measure)
    before = None if baseline is None else baseline.cell.value(measure)
    bound = _bound(watch, measure, window, baseline, before)
    verdict = _verdict(watch, measure, (value, bound), window, baseline)
    return _Found(value, before, bound, verdict)


def _verdict(
    watch: Watch,
    measure: Measure,
    found: tuple[float | None, float | None],
    window: Reading,
    baseline: Reading | None,
) -> _Verdict:
    value, bound = found
    if isinstance(watch.comparison, Absence):
        is_absent = not measure.sample(window.cell.components)
        reason = None if is_absent else "There is something in the window."
        return Outcome.BREACH if is_absent else Outcome.CLEAR, None, reason
    if value is None:
        return Outcome.NO_DATA, None, "There is nothing in the window that it could be a value of."
    if bound is None:
        return Outcome.NO_DATA, None, "There is nothing in the baseline to compare with."
    if not passes(watch.comparison.operator, value, bound):
        return Outcome.CLEAR, None, "The value does not pass its bound."
    too_few = _too_few_for_zero(watch, measure, value, bound)
    if too_few:
        return Outcome.CLEAR, None, too_few
    verdict = check(watch, measure, window.cell, baseline.cell if baseline else None)
    if verdict.is_met:
        return Outcome.BREACH, verdict, None
    return Outcome.CLEAR, verdict, _NOT_MET[verdict.kind]


_NOT_MET = {
    GuardKind.MIN_SAMPLE: "The value passes its bound, but comes from too few.",
    GuardKind.SIGNIFICANT: "The value passes its bound, but chance alone may explain it.",
}


def passes(operator: Operator, value: float, bound: float) -> bool:
    """Whether a value is on the wrong side of its bound."""
    return bool(_COMPARE[operator](value, bound))


def _bound(
    watch: Watch,
    measure: Measure,
    window: Reading,
    baseline: Reading | None,
    before: float | None,
) -> float | None:
    """The threshold, or the baseline's value times the factor; None without a baseline's value."""
    match watch.comparison:
        case Threshold(bound=bound):
            return bound
        case Change(factor=factor) if before is not None and baseline is not None:
            scale = 1.0
            if measure.additive and baseline.range.length != window.range.length:
                scale = window.range.length / baseline.range.length
            return before * scale * factor
    return None


def _too_few_for_zero(watch: Watch, measure: Measure, value: float, bound: float) -> str | None:
    """Why a value is not wrong though there was nothing before: one event is no rise from none.

    Applies to counts that are compared literally; the other guards have a bound of their own.
    """
    comparison = watch.comparison
    if not isinstance(comparison, Change) or comparison.operator not in ABOVE or bound:
        return None
    literal = guard_of(watch, measure).kind is GuardKind.LITERAL
    if not (literal and is_count(measure)) or value >= max(comparison.factor, LEAST_EVENTS):
        return None
    return f"There was nothing in the baseline, and fewer than {LEAST_EVENTS} are no rise."


def _measured(measure: Measure, reading: Reading, value: float | None) -> Measured:
    cell, range = reading.cell.components, reading.range
    names = (component.name for component in FACTS[measure.fact].components)
    counts = {name: count for name, count in zip(names, cell.counts, strict=True) if count}
    if measure.kind is MeasureKind.DISTINCT and cell.projects is not None:
        counts["projects"] = cell.projects
    return Measured(range.start, range.end, value, counts)
