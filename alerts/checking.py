"""Checks rules: each problem names the field of the document and says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import isfinite
from typing import NamedTuple

from alerts.guards import can_be_significant
from alerts.measures import measure_called, similar_name
from alerts.rules import (
    DAY_SECONDS,
    HOUR_SECONDS,
    LONGEST_WAIT_SECONDS,
    LONGEST_WINDOW_SECONDS,
    MINUTE_SECONDS,
    SHORTEST_WINDOW_SECONDS,
    Absence,
    Baseline,
    Change,
    EventKind,
    Guard,
    GuardKind,
    Names,
    OnEvent,
    Operator,
    Rule,
    Threshold,
    Watch,
)
from alerts.templates import TEMPLATE_CHARACTERS, template_problems
from analytics.measures import Measure, MeasureKind, Unit
from storage.dimensions import DIMENSIONS, METRIC, PROJECT
from storage.facts import FACTS
from storage.facts.builds import BUILDS
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Fact
from storage.facts.invocations import INVOCATIONS
from storage.names import MAX_NAME_LENGTH, can_be_stored, wrong_name

MAX_GROUPED_BY = 3
MAX_NAMES = 100  # of one dimension of a filter
MAX_CHANNELS = 20
MAX_LABELS = 20
MAX_LABEL_LENGTH = 500
MAX_TITLE_LENGTH = 500
MAX_COUNT = 10**9
MAX_FACTOR = 10**6
LARGEST_ALPHA = 0.2
LARGEST_BOUND = 1e15
# Of windows up to a length: what they are a whole number of.
_STEPS: tuple[tuple[int, int, str], ...] = (
    (HOUR_SECONDS, MINUTE_SECONDS, "whole minutes"),
    (DAY_SECONDS, 5 * MINUTE_SECONDS, "whole 5 minutes beyond an hour"),
    (LONGEST_WINDOW_SECONDS, HOUR_SECONDS, "whole hours beyond a day"),
)

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}")
# The names of labels that every alert has of itself.
RESERVED_LABELS = frozenset({"rule", "severity", "instance", *DIMENSIONS})

# The fact whose dimensions an on-event rule filters by.
FACT_OF: Mapping[EventKind, Fact] = {
    EventKind.DEPLOYMENT_FAILED: DEPLOYMENTS,
    EventKind.DEPLOYMENT_SLOW: DEPLOYMENTS,
    EventKind.BUILD_FAILED: BUILDS,
    EventKind.FUNCTION_FAILED: INVOCATIONS,
    EventKind.ERROR_NEW: ERROR_OCCURRENCES,
    EventKind.ERROR_REGRESSED: ERROR_OCCURRENCES,
    EventKind.ERROR_CRITICAL: ERROR_OCCURRENCES,
    EventKind.ERROR_REACHED: ERROR_OCCURRENCES,
    EventKind.ERROR_SPREAD: ERROR_OCCURRENCES,
}
# The events that count, with the least count.
_LEAST_COUNT = {EventKind.ERROR_REACHED: 1, EventKind.ERROR_SPREAD: 2}


class Problem(NamedTuple):
    """What is wrong with a field of a rule's document, and how to correct it."""

    path: tuple[str, ...]
    message: str


def problems(rule: Rule, *, project_scoped: bool) -> list[Problem]:
    """Returns all problems of a rule of a project, or of the platform; none if it is valid."""
    trigger = rule.trigger
    watched = _watch(trigger) if isinstance(trigger, Watch) else _on_event(trigger, project_scoped)
    return [
        *_texts(rule),
        *_labels(rule.labels),
        *_channels(rule.channels),
        *watched,
        *_places(trigger, project_scoped),
    ]


def _texts(rule: Rule) -> Iterator[Problem]:
    if not rule.name.strip():
        yield Problem(("name",), "The name is empty: say what the rule watches.")
    elif wrong := wrong_name(rule.name):
        yield Problem(("name",), f"The name {wrong[1]}: choose another one.")
    for field, text, longest in (
        ("title", rule.title, MAX_TITLE_LENGTH),
        ("text", rule.text, TEMPLATE_CHARACTERS),
        ("preset", rule.preset, MAX_NAME_LENGTH),
    ):
        if text is not None and len(text) > longest:
            yield Problem((field,), f"The {field} is longer than {longest:,} characters.")
        elif text is not None and not can_be_stored(text):
            yield Problem((field,), f"The {field} has a NUL or a lone surrogate: leave it out.")
        elif text is not None and field != "preset":
            for message in template_problems(text):
                yield Problem((field,), message)


def _labels(labels: Mapping[str, str]) -> Iterator[Problem]:
    if len(labels) > MAX_LABELS:
        yield Problem(("labels",), f"A rule has at most {MAX_LABELS} labels, not {len(labels)}.")
    for name, value in labels.items():
        path = ("labels", name[:MAX_NAME_LENGTH])
        if not _LABEL.fullmatch(name):
            yield Problem(
                path,
                "A label's name has up to 100 letters, digits and underscores and begins with no "
                "digit.",
            )
        elif name in RESERVED_LABELS:
            yield Problem(path, f"Every alert has a label {name} of its own: use another name.")
        if wrong := wrong_name(value, MAX_LABEL_LENGTH):
            yield Problem(path, f"The label's value {wrong[1]}.")


