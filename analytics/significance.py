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

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import NamedTuple, TypeVar

from analytics.tails import (
    beta_binomial_at_least,
    binomial_at_least,
    binomial_at_most,
    negative_binomial_at_least,
)

# The probability of a false alarm over all comparisons that are made together.
ALPHA = 0.01
# Days whose same hours are the baseline, and the fewest of them that will do.
BASELINE_DAYS = 7
LEAST_DAYS = 3
# A rate has risen only if it is so many times the expected one, and has so many events.
LEAST_RATIO = 1.5
LEAST_EVENTS = 5
# A spike is an hour with so many times the expected events. Bursts as large are looked for in so
# many days: with less, events that come in rare bursts would have too many spikes by chance.
SPIKE_RATIO = 3.0
SPIKE_DAYS = 28

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


# The windows of each day, the newest day first. Those at the same place have the same hours.
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


def rise(window: Sample, baseline: Sample) -> float:
    """Returns the probability of so many events or more if the rate is that of the baseline."""
    events, share = _together(window, baseline)
    return binomial_at_least(window.events, events, share)


def fall(window: Sample, baseline: Sample) -> float:
    """Returns the probability of so few events or fewer if the rate is that of the baseline."""
    events, share = _together(window, baseline)
    return binomial_at_most(window.events, events, share)


def _together(window: Sample, baseline: Sample) -> tuple[int, float]:
    """The events of both, and the window's share of their exposure."""
    whole = pooled((window, baseline))
    return whole.events, window.exposure / whole.exposure if whole.exposure else 1.0


@dataclass(frozen=True, slots=True)
class RateChange:
    """A window beside the same hours of the days before.

    ``expected`` is the number of events at the baseline's rate, ``p_value`` the probability of so
    many events or more if nothing has changed.
    """

    after: Sample
    baseline: Sample
    days: int  # of the baseline
    expected: float
    p_value: float

    @property
    def is_rise(self) -> bool:
        """Whether the rate is higher than chance explains, and much, from enough data."""
        enough = self.days >= LEAST_DAYS
        return enough and self.p_value <= ALPHA and _is_notable(self.after, self.expected)


def _is_notable(sample: Sample, expected: float, ratio: float = LEAST_RATIO) -> bool:
    """Whether there are many more events than expected, and enough."""
    return sample.events >= max(LEAST_EVENTS, ratio * expected)


def compare(windows: Iterable[tuple[Sample, RateTest]]) -> list[RateChange]:
    """Compares windows with the same hours of the days before.

    The p-values are adjusted for their number: if nothing has changed, there is any rise with a
    probability of at most ALPHA.
    """
    changes = [test.change(window) for window, test in windows]
    adjusted = holm([change.p_value for change in changes])
    return [replace(change, p_value=p) for change, p in zip(changes, adjusted, strict=True)]


class Spike(NamedTuple):
    """The first of some hours that has many more events than expected."""

    place: int
    events: int
    expected: float


def spike(hours: Sequence[Sample], days: History) -> Spike | None:
    """Returns the first of these hours in which the rate rose, or None if it did not.

    Each of the days before has the same hours. If nothing has changed and there are SPIKE_DAYS of
    them, there is a spike with a probability of at most ALPHA.
    """
    test = RateTest(days)
    for place, hour in enumerate(hours):
        expected = test.expected(hour.exposure, place)
        if not _is_notable(hour, expected, SPIKE_RATIO):
            continue
        if test.p_value(hour, place) * len(hours) <= ALPHA:
            return Spike(place, hour.events, expected)
    return None


@dataclass(frozen=True)
class RateTest:
    """Compares windows with the same hours of the days before: those at a place in each day."""

    history: History

    def change(self, window: Sample) -> RateChange:
        """Compares the window whose hours come first in each day."""
        baseline = self._baseline(0)
        expected, p = self.expected(window.exposure), self.p_value(window)
        return RateChange(window, pooled(baseline), len(baseline), expected, p)

    def expected(self, exposure: float, place: int = 0) -> float:
        """Returns the expected number of events."""
        return pooled(self._baseline(place)).rate * exposure

    def p_value(self, window: Sample, place: int = 0) -> float:
        """Returns the probability of so many events or more if nothing has changed.

        A small value is checked against the history: if chance alone gave windows there that are
        as extreme as this one, their share is the answer.
        """
        p = self._p_value(window, self._baseline(place))
        return p if p > ALPHA else max(p, self._share_as_extreme(p))

    def critical(self, exposure: float, alpha: float) -> int:
        """Returns the smallest number of events that is a rise at this level."""
        fewest = max(LEAST_EVENTS, ceil(LEAST_RATIO * self.expected(exposure)))
        baseline, most = self._baseline(0), 2 * fewest

        def is_rise(events: int) -> bool:
            return self._p_value(Sample(events, exposure), baseline) <= alpha

        while not is_rise(most):
            fewest, most = most, 2 * most
            if most > _MOST_EVENTS:
                return most
        return fewest + bisect_left(range(fewest, most), True, key=is_rise)

    def _baseline(self, place: int) -> list[Sample]:
        """The same hours of the days before, as far as they have any exposure."""
        return _exposed(day[place] for day in self.history[:BASELINE_DAYS])

    def _share_as_extreme(self, p: float) -> float:
        windows = extreme = 0
        for day, samples in enumerate(self.history):
            for place, sample in enumerate(samples):
                others = _exposed(self.history[each][place] for each in self._days_around(day))
                if sample.exposure and len(others) >= LEAST_DAYS:
                    windows += 1
                    extreme += self._is_as_extreme(sample, others, p)
        return extreme / windows if windows else 1.0

    def _days_around(self, day: int) -> list[int]:
        """Returns the days before this one, and for the oldest ones days after it."""
        last = len(self.history)
        days = [*range(day + 1, last), *range(day - 1, -1, -1)]
        return days[:BASELINE_DAYS]

    def _is_as_extreme(self, sample: Sample, others: Sequence[Sample], p: float) -> bool:
        if not _is_notable(sample, pooled(others).rate * sample.exposure):
            return False
        return self._p_value(sample, others) <= p

    def _p_value(self, window: Sample, baseline: Sequence[Sample]) -> float:
        """Returns the probability of so many events or more, by the worse of two models."""
        if not window.exposure or not baseline:
            return 1.0
        rates, bursts = self._spread
        return max(_of_varying_rates(window, baseline, rates), _of_bursts(window, baseline, bursts))

    @cached_property
    def _spread(self) -> tuple[float, float]:
        """Estimates by moments how windows vary around the rates of their time of day.

        The first value is the variance of the windows' rates, in squares of their mean: what slow
        changes give. The second is the variance of counts beyond their mean, in units of the mean:
        what bursts give, each of about so many events.
        """
        excess = squares = expected = 0.0
        for same_hours in zip(*self.history, strict=True):
            samples = _exposed(same_hours)
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
        return rates, excess / expected if expected else 0.0


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


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns each p-value adjusted for the number of tests, in the same order."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
