"""What an alert watches, as clients give it."""

from dataclasses import replace
from typing import Any

import strawberry

from alerts import rules
from alerts.measures import measure_name
from alerts.preset_changes import NUMBERS, PresetError, preset_called
from alerts.preset_changes import trigger_of as preset_trigger
from alerts.presets import Preset
from analytics.periods import Duration
from resolvers.user_errors import UserError
from schema.declarations import optional
from schema.enums import Dimension, Measure
from schema.figures.filters import MetricFilter, filter_names
from schema.things.alert_enums import AlertBaseline, AlertEventKind, AlertOperator, AlertSeverity
from schema.things.given import read
from storage.alerts.rules import RULES_OF_PLATFORM_AT_MOST, RULES_OF_PROJECT_AT_MOST
from storage.errors import InvalidInput


def seconds(given: Duration | None, path: str) -> int | None:
    """The seconds of a duration; raises InvalidInput for months, whose length varies."""
    if given is None:
        return None
    found = given.exact_seconds
    if found is None or found != int(found):
        raise InvalidInput(
            f"{given} is no whole number of seconds: write weeks, days, hours, minutes or seconds, "
            "such as PT90S.",
            path=path,
        )
    return int(found)


@strawberry.input(description="Wrong where the value passes a bound.")
class AlertThresholdInput:
    operator: AlertOperator = read("How the value is compared.")
    bound: float = read("The bound, in the unit of the measure; a fraction 0.1 is 10 %.")


@strawberry.input(description="Wrong where the value passes the earlier value times a factor.")
class AlertChangeInput:
    operator: AlertOperator = read("How the value is compared.")
    factor: float = read("What the earlier value is multiplied by: 1.5 is half as much again.")
    baseline: AlertBaseline | None = optional(
        "The earlier time; that before the window by default."
    )
    baseline_length: Duration | None = optional(
        "The length of the earlier time; that of the window by default. Counts are scaled."
    )


@strawberry.input(one_of=True, description="When the value is wrong, in one of three ways.")
class AlertComparisonInput:
    threshold: strawberry.Maybe[AlertThresholdInput] = read("Where the value passes a bound.")
    change: strawberry.Maybe[AlertChangeInput] = read("Where it differs from an earlier value.")
    absence: strawberry.Maybe[bool] = read("True: where nothing is counted in the window.")


@strawberry.input(one_of=True, description="A guard against few events, in one of three ways.")
class AlertGuardInput:
    literal: strawberry.Maybe[bool] = read("True: none; the value alone decides.")
    min_sample: strawberry.Maybe[int] = read("Only with so many trials in the window.")
    significant: strawberry.Maybe[float] = read(
        "Only where chance alone gives such a value at most so often, such as 0.01."
    )


@strawberry.input(description="A measure over a moving window, which ends now.")
class AlertWatchInput:
    measure: Measure = read("The measure.")
    window: Duration = read(
        "The length of the window: whole minutes, beyond an hour whole 5 minutes, beyond a day "
        "whole hours; at most 28 days."
    )
    comparison: AlertComparisonInput = read("When the value is wrong.")
    guard: AlertGuardInput | None = optional(
        "The guard; of rates, significance at 0.01 by default, else none."
    )
    filter: MetricFilter | None = optional("What is watched; all by default.")
    group_by: list[Dimension] = strawberry.field(
        default_factory=list,
        description="Each group of these dimensions is an instance, at most "
        f"{rules.INSTANCES_AT_MOST}; one instance by default.",
    )
    for_: Duration | None = optional(
        "How long it must be wrong before it fires, at most a day; at once by default.", "for"
    )
    keep_firing: Duration | None = optional(
        "How long it must be right before it stops, at most a day; at once by default."
    )


@strawberry.input(description="Something that happens; what it happened to is an instance.")
class AlertOnEventInput:
    kind: AlertEventKind = read("What happens.")
    filter: MetricFilter | None = optional("What is watched; all by default.")
    count: int | None = optional("For ERROR_REACHED and ERROR_SPREAD: the number.")
    after: Duration | None = optional("For DEPLOYMENT_SLOW: the time.")
    keep_firing: Duration | None = optional(
        "How long after the last such event it stops, at most a day; an hour by default."
    )


