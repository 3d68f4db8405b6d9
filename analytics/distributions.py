"""Distributions: how many durations lie in each range, and how many entities have each status."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from analytics.components import Components, positions
from storage.facts import FACTS
from storage.facts.fact import Entity, Histogram

MOST_RANGES = 40


@dataclass(frozen=True, slots=True)
class DurationRange:
    """The number of durations from ``from_ms`` up to, not including, ``to_ms``; None: no limit."""

    from_ms: float
    to_ms: float | None
    count: int


@dataclass(frozen=True, slots=True)
class StatusCount:
    """The number of entities that have a status."""

    status: IntEnum
    count: int


def distribution(components: Components, fact: str) -> list[DurationRange]:
    """Returns the number of durations in each of at most `MOST_RANGES` adjacent ranges.

    The ranges are buckets of the histogram, or as many of them together as needed; empty ranges
    side by side are one. They begin with the shortest duration and end with the longest one.
    """
    timing = FACTS[fact].timing
    if components.histogram is None or timing is None:
        raise ValueError("a distribution needs a slice with histogram=True")
    buckets = 1
    while len(spans := _spans(components.histogram, buckets)) > MOST_RANGES:
        buckets *= 2
    return [
        DurationRange(
            _bound_ms(timing.histogram, span.first) or 0.0,
            _bound_ms(timing.histogram, span.end),
            span.count,
        )
        for span in spans
    ]


@dataclass(frozen=True, slots=True)
class _Span:
    """The buckets from ``first`` up to, not including, ``end``."""

    first: int
    end: int
    count: int


def _spans(histogram: Sequence[int], buckets: int) -> list[_Span]:
    spans: list[_Span] = []
    for first in range(0, len(histogram), buckets):
        span = _Span(first, first + buckets, sum(histogram[first : first + buckets]))
        if span.count or not spans or spans[-1].count:
            spans.append(span)
        else:
            spans[-1] = replace(spans[-1], end=span.end)
    return [span for span in spans if span.count or span not in (spans[0], spans[-1])]


def _bound_ms(shape: Histogram, bucket: int) -> float | None:
    """The lower bound of a bucket; None for the first one and beyond the last."""
    return shape.lower_bound_us(bucket) / 1000 if 0 < bucket < shape.buckets else None


def by_status(components: Components, fact: str) -> list[StatusCount]:
    """Returns the number of entities for each status; ValueError for facts without statuses."""
    entity = FACTS[fact]
    if not isinstance(entity, Entity):
        raise ValueError(f"{entity.noun} have no status")
    at = positions(entity)
    statuses = entity.lifecycle.statuses
    counts = {s: components.counts[at[s.name.lower()]] for s in statuses if s.name.lower() in at}
    # The status without a component of its own has the rest.
    rest = components.counts[at[entity.leading]] - sum(counts.values())
    return [StatusCount(status, counts.get(status, rest)) for status in statuses]
