"""Percentiles by nearest rank: exact from durations, estimated from a histogram."""

from bisect import bisect_right
from functools import cache
from itertools import accumulate
from math import ceil

from analytics.components import Components, count
from storage.errors import InvalidInput
from storage.facts import FACTS
from storage.facts.fact import Histogram


def percentile_ms(components: Components, fraction: float, fact: str) -> float | None:
    """Returns the duration that ``fraction`` of the known ones do not exceed; None without any.

    It is the smallest value whose rank is at least ``fraction`` of all.
    """
    if not 0 <= fraction <= 1:
        raise InvalidInput(
            f"A percentile is a fraction from 0 to 1, not {fraction:g}.", path="percentile"
        )
    if components.durations_us is not None:
        return _exact_ms(components.durations_us, fraction)
    timing = FACTS[fact].timing
    if components.histogram is None or timing is None:
        raise ValueError("percentiles need a slice with histogram=True")
    if not count(components, timing.count, fact):
        return None
    return _interpolated_ms(components.histogram, fraction, timing.histogram)


def _exact_ms(durations_us: tuple[int, ...], fraction: float) -> float | None:
    if not durations_us:
        return None
    return durations_us[_rank(fraction, len(durations_us)) - 1] / 1000


def _rank(fraction: float, size: int) -> int:
    # Rounded first: 0.95 * 20 is 19.000000000000004 in floating point, and its ceiling 20.
    return max(1, ceil(round(fraction * size, 9)))


def _interpolated_ms(histogram: tuple[int, ...], fraction: float, shape: Histogram) -> float | None:
    cumulative = list(accumulate(histogram))
    size = cumulative[-1] if cumulative else 0
    if not size:
        return None
    rank = _rank(fraction, size)
    bucket = bisect_right(cumulative, rank - 1)
    before = cumulative[bucket - 1] if bucket else 0
    within = (rank - before - 0.5) / (cumulative[bucket] - before)
    return float(_bounds_ms(shape)[bucket] * _growth(shape) ** within)


@cache
def _bounds_ms(shape: Histogram) -> tuple[float, ...]:
    growth = _growth(shape)
    return tuple(shape.base_us / 1000 * growth**bucket for bucket in range(shape.buckets))


def _growth(shape: Histogram) -> float:
    return float(2 ** (1 / shape.buckets_per_doubling))
