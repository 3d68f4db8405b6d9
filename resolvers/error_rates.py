"""How often errors occur: over time, which most often, and which more often than before."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from analytics import significance
from analytics.intervals import Interval, chosen, edges
from analytics.periods import Range
from analytics.significance import BASELINE_DAYS, SPIKE_DAYS, History, Sample, days_of
from analytics.slices import Filter
from resolvers.context import Context
from resolvers.errors import Error, errors_by_keys
from resolvers.lists import within
from resolvers.pages import page_size
from resolvers.population import FilterNames, resolve_filter
from resolvers.statistics import Statistics
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.queries.errors.counts import Counting, top
from storage.times import DAY, HOUR, full_hour

TOP_AT_MOST = 50
SPIKES_AT_MOST = 20
# Spikes are looked for among so many errors, which occurred most often in the last day.
WATCHED = 100


class Point(NamedTuple):
    """How often an error occurred in a bucket of time."""

    start: datetime
    end: datetime
    occurrences: int


async def series(
    context: Context, error: Error, span: Range, interval: Interval, zone: str
) -> list[Point]:
    """Returns a point for each bucket of the range, also without occurrences."""
    cuts = edges(span, chosen(interval, span, context.services.analytics.floors), zone)
    context.compute(len(cuts))
    counts = await context.loaders.error_counts(Counting(cuts)).load(error.key) or {}
    return [Point(*pair, counts.get(number, 0)) for number, pair in enumerate(pairwise(cuts))]


class Share(NamedTuple):
    """An error, how often it occurred, and its part of all occurrences."""

    error: Error
    occurrences: int
    share: float


async def most_frequent(context: Context, of: Statistics, first: int) -> list[Share]:
    """Returns the errors that occurred most often among what is counted."""
    page_size(first, most=TOP_AT_MOST)
    population = of.population
    span = population.range
    return await _top(context, population.filter, (span.start, span.end), first)


async def _top(
    context: Context, filter: Filter, span: tuple[datetime, datetime], first: int
) -> list[Share]:
    scope, ids = within(context.scope, filter)
    found = await top(context.services.database, scope, Counting(span, ids), first)
    errors = {error.key: error for error in await errors_by_keys(context, [x.key for x in found])}
    return [
        Share(errors[each.key], each.occurrences, each.occurrences / each.of)
        for each in found
        if each.key in errors
    ]


class Spike(NamedTuple):
    """The first hour of the last day in which an error occurred more often than before."""

    error: Error
    started_at: datetime
    occurrences: int
    expected: float


async def spike(context: Context, error: Error) -> Spike | None:
    """Returns the spike of the last 24 full hours; None if there is none."""
    end = full_hour(context.now)
    found = significance.spike(*await _hours(context, error, end, BASELINE_DAYS))
    if found is not None:  # seldom, so that few need all the days
        found = significance.spike(*await _hours(context, error, end, SPIKE_DAYS))
    if found is None:
        return None
    return Spike(error, end - DAY + found.place * HOUR, found.events, found.expected)


async def _hours(
    context: Context, error: Error, end: datetime, days: int
) -> tuple[Sequence[Sample], History]:
    """Returns the last 24 hours, and those of so many days before them."""
    span = 24 * (1 + days)
    cuts = tuple(end - hours * HOUR for hours in range(span, -1, -1))
    counts: Mapping[int, int] = await context.loaders.error_counts(Counting(cuts)).load(error.key)
    hours = [Sample(counts.get(number, 0), 1.0) for number in range(span)]
    last, *before = ([hour for (hour,) in day] for day in days_of(hours, 1))
    return last, before


async def spikes(context: Context, names: FilterNames, first: int) -> list[Spike]:
    """Returns the spikes of the errors that occurred most often in the last day."""
    page_size(first, most=SPIKES_AT_MOST)
    filter = await resolve_filter(context, [ERROR_OCCURRENCES], names)
    span = context.now - DAY, context.now
    watched = await _top(context, filter, span, WATCHED)
    found = await asyncio.gather(*(spike(context, each.error) for each in watched))
    known = [each for each in found if each is not None]
    known.sort(key=lambda each: each.occurrences - each.expected, reverse=True)
    return known[:first]