def _channels(channels: Sequence[str]) -> Iterator[Problem]:
    path = ("channels",)
    if len(channels) > MAX_CHANNELS:
        yield Problem(path, f"A rule has at most {MAX_CHANNELS} channels, not {len(channels)}.")
    if len(set(channels)) < len(channels):
        yield Problem(path, "A channel is named twice: name each once.")
    for name in channels:
        if not name.strip() or wrong_name(name):
            yield Problem(path, f"No channel can be called {name[:100]!r}.")


def _watch(watch: Watch) -> Iterator[Problem]:
    measure = measure_called(watch.measure)
    if measure is None:
        similar = similar_name(watch.measure)
        hint = f" Did you mean {similar!r}?" if similar else " The query `measures` lists all."
        yield _of("measure", f"There is no measure {watch.measure[:100]!r}.{hint}")
    yield from _span("window_seconds", "window", watch.window_seconds)
    yield from _waits(watch)
    compared = watch.comparison
    if isinstance(compared, Change):
        yield from _change(compared, watch.window_seconds)
    if measure is None:
        return
    yield from _values_alike(watch, measure)
    if isinstance(compared, Threshold):
        yield from _threshold(compared, measure)
    if isinstance(compared, Absence) and not measure.additive:
        yield _of("comparison", f"{watch.measure} counts nothing: absence needs a count.")
    if watch.guard is not None:
        yield from _guard(watch.guard, watch, measure)


def _span(field: str, noun: str, seconds: int) -> Iterator[Problem]:
    """Long windows have few lengths, so that many rules share what is read for them."""
    path = tuple(field.split("."))
    if not SHORTEST_WINDOW_SECONDS <= seconds <= LONGEST_WINDOW_SECONDS:
        days = LONGEST_WINDOW_SECONDS // DAY_SECONDS
        yield _of(*path, f"The {noun} is from 60 seconds to {days} days long.")
        return
    step, words = next((each, words) for most, each, words in _STEPS if seconds <= most)
    if seconds % step:
        down = seconds - seconds % step
        yield _of(*path, f"The {noun} has {words}: {down:,} or {down + step:,} seconds.")


def _waits(trigger: Watch | OnEvent) -> Iterator[Problem]:
    names = ("for_seconds", "keep_firing_seconds")
    for name in names if isinstance(trigger, Watch) else names[1:]:
        if not 0 <= getattr(trigger, name) <= LONGEST_WAIT_SECONDS:
            yield _of(name, f"It is from 0 to {LONGEST_WAIT_SECONDS:,} seconds.")


def _change(change: Change, window_seconds: int) -> Iterator[Problem]:
    field = "comparison"
    if not (isfinite(change.factor) and 0 < change.factor <= MAX_FACTOR):
        yield _of(field, "factor", f"The factor is above 0 and at most {MAX_FACTOR:,}.")
    if change.baseline_seconds is not None:
        yield from _span(f"{field}.baseline_seconds", "baseline", change.baseline_seconds)
    back = {Baseline.DAY_EARLIER: DAY_SECONDS, Baseline.WEEK_EARLIER: 7 * DAY_SECONDS}
    distance = back.get(change.baseline)
    if distance is not None and window_seconds > distance:
        yield _of(
            field,
            "baseline",
            f"It would overlap the window: shorten the window to {distance:,} seconds, or compare "
            "with the time before.",
        )


def _threshold(threshold: Threshold, measure: Measure) -> Iterator[Problem]:
    bound, path = threshold.bound, ("comparison", "bound")
    if not (isfinite(bound) and abs(bound) <= LARGEST_BOUND):
        yield _of(*path, f"The bound is a number of at most {LARGEST_BOUND:,.0f}.")
        return
    lowest = None if measure.unit in (Unit.OF_METRIC, Unit.DAYS) else 0.0
    highest = 1.0 if measure.unit is Unit.FRACTION else None
    if highest is not None and not 0 <= bound <= highest:
        yield _of(*path, "It is a fraction, from 0 to 1: 0.1 is 10 %.")
    elif lowest is not None and bound < lowest:
        yield _of(*path, f"No value in {measure.unit} is below 0.")
    elif _never(threshold, lowest, highest):
        yield _of(*path, "No value can pass this bound, so the rule would never fire.")


def _never(threshold: Threshold, lowest: float | None, highest: float | None) -> bool:
    match threshold.operator:
        case Operator.ABOVE:
            return threshold.bound == highest
        case Operator.BELOW:
            return threshold.bound == lowest
        case _:
            return False