@strawberry.input(
    description="The trigger of a preset, with other numbers where they are given: only those that "
    "its trigger has."
)
class AlertPresetInput:
    name: str = read("The name, as `alertPresets` has it.")
    bound: float | None = optional("The threshold, in the unit of the measure.")
    factor: float | None = optional("What the earlier value is multiplied by.")
    window: Duration | None = optional("The length of the window.")
    for_: Duration | None = optional("How long it must be wrong before it fires.", "for")
    count: int | None = optional("The number of occurrences or projects.")
    after: Duration | None = optional("The time that is too long.")
    keep_firing: Duration | None = optional("How long it must be right before it stops.")
    filter: MetricFilter | None = optional("What is watched, beside what the preset says.")


@strawberry.input(one_of=True, description="What makes an alert fire, in one of three ways.")
class AlertTriggerInput:
    watch: strawberry.Maybe[AlertWatchInput] = read("A measure over a moving window.")
    event: strawberry.Maybe[AlertOnEventInput] = read("Something that happens.")
    preset: strawberry.Maybe[AlertPresetInput] = read("As a preset does.")


@strawberry.input(description="A label.")
class AlertLabelInput:
    name: str = read("The name: letters, digits and underscores.")
    value: str = read("The value.")


_NAME = "The name, unique among those of the project, or of the platform."
_CHANNELS = "The names of the channels that are told, of the project or of the platform."
_LABELS = "Labels that travel with each message, beside the alert's own."
_TITLE = "A template of the message's title; the usual one by default."
_TEXT = "A template of the message's text; the usual one by default."


@strawberry.input(
    description=f"An alert to create: a project has at most {RULES_OF_PROJECT_AT_MOST}, the "
    f"platform {RULES_OF_PLATFORM_AT_MOST:,}."
)
class CreateAlertInput:
    project: str | None = optional(
        "The slug of the project; the platform by default, which needs the role admin."
    )
    name: str | None = optional(f"{_NAME[:-1]}; of a preset, its title by default.")
    trigger: AlertTriggerInput = read("What makes it fire.")
    severity: AlertSeverity | None = optional(
        "How bad it is when it fires; as the preset says by default, else WARNING."
    )
    enabled: bool = strawberry.field(default=True, description="Whether it is evaluated.")
    channels: list[str] = strawberry.field(default_factory=list, description=_CHANNELS)
    labels: list[AlertLabelInput] | None = optional(
        f"{_LABELS[:-1]}; those of the preset by default."
    )
    title: str | None = optional(_TITLE)
    text: str | None = optional(_TEXT)


@strawberry.input(description="Changes of an alert; what is left out or null stays.")
class UpdateAlertInput:
    alert_id: strawberry.ID = strawberry.field(name="id", description="The global id of the alert.")
    revision: int | None = optional(
        "The revision that is changed: refused if somebody else has changed it meanwhile."
    )
    name: str | None = optional(_NAME)
    trigger: AlertTriggerInput | None = optional("What makes it fire.")
    severity: AlertSeverity | None = optional("How bad it is when it fires.")
    enabled: bool | None = optional("Whether it is evaluated.")
    channels: list[str] | None = optional(_CHANNELS)
    labels: list[AlertLabelInput] | None = optional(_LABELS)
    title: str | None = optional(f"{_TITLE[:-1]}, and if empty.")
    text: str | None = optional(f"{_TEXT[:-1]}, and if empty.")


def rule_of(given: CreateAlertInput) -> rules.Rule:
    """The rule that an input describes; raises InvalidInput."""
    if given.trigger.preset is None:
        return rules.Rule(**{"name": "", **fields_of(given)})
    return replace(_preset(given.trigger.preset.value).rule(), **fields_of(given))


def fields_of(given: CreateAlertInput | UpdateAlertInput) -> dict[str, Any]:
    """The fields of a rule that an input gives; raises InvalidInput."""
    found: dict[str, Any] = {
        name: value for name in ("name", "enabled") if (value := getattr(given, name)) is not None
    }
    if given.severity is not None:
        found["severity"] = given.severity.value
    if given.trigger is not None:
        found["trigger"] = trigger_of(given.trigger)
        if given.trigger.preset is not None:
            found["preset"] = given.trigger.preset.value.name
    if given.channels is not None:
        found["channels"] = tuple(given.channels)
    if given.labels is not None:
        found["labels"] = labels_of(given.labels)
    for name in ("title", "text"):
        if (value := getattr(given, name)) is not None:
            found[name] = value or None
    return found


