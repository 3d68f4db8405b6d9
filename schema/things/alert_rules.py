"""What an alert watches, as it is shown: its trigger, comparison and guard."""

from typing import Any

import strawberry

from alerts import rules
from alerts.measures import measure_called
from analytics.periods import Duration
from schema.declarations import typed
from schema.enums import Dimension, Measure
from schema.things.alert_enums import (
    AlertBaseline,
    AlertEventKind,
    AlertGuardKind,
    AlertOperator,
)
from schema.things.given import read
from storage.dimensions import DIMENSIONS


def duration(seconds: int | None) -> Duration | None:
    """A time as the API writes it; None for none."""
    return Duration.of_seconds(seconds) if seconds else None


@strawberry.type(description="Wrong where the value passes a bound.")
class AlertThreshold:
    operator: Any = typed(AlertOperator, "How the value is compared.")
    bound: float = read("The bound, in the unit of the measure; a fraction 0.1 is 10 %.")


@strawberry.type(description="Wrong where the value passes the earlier value times a factor.")
class AlertChangeOver:
    operator: Any = typed(AlertOperator, "How the value is compared.")
    factor: float = read("What the earlier value is multiplied by.")
    baseline: Any = typed(AlertBaseline, "The earlier time.")
    baseline_length: Duration | None = read(
        "The length of the earlier time; null for that of the window."
    )


@strawberry.type(description="When the value is wrong; one of the fields is set.")
class AlertComparison:
    threshold: AlertThreshold | None = read("Where the value passes a bound; else null.")
    change: AlertChangeOver | None = read("Where the value differs from an earlier one; else null.")
    absence: bool = read("True if it is wrong where nothing is counted in the window.")


@strawberry.type(description="A guard against few events.")
class AlertGuard:
    kind: Any = typed(AlertGuardKind, "What must be met.")
    min_sample: int | None = read("So many trials; null for other guards.")
    significant: float | None = read("A probability; null for other guards.")


@strawberry.type(description="Names that are watched, of one dimension.")
class AlertNames:
    dimension: Dimension = read("The dimension.")
    names: list[str] = read("The names.")


@strawberry.type(description="A measure over a moving window, which ends now.")
class AlertWatch:
    measure: Measure = read("The measure.")
    window: Duration = read("The length of the window.")
    comparison: AlertComparison = read("When the value is wrong.")
    guard: AlertGuard | None = read(
        "The guard; null for the usual one, which for rates is significance at 0.01."
    )
    filter: list[AlertNames] = read("What is watched; empty for all.")
    group_by: list[Dimension] = read("Each group of these dimensions is an instance.")
    for_: Duration | None = strawberry.field(
        name="for", description="How long it must be wrong before it fires; null for at once."
    )
    keep_firing: Duration | None = read(
        "How long it must be right before it stops; null for at once."
    )


@strawberry.type(description="Something that happens; what it happened to is an instance.")
class AlertOnEvent:
    kind: Any = typed(AlertEventKind, "What happens.")
    filter: list[AlertNames] = read("What is watched; empty for all.")
    count: int | None = read("The number that some kinds need; null for the others.")
    after: Duration | None = read("The time that some kinds need; null for the others.")
    keep_firing: Duration | None = read(
        "How long after the last such event it stops; null for at once."
    )


@strawberry.type(description="What makes an alert fire; one of the fields is set.")
class AlertTrigger:
    watch: AlertWatch | None = read("A measure over a moving window; else null.")
    event: AlertOnEvent | None = read("Something that happens; else null.")


def shown(trigger: rules.Trigger | None) -> AlertTrigger | None:
    """The trigger of a rule as it is shown; None if it cannot be read."""
    return None if trigger is None else trigger_of(trigger)


def trigger_of(trigger: rules.Trigger) -> AlertTrigger:
    """A trigger as it is shown."""
    if isinstance(trigger, rules.OnEvent):
        shown = AlertOnEvent(
            kind=trigger.event,
            filter=_names(trigger.filter),
            count=trigger.count,
            after=duration(trigger.after_seconds),
            keep_firing=duration(trigger.keep_firing_seconds),
        )
        return AlertTrigger(watch=None, event=shown)
    return AlertTrigger(watch=_watch(trigger), event=None)


def _watch(watch: rules.Watch) -> AlertWatch:
    guard = watch.guard
    return AlertWatch(
        measure=measure_called(watch.measure),  # type: ignore[arg-type] # values of the enums
        window=Duration.of_seconds(watch.window_seconds),
        comparison=_comparison(watch.comparison),
        guard=None if guard is None else _guard(guard),
        filter=_names(watch.filter),
        group_by=[DIMENSIONS[name] for name in watch.group_by],  # type: ignore[misc]
        for_=duration(watch.for_seconds),
        keep_firing=duration(watch.keep_firing_seconds),
    )


def _guard(given: rules.Guard) -> AlertGuard:
    return AlertGuard(kind=given.kind, min_sample=given.at_least, significant=given.alpha)


def _comparison(given: rules.Comparison) -> AlertComparison:
    match given:
        case rules.Threshold():
            threshold = AlertThreshold(operator=given.operator, bound=given.bound)
            return AlertComparison(threshold=threshold, change=None, absence=False)
        case rules.Change():
            change = AlertChangeOver(
                operator=given.operator,
                factor=given.factor,
                baseline=given.baseline,
                baseline_length=duration(given.baseline_seconds),
            )
            return AlertComparison(threshold=None, change=change, absence=False)
    return AlertComparison(threshold=None, change=None, absence=True)


def _names(filter: rules.Names) -> list[AlertNames]:
    return [
        AlertNames(dimension=DIMENSIONS[name], names=list(names))  # type: ignore[arg-type]
        for name, names in filter.items()
    ]