def _values_alike(watch: Watch, measure: Measure) -> Iterator[Problem]:
    """Measures that have a value only for some cells."""
    of_one_metric = METRIC.name in watch.group_by or len(watch.filter.get(METRIC.name, ())) == 1
    if measure.unit is Unit.OF_METRIC and not of_one_metric:
        yield _of("filter", METRIC.name, "Name one metric, or group by metric.")
    if measure.kind is MeasureKind.SHARE and not watch.group_by:
        yield _of("group_by", "Without groups a share is always 1: group by a dimension.")
    if measure.kind is MeasureKind.DISTINCT and PROJECT.name in watch.group_by:
        yield _of("group_by", "A project has one active project: group by another dimension.")


def _guard(guard: Guard, watch: Watch, measure: Measure) -> Iterator[Problem]:
    for field, kind in (("at_least", GuardKind.MIN_SAMPLE), ("alpha", GuardKind.SIGNIFICANT)):
        given = getattr(guard, field)
        if (given is not None) != (guard.kind is kind):
            verb = "needs" if guard.kind is kind else "has no"
            yield _of("guard", field, f"The guard {guard.kind} {verb} {field}.")
    if guard.at_least is not None and not 1 <= guard.at_least <= MAX_COUNT:
        yield _of("guard", "at_least", f"It is from 1 to {MAX_COUNT:,}.")
    if guard.alpha is not None and not 0 < guard.alpha <= LARGEST_ALPHA:
        yield _of("guard", "alpha", f"It is a probability above 0 and at most {LARGEST_ALPHA}.")
    if isinstance(watch.comparison, Absence) and guard.kind is not GuardKind.LITERAL:
        yield _of("guard", "Where nothing is counted there is no sample: use literal.")
    elif guard.kind is GuardKind.SIGNIFICANT and not can_be_significant(watch, measure):
        yield _of(
            "guard",
            "Significance is known of rates, and of changes of counts and rates: use min_sample "
            "or literal.",
        )


def _on_event(on: OnEvent, project_scoped: bool) -> Iterator[Problem]:
    yield from _waits(on)
    if on.event is EventKind.ERROR_SPREAD and project_scoped:
        yield _of("event", "It counts projects, so only a rule of the platform can watch it.")
    least = _LEAST_COUNT.get(on.event)
    yield from _parameter("count", on.event, on.count, (least, MAX_COUNT) if least else None)
    slow = on.event is EventKind.DEPLOYMENT_SLOW
    limits = (1, 7 * DAY_SECONDS) if slow else None
    yield from _parameter("after_seconds", on.event, on.after_seconds, limits)


def _parameter(
    field: str, event: EventKind, value: int | None, limits: tuple[int, int] | None
) -> Iterator[Problem]:
    if limits is None:
        if value is not None:
            yield _of(field, f"The event {event} has no {field}: leave it out.")
        return
    least, most = limits
    if value is None:
        yield _of(field, f"The event {event} needs {field}, from {least} to {most:,}.")
    elif not least <= value <= most:
        yield _of(field, f"It is from {least} to {most:,}.")


def _places(trigger: Watch | OnEvent, project_scoped: bool) -> Iterator[Problem]:
    """The problems of a filter and of groups."""
    fact = _fact_of(trigger)
    by = trigger.group_by if isinstance(trigger, Watch) else ()
    if len(by) > MAX_GROUPED_BY or len(set(by)) < len(by):
        yield _of("group_by", f"Group by at most {MAX_GROUPED_BY} dimensions, each once.")
    named = chain(
        ((("filter", name), name) for name in trigger.filter),
        ((("group_by",), name) for name in by),
    )
    for path, name in named:
        if message := _wrong_dimension(name, fact, project_scoped):
            yield _of(*path, message)
    yield from _names(trigger.filter)


def _fact_of(trigger: Watch | OnEvent) -> Fact | None:
    if isinstance(trigger, OnEvent):
        return FACT_OF[trigger.event]
    measure = measure_called(trigger.measure)
    return None if measure is None else FACTS[measure.fact]


def _wrong_dimension(name: str, fact: Fact | None, project_scoped: bool) -> str | None:
    if name == PROJECT.name:
        watches = "The rule watches its own project only: leave it out."
        return watches if project_scoped else None
    if fact is None or name in _names_of(fact):
        return None
    has = _list(_names_of(fact))
    return f"There is no {name[:100]!r} of {fact.noun}, which have {has}: use one of those."


def _names_of(fact: Fact) -> list[str]:
    return [dimension.name for dimension in fact.dimensions]


def _list(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _names(filter: Names) -> Iterator[Problem]:
    for dimension, names in filter.items():
        path = ("filter", dimension[:MAX_NAME_LENGTH])
        if not 1 <= len(names) <= MAX_NAMES:
            yield _of(*path, f"Name from 1 to {MAX_NAMES} of them, or leave it out.")
        for name in names:
            if wrong := wrong_name(name):
                yield _of(*path, f"A name there {wrong[1]}.")


def _of(*path_and_message: str) -> Problem:
    """A problem of a field of the trigger; the last word is the message."""
    *path, message = path_and_message
    return Problem(("trigger", *path), message)