def in_terms_of(trigger: AlertTriggerInput | None, error: UserError) -> UserError:
    """An error in a trigger, at the field of the preset if one was given."""
    field = error.field or []
    if trigger is None or trigger.preset is None or field[:2] != ["input", "trigger"]:
        return error
    way = ["input", "trigger", "preset"]
    if "filter" in field:
        return replace(error, field=way + field[field.index("filter") :])
    return replace(error, field=[*way, field[-1] if field[-1] in NUMBERS else "name"])


def labels_of(given: list[AlertLabelInput]) -> dict[str, str]:
    """The labels by name; raises InvalidInput for a name that stands there twice."""
    found = {label.name: label.value for label in given}
    if len(found) < len(given):
        raise InvalidInput("A label is given twice: give each name once.", path="labels")
    return found


def trigger_of(given: AlertTriggerInput) -> rules.Trigger:
    """The trigger that an input gives; raises InvalidInput."""
    if given.event is not None:
        return _on_event(given.event.value)
    if given.preset is not None:
        return _of_preset(given.preset.value)
    assert given.watch is not None
    watch = given.watch.value
    measure: Any = watch.measure.value
    return rules.Watch(
        measure=measure_name(measure),
        window_seconds=seconds(watch.window, "window") or 0,
        comparison=_comparison(watch.comparison),
        guard=None if watch.guard is None else _guard(watch.guard),
        filter=_names(watch.filter),
        group_by=tuple(each.value.name for each in watch.group_by),
        for_seconds=seconds(watch.for_, "for") or 0,
        keep_firing_seconds=seconds(watch.keep_firing, "keepFiring") or 0,
    )


def _preset(given: AlertPresetInput) -> Preset:
    try:
        return preset_called(given.name)
    except PresetError as error:
        raise InvalidInput(error.message, path="preset.name") from None


def _of_preset(given: AlertPresetInput) -> rules.Trigger:
    numbers = {
        "bound": given.bound,
        "factor": given.factor,
        "count": given.count,
        "window": seconds(given.window, "window"),
        "for": seconds(given.for_, "for"),
        "after": seconds(given.after, "after"),
        "keepFiring": seconds(given.keep_firing, "keepFiring"),
    }
    changes = {name: value for name, value in numbers.items() if value is not None}
    try:
        return preset_trigger(_preset(given), changes, _names(given.filter))
    except PresetError as error:
        raise InvalidInput(error.message, path=f"preset.{error.name}") from None


def _on_event(given: AlertOnEventInput) -> rules.OnEvent:
    keep_firing = seconds(given.keep_firing, "keepFiring")
    return rules.OnEvent(
        event=given.kind.value,
        filter=_names(given.filter),
        count=given.count,
        after_seconds=seconds(given.after, "after"),
        keep_firing_seconds=rules.HOUR_SECONDS if keep_firing is None else keep_firing,
    )


def _comparison(given: AlertComparisonInput) -> rules.Comparison:
    if given.threshold is not None:
        threshold: Any = given.threshold.value
        return rules.Threshold(threshold.operator.value, threshold.bound)
    if given.change is not None:
        change: Any = given.change.value
        baseline = rules.Baseline.BEFORE if change.baseline is None else change.baseline.value
        length = seconds(change.baseline_length, "baselineLength")
        return rules.Change(change.operator.value, change.factor, baseline, length)
    _require_true(given.absence, "absence")
    return rules.Absence()


def _guard(given: AlertGuardInput) -> rules.Guard:
    if given.min_sample is not None:
        return rules.Guard(rules.GuardKind.MIN_SAMPLE, at_least=given.min_sample.value)
    if given.significant is not None:
        return rules.Guard(rules.GuardKind.SIGNIFICANT, alpha=given.significant.value)
    _require_true(given.literal, "literal")
    return rules.LITERAL


def _require_true(given: Any, name: str) -> None:
    if not given.value:
        raise InvalidInput(f"{name} is false: give true, or another field.", path=name)


def _names(given: Any) -> dict[str, tuple[str, ...]]:
    return {dimension.name: names for dimension, names in filter_names(given).items()}
