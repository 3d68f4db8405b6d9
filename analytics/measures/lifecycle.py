"""The measures that all entities with a lifecycle have: outcomes, rates, frequency, durations."""

from analytics.measures.builder import Builder, Sum
from analytics.measures.measure import Measure, Unit
from storage.facts.fact import Entity


def finished(entity: Entity) -> Sum:
    """The entities that are over: those of each status that a finish leads to."""
    life = entity.lifecycle
    over = (s for s in life.statuses if life.rank_of[s] >= life.finish_rank)
    return Sum("finished", tuple(status.name.lower() for status in over))


def lifecycle_measures(entity: Entity, *own: Measure) -> tuple[Measure, ...]:
    """The measures of an entity; those of its ``own`` follow its rates."""
    of = Builder(entity)
    return (
        *_outcomes(of, entity),
        *_outcome_rates(of, entity),
        *own,
        *_finishes(of, entity),
        *of.durations(),
        *of.of_projects(),
    )


def _outcomes(of: Builder, entity: Entity) -> list[Measure]:
    """Counts by current status, of the entities created in a bucket."""
    over, noun = finished(entity), entity.noun
    attempts = f"{noun.capitalize()} created, whatever their status is now."
    counts = [of.count("attempts", attempts)]
    for status in entity.lifecycle.statuses:
        name = status.name.lower()
        meaning = f"{noun.capitalize()} created whose status is now {name.replace('_', ' ')}."
        if status.name == "IN_PROGRESS":
            counts.append(of.rest(name, "attempts", ("queued", over), meaning))
        else:
            counts.append(of.count(name, meaning))
    ended = f"{noun.capitalize()} created that are no longer queued or in progress."
    return [*counts, of.count(over, ended, headline=False)]


def _outcome_rates(of: Builder, entity: Entity) -> list[Measure]:
    over, noun = finished(entity), entity.noun
    return [
        of.rate(
            "success_rate",
            "succeeded",
            over,
            f"Fraction of the finished {noun} that succeeded.",
        ),
        of.rate(
            "success_rate_of_attempts",
            "succeeded",
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
