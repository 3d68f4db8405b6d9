"""Tells a worse rate from chance, where events come in bursts and follow the time of day.

A window is compared with the same hours of the days before. Its events are counted against its
exposure: hours, calls or invocations. Given the events of all these windows together, the number
in one of them is binomial if events are independent of each other (Przyborowski and Wilenski,
Biometrika 31, 1940), and beta-binomial if the rate of each window is drawn from a gamma
distribution, as for bursts. How much such rates vary is estimated from the history by moments
(Williams, Applied Statistics 31, 1982). Several comparisons share one level by Holm's method
(Scandinavian Journal of Statistics 6, 1979). docs/causes.md has the simulated error rates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from analytics.tails import beta_binomial_at_least, negative_binomial_at_least

# The probability of a false alarm over all comparisons that are made together.
ALPHA = 0.01
# Days whose same hours are the baseline, and the fewest of them that will do.
BASELINE_DAYS = 7
LEAST_DAYS = 3
# A rate is worse only if it is so many times the expected one, and has so many events.
LEAST_RATIO = 1.5
LEAST_EVENTS = 5

# The variance of rates, in squares of their mean, that a history without events stands for, and
# how much history outweighs it: the sum of the squared expected counts.
_PRIOR_VARIANCE = 2.0
_PRIOR_WEIGHT = 1.0
# An estimate from one history may be too low; so much larger ones keep the promised level.
_MARGIN = 1.5


Hour = TypeVar("Hour")


@dataclass(frozen=True, slots=True)
class Sample:
    """The events of a window, and its exposure: the hours or the trials in which they happened."""

    events: int
    exposure: float

    @property
    def rate(self) -> float:
        return self.events / self.exposure if self.exposure else 0.0


# The windows of each day, the newest day first; the first one of each has the hours in question.
History = Sequence[Sequence[Sample]]


def days_of(hours: Sequence[Hour], block: int) -> list[list[Sequence[Hour]]]:
    """Cuts the hours up to a moment into days, the newest first, and each day into blocks.

    The first block of each day begins at the time of day of that moment.
    """
    starts = range(len(hours) - 24, -1, -24)
    return [
        [hours[at : at + block] for at in range(start, start + 25 - block, block)]
        for start in starts
    ]


def pooled(samples: Iterable[Sample]) -> Sample:
    """Returns all samples as one."""
    parts = list(samples)
    return Sample(sum(part.events for part in parts), sum(part.exposure for part in parts))


def is_notable(sample: Sample, expected: float) -> bool:
    """Whether a rate that is higher is also much higher, from enough events."""
    return sample.events >= LEAST_EVENTS and sample.events >= LEAST_RATIO * expected


@dataclass(frozen=True, slots=True)
class Spread:
    """How much more the counts of a history vary than those of a Poisson process.

    ``rates`` is the variance of the windows' rates, in squares of their mean: what slow changes
    give. ``clusters`` is the variance of counts beyond their mean, in units of the mean: what
    bursts give, each of about so many events.
    """

    rates: float
    clusters: float


@dataclass(frozen=True, slots=True)
class RateTest:
    """Compares windows with the same hours of the days before."""

    history: History
    spread: Spread

    @classmethod
    def of(cls, history: History) -> RateTest:
        return cls(history, _spread(history))

    @property
    def baseline(self) -> list[Sample]:
        """The same hours of the days before, as far as they have any exposure."""
        return _exposed(day[0] for day in self.history[:BASELINE_DAYS])

    def expected(self, exposure: float) -> float:
        """Returns the expected number of events."""
        return pooled(self.baseline).rate * exposure

    def p_value(self, window: Sample) -> float:
        """Returns the probability of so many events or more if nothing has changed.

        A small value is checked against the history: if chance alone gave windows there that are
        as extreme as this one, their share is the answer.
        """
        p = self._p_value(window, self.baseline)
        return p if p > ALPHA else max(p, self._share_as_extreme(p))

    def _share_as_extreme(self, p: float) -> float:
        windows = extreme = 0
        for day, slots in enumerate(self.history):
            for slot, sample in enumerate(slots):
                others = _exposed(self.history[each][slot] for each in self._days_around(day))
                if sample.exposure and len(others) >= LEAST_DAYS:
                    windows += 1
                    extreme += self._is_as_extreme(sample, others, p)
        return extreme / windows if windows else 1.0

    def _days_around(self, day: int) -> list[int]:
        """Returns the days before this one, and for the oldest ones days after it."""
        last = len(self.history)
        days = [*range(day + 1, last), *range(day - 1, -1, -1)]
        return days[:BASELINE_DAYS]

    def critical(self, exposure: float, alpha: float) -> int:
        """Returns the smallest number of events that is worse at this level."""
        low = max(LEAST_EVENTS, ceil(LEAST_RATIO * self.expected(exposure)))
        baseline, high = self.baseline, 2 * low
        while self._p_value(Sample(high, exposure), baseline) > alpha:
            low, high = high, 2 * high
            if high > _MOST_EVENTS:
                return high
        while low < high:
            middle = (low + high) // 2
            if self._p_value(Sample(middle, exposure), baseline) > alpha:
                low = middle + 1
            else:
                high = middle
        return high

    def _is_as_extreme(self, sample: Sample, others: Sequence[Sample], p: float) -> bool:
        if not is_notable(sample, pooled(others).rate * sample.exposure):
            return False
        return self._p_value(sample, others) <= p

    def _p_value(self, window: Sample, baseline: Sequence[Sample]) -> float:
        """Returns the probability of so many events or more, by the worse of two models."""
        if not window.exposure or not baseline:
            return 1.0
        return max(
            _of_varying_rates(window, baseline, self.spread.rates),
            _of_bursts(window, baseline, self.spread.clusters),
        )


_MOST_EVENTS = 10**12
# Less than this is binomial, or Poisson, for all counts that occur.
_LEAST_VARIANCE = 1e-9
_LEAST_CLUSTERS = 1e-3
# Bursts that the baseline is assumed to have had beside those seen.
_UNSEEN_BURSTS = 2


def _of_varying_rates(window: Sample, baseline: Sequence[Sample], variance: float) -> float:
    """The probability, given the events of all windows, if their rates vary so much."""
    whole = pooled((window, *baseline))
    share = window.exposure / whole.exposure
    squares = window.exposure**2 + sum(sample.exposure**2 for sample in baseline)
    # The number of equal windows that would vary as much as these, over the variance of each.
    concentration = whole.exposure**2 / squares / max(variance, _LEAST_VARIANCE)
    return beta_binomial_at_least(
        window.events, whole.events, share * concentration, (1 - share) * concentration
    )


def _of_bursts(window: Sample, baseline: Sequence[Sample], clusters: float) -> float:
    """The probability if events come in bursts of such a size."""
    if clusters < _LEAST_CLUSTERS:
        return 0.0
    before = pooled(baseline)
    events = before.events + _UNSEEN_BURSTS * (1 + clusters)
    mean = events / before.exposure * window.exposure
    return negative_binomial_at_least(window.events, mean, clusters)


def _exposed(samples: Iterable[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.exposure]


def _spread(history: History) -> Spread:
    """Estimates by moments how windows vary around the rates of their time of day."""
    excess = squares = expected = 0.0
    for slot in zip(*history, strict=True):
        samples = _exposed(slot)
        if len(samples) < 2:
            continue
        rate, unbiased = pooled(samples).rate, len(samples) / (len(samples) - 1)
        for sample in samples:
            mean = rate * sample.exposure
            excess += (sample.events - mean) ** 2 * unbiased - mean
            squares += mean**2
            expected += mean
    excess = max(0.0, excess) * _MARGIN
    rates = (excess + _PRIOR_VARIANCE * _PRIOR_WEIGHT) / (squares + _PRIOR_WEIGHT)
    return Spread(rates, excess / expected if expected else 0.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns each p-value adjusted for the number of tests, in the same order."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
