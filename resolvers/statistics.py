"""Statistics: a population's measures in total, as series, by group and for an earlier range."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from analytics import distributions
from analytics.answer import Answer
from analytics.components import Components
from analytics.distributions import DurationRange, StatusCount
from analytics.intervals import edges
from analytics.measures import Evaluator, Measure
from analytics.percentiles import percentile_ms
from resolvers.context import Context
from resolvers.population import Breakdown, Population
from storage.errors import GatewayError

# All percentiles and the distribution are read from the same histogram.
DURATIONS = Breakdown(frozenset(), durations=True)


class StatisticsRow(SimpleNamespace):
    """The selected measures by name, and the other fields of a point, group or earlier range."""


class Statistics(StatisticsRow):
    """The totals of a population."""

    population: Population
    total: Components


async def statistics(
    context: Context, population: Population, breakdowns: Iterable[Breakdown]
) -> Statistics:
    """Loads the totals, which are the first breakdown, together with the other breakdowns."""
    first, *others = breakdowns
    expected = []
    for breakdown in others:
        with suppress(GatewayError):  # the breakdown's own field raises it again
            question = population.slice(breakdown)
            _count_points(context, population, breakdown)
            context.loaders.answers.expect(question)
            expected.append(breakdown)
    answer = await load_totals(context, population, first, expected)
    return Statistics(
        population=population,
        range=population.range,
        time_zone=population.zone,
        freshness=answer,
        total=answer.total,
        **values(first.measures, answer.total, answer.days, answer.total),
    )


def _count_points(context: Context, population: Population, breakdown: Breakdown) -> None:
    """Counts the values of a series before it is loaded; groups are counted when they are known."""
    interval = population.interval(breakdown)
    if interval is not None and not breakdown.group_by:
        buckets = len(edges(population.range, interval, population.zone)) - 1
        context.compute(buckets * len(breakdown.measures))


async def load_totals(
    context: Context, population: Population, totals: Breakdown, others: Iterable[Breakdown]
) -> Answer:
    """Loads totals from the answer of another breakdown, if one has them, to save a statement."""
    answers = context.loaders.answers
    for other in others:
        if totals.is_part_of(other):
            with suppress(GatewayError):  # the other breakdown's own field raises it again
                shared: Answer = await answers.load(population.slice(other))
                return shared
            break
    own: Answer = await answers.load(population.slice(totals))
    return own


def values(
    measures: frozenset[Measure], cell: Components, days: float, whole: Components
) -> dict[str, Any]:
    """Returns the measures of a cell by name; shares are relative to `whole`."""
    return {name: evaluate(cell, days, whole) for name, evaluate in _evaluators(measures)}


@lru_cache(maxsize=1024)
def _evaluators(measures: frozenset[Measure]) -> tuple[tuple[str, Evaluator], ...]:
    return tuple((measure.name, measure.evaluate) for measure in measures)


async def series(
    context: Context, statistics: Statistics, breakdown: Breakdown
) -> list[StatisticsRow]:
    """Returns a point for every bucket of the range, empty ones included."""
    context.compute(0)  # raises if the document selects too many values; these are counted already
    answer = await context.loaders.answers.load(statistics.population.slice(breakdown))
    cells = answer.per_bucket()
    return points(answer, breakdown.measures, cells, cells)


def points(
    answer: Answer,
    measures: frozenset[Measure],
    cells: Sequence[Components],
    wholes: Sequence[Components],
) -> list[StatisticsRow]:
    """Returns a point for every bucket of the answer; shares are relative to `wholes`."""
    return [
        StatisticsRow(
            start=bucket.start,
            end=bucket.end,
            open=bucket.open,
            **values(measures, cell, bucket.days, whole),
        )
        for bucket, cell, whole in zip(answer.buckets, cells, wholes, strict=True)
    ]


async def previous(context: Context, statistics: Statistics, breakdown: Breakdown) -> StatisticsRow:
    """Returns the measures of the earlier range to compare with."""
    population = statistics.population
    answer = await context.loaders.answers.load(population.slice(breakdown))
    return StatisticsRow(
        range=population.compared(breakdown.earlier),
        freshness=answer,
        **values(breakdown.measures, answer.total, answer.days, answer.total),
    )


async def percentile(context: Context, statistics: Statistics, fraction: float) -> float | None:
    """Returns a percentile of the durations, in milliseconds."""
    return percentile_ms(
        await _durations(context, statistics), fraction, statistics.population.fact.name
    )


async def distribution(context: Context, statistics: Statistics) -> list[DurationRange]:
    """Returns the number of durations in each range of durations."""
    cell = await _durations(context, statistics)
    return distributions.distribution(cell, statistics.population.fact.name)


async def _durations(context: Context, statistics: Statistics) -> Components:
    answer: Answer = await context.loaders.answers.load(statistics.population.slice(DURATIONS))
    return answer.total


def by_status(statistics: Statistics) -> list[StatusCount]:
    """Returns the number of entities of each status."""
    return distributions.by_status(statistics.total, statistics.population.fact.name)
