"""The measures that all entities with a lifecycle have: outcomes, rates, frequency, durations."""

from collections.abc import Iterable
from enum import IntEnum

from analytics.measures.builder import Builder, Sum
from analytics.measures.measure import Measure, Unit
from storage.facts.fact import Entity


def finished(entity: Entity) -> Sum:
    """The entities that are over: those of each status that a finish leads to."""
    life = entity.lifecycle
    return _counted("finished", [s for s in life.statuses if s not in life.unfinished])


def _succeeded(entity: Entity) -> Sum:
    return _counted("succeeded", entity.lifecycle.successes)


def _counted(name: str, statuses: Iterable[IntEnum]) -> Sum:
    return Sum(name, tuple(status.name.lower() for status in statuses))


def lifecycle_measures(entity: Entity, *own: Measure) -> tuple[Measure, ...]:
    """The measures of an entity; those of its ``own`` follow its rates."""
    of = Builder(entity)
    return (
        *_outcomes(of, entity),
        *_outcome_rates(of, entity),
        *own,
        *_finishes(of, entity),
        *of.durations(),
        *of.ages(),
        *of.of_projects(),
    )


def _outcomes(of: Builder, entity: Entity) -> list[Measure]:
    """Counts by current status, of the entities created in a bucket."""
    over, life, noun = finished(entity), entity.lifecycle, entity.noun
    attempts = f"{noun.capitalize()} created, whatever their status is now."
    counts = [of.count("attempts", attempts)]
    for status in life.statuses:
        name = status.name.lower()
        meaning = f"{noun.capitalize()} created whose status is now {_words(status)}."
        if status is life.rest:
            others = [s.name.lower() for s in life.unfinished if s is not status]
            counts.append(of.rest(name, "attempts", (*others, over), meaning))
        else:
            counts.append(of.count(name, meaning))
    ended = f"{noun.capitalize()} created that are no longer {_either(life.unfinished)}."
    counts.append(of.count(over, ended))
    if len(life.successes) > 1:
        good = f"{noun.capitalize()} created that are now {_either(life.successes)}."
        counts.append(of.count(_succeeded(entity), good, headline=False))
    return counts


def _words(status: IntEnum) -> str:
    return status.name.lower().replace("_", " ")


def _either(statuses: Iterable[IntEnum]) -> str:
    *others, last = map(_words, statuses)
    return f"{', '.join(others)} or {last}" if others else last


def _outcome_rates(of: Builder, entity: Entity) -> list[Measure]:
    over, succeeded, noun = finished(entity), _succeeded(entity), entity.noun
    return [
        of.rate(
            "success_rate",
            succeeded,
            over,
            f"Fraction of the finished {noun} that succeeded.",
        ),
        of.rate(
            "success_rate_of_attempts",
            succeeded,
            "attempts",
            f"Fraction of all {noun} created that succeeded.",
            headline=False,
        ),
        of.rate("failure_rate", "failed", over, f"Fraction of the finished {noun} that failed."),
    ]


def _finishes(of: Builder, entity: Entity) -> list[Measure]:
    """Counts by the status of the finish, of the entities that finished in a bucket."""
    noun = entity.noun
    counts = [of.count("finishes", f"{noun.capitalize()} that finished.", headline=False)]
    for status in entity.lifecycle.finishes:
        name = status.name.lower()
        meaning = (
            f"{noun.capitalize()} that finished with the status {name}, whatever happened later."
        )
        counts.append(of.count(f"finishes_{name}", meaning, headline=False))
    return [
        *counts,
        of.rate(
            "failure_rate_of_finishes",
            "finishes_failed",
            "finishes",
            f"Fraction of the {noun} that finished in the time whose finish was a failure.",
            headline=False,
        ),
        of.per_time(
            "frequency_per_day",
            "finishes",
            Unit.PER_DAY,
            f"{noun.capitalize()} that finished, per day.",
        ),
        of.per_time(
            "frequency_per_week",
            "finishes",
            Unit.PER_WEEK,
            f"{noun.capitalize()} that finished, per week.",
            headline=False,
        ),
    ]
