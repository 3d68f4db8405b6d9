"""Explains why a rule fired at a moment or did not: what was stored then, and what is found now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.conditions import passes
from alerts.evidence import Evidence
from alerts.judging import found_in, judged
from alerts.numbers import number_text, pair_text, time_text
from alerts.readings import Cells, Subject, Watched, demands, slices_of
from alerts.rules import Absence, GuardKind, Operator, Rule, Watch
from alerts.selection import names_of
from alerts.states import Outcome, Phase, Transition
from analytics.answer import Answer
from analytics.slices import Slice
from storage.dictionaries import Dictionaries
from storage.errors import GatewayError

# The transitions that change the phase, and the phase after each.
PHASES: Mapping[Transition, Phase] = {
    Transition.PENDING: Phase.PENDING,
    Transition.FIRING: Phase.FIRING,
    Transition.RESOLVED: Phase.INACTIVE,
    Transition.GONE: Phase.INACTIVE,
    Transition.CALMED: Phase.INACTIVE,
}
_IS_NOT = {
    Operator.ABOVE: "not above",
    Operator.AT_LEAST: "less than",
    Operator.BELOW: "not below",
    Operator.AT_MOST: "more than",
}
_PROJECTS_AT_ONCE = 2_000

Load = Callable[[Sequence[Slice]], Awaitable[Sequence[Answer]]]


@dataclass(frozen=True, slots=True)
class Past:
    """The last transition of an instance up to the moment, with the evidence stored then."""

    transition: Transition
    at: datetime
    labels: Mapping[str, str]
    evidence: Evidence

    @property
    def phase(self) -> Phase:
        return PHASES[self.transition]


@dataclass(frozen=True, slots=True)
class Explained:
    """An instance at the moment: its state by its history, and what is found of it now.

    ``found`` is computed anew, so it counts events that came later; None for rules on events.
    """

    instance: str
    labels: Mapping[str, str]
    phase: Phase
    past: Past | None
    found: Evidence | None
    sentence: str


async def look(
    rule: Watched,
    past: Mapping[str, Past],
    at: datetime,
    load: Load,
    dictionaries: Dictionaries,
    projects: Sequence[int],
) -> tuple[dict[str, Evidence], bool]:
    """Judges a rule as an evaluation at that moment would, by what is known now.

    Returns the evidence of each instance, and whether finer data than was read is gone. Raises
    GatewayError if it cannot be read, and ValueError if the rule cannot be judged.
    """
    cells: dict[Subject, Cells | GatewayError] = {}
    approximate = False
    for subject, demand in demands([rule], at).items():
        answers = await load(slices_of(subject, demand, projects, _PROJECTS_AT_ONCE))
        cells[subject] = Cells.of(subject, answers)
        approximate |= any(answer.approximate for answer in answers)
    found = found_in(rule, cells, at)
    if isinstance(found, GatewayError):
        raise found
    names = await names_of(dictionaries, found.ids(rule))
    active = {name: each.labels for name, each in past.items() if each.phase is not Phase.INACTIVE}
    return judged(rule, found, names, active, at), approximate


def explained(
    rule: Rule, past: Mapping[str, Past], found: Mapping[str, Evidence], at: datetime
) -> list[Explained]:
    """Returns each instance with a sentence: those that fire first, then those that are wrong."""
    told = []
    for instance in past.keys() | found.keys():
        before, evidence = past.get(instance), found.get(instance)
        phase = Phase.INACTIVE if before is None else before.phase
        labels = evidence.labels if evidence is not None else before.labels if before else {}
        sentence = _sentence(rule, phase, before, evidence, at)
        told.append(Explained(instance, labels, phase, before, evidence, sentence))
    return sorted(told, key=_order)


def _order(each: Explained) -> tuple[int, bool, str]:
    is_wrong = each.found is not None and each.found.outcome is Outcome.BREACH
    return -each.phase, not is_wrong, each.instance


def _sentence(
    rule: Rule, phase: Phase, past: Past | None, found: Evidence | None, at: datetime
) -> str:
    if not isinstance(rule.trigger, Watch) or found is None:
        return _of_event(phase, past)
    numbers, watch = _numbers(rule.trigger, found), rule.trigger
    is_wrong = found.outcome is Outcome.BREACH
    match phase:
        case Phase.FIRING if past is not None and past.at == at:
            then = _numbers(watch, past.evidence)
            return f"It fired: {then}."
        case Phase.FIRING if past is not None and is_wrong:
            return f"It fires since {time_text(past.at)}: {numbers}."
        case Phase.FIRING if past is not None:
            keeps = f"; it stops once it was right for {_length(watch.keep_firing_seconds)}"
            keeps = keeps if watch.keep_firing_seconds else ""
            return f"It fires since {time_text(past.at)}, though it is right now: {numbers}{keeps}."
        case Phase.PENDING if past is not None:
            waits = f"it fires once that lasted {_length(watch.for_seconds)}"
            return f"It did not fire yet: wrong since {time_text(past.at)}, {waits}; {numbers}."
    if past is not None and past.at == at and past.transition is Transition.RESOLVED:
        return f"It stopped firing: {_numbers(watch, past.evidence)}."
    if is_wrong:
        return (
            f"By what is known now it was wrong: {numbers}. It did not fire, as that was not known "
            "then, or nothing was evaluated."
        )
    return f"It did not fire: {numbers}."


def _of_event(phase: Phase, past: Past | None) -> str:
    if past is None:
        return "It did not fire: nothing of the kind is in its history."
    if phase is Phase.FIRING:
        return f"It fires since {time_text(past.at)}, when this happened."
    return f"It did not fire: the last time ended at {time_text(past.at)}."


def _numbers(watch: Watch, found: Evidence) -> str:
    """The value and its bound, and what the guard says of them."""
    if found.window is None or found.outcome in {Outcome.NO_DATA, Outcome.ERROR, Outcome.GONE}:
        return _clause(found.reason or "there is nothing to judge")
    if isinstance(watch.comparison, Absence):
        some = number_text(found.window.value, watch.measure)
        return "nothing was counted" if found.outcome is Outcome.BREACH else f"{some} were counted"
    value, bound = found.window.value, found.bound
    if value is None or bound is None:
        return _clause(found.reason or "there is nothing to judge")
    value_text, bound_text = pair_text(value, bound, watch.measure)
    operator = watch.comparison.operator
    if not passes(operator, value, bound):
        return f"{value_text} is {_IS_NOT[operator]} {bound_text}"
    start = f"{value_text} is {operator.replace('_', ' ')} {bound_text}"
    if found.outcome is Outcome.BREACH:
        return f"{start}{_guarded(watch, found)}"
    if found.guard is None:
        return f"{start}, but {_clause(found.reason or '')}"
    return f"{start}, but{_guarded(watch, found)}"


def _guarded(watch: Watch, found: Evidence) -> str:
    """What the guard says; nothing for one that asks nothing."""
    guard = found.guard
    if guard is None or guard.kind is GuardKind.LITERAL:
        return ""
    if guard.kind is GuardKind.MIN_SAMPLE:
        least = watch.guard.at_least if watch.guard else None
        comes = f" comes from {guard.trials:,}, at least {least:,} are needed"
        return f", which{comes}" if guard.is_met else f" it{comes}"
    alpha = watch.guard.alpha if watch.guard and watch.guard.alpha else 0.01
    chance, limit = (f"{100 * each:.2g} %" for each in (guard.p_value or 0.0, alpha))
    if guard.is_met:
        return f", which chance alone gives in {chance} of cases; the limit is {limit}"
    return f" chance alone gives that in {chance} of cases; the limit is {limit}"


def _clause(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:].rstrip('.')}"


def _length(seconds: int) -> str:
    return str(timedelta(seconds=seconds)) if seconds % 60 else f"{seconds // 60} minutes"
