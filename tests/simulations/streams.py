"""Streams of events in which nothing has been planted, to measure how often tests cry wolf."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, exp, pi

from analytics.significance import History, Sample

HALF_HOURS = 48
# The largest mean for which a Poisson number is drawn exactly.
_EXACT_MEAN = 60

Rate = Callable[[int], float]
Draw = Callable[[random.Random, Rate, int], list[int]]


@dataclass(frozen=True, slots=True)
class Stream:
    """Events by the half hour: their mean per hour, how they come, and the daily rhythm.

    ``depth`` is how far the rate rises and falls over a day, as a share of its mean.
    """

    name: str
    draw: Draw
    per_hour: float
    depth: float = 0.8

    def __str__(self) -> str:
        return f"{self.name}, {self.per_hour:g} an hour"

    def counts(self, chance: random.Random, half_hours: int) -> list[int]:
        def rate(half_hour: int) -> float:
            daily = 1 + self.depth * cos(2 * pi * half_hour / HALF_HOURS)
            return self.per_hour / 2 * daily

        return self.draw(chance, rate, half_hours)


def poisson_number(chance: random.Random, mean: float) -> int:
    """Draws a number of independent events."""
    if mean > _EXACT_MEAN:
        return max(0, round(chance.gauss(mean, mean**0.5)))
    limit, product, number = exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        number += 1
    return number


def poisson(chance: random.Random, rate: Rate, half_hours: int) -> list[int]:
    """Draws independent events."""
    return [poisson_number(chance, rate(at)) for at in range(half_hours)]


def varying(shape: float) -> Draw:
    """Makes streams whose rate changes every hour by a gamma distribution of this shape."""

    def draw(chance: random.Random, rate: Rate, half_hours: int) -> list[int]:
        found = []
        for at in range(half_hours):
            if at % 2 == 0:
                factor = chance.gammavariate(shape, 1 / shape)
            found.append(poisson_number(chance, rate(at) * factor))
        return found

    return draw


def self_exciting(share: float, minutes: float = 10) -> Draw:
    """Makes streams in which this share of the events is set off by others, soon after them."""

    def draw(chance: random.Random, rate: Rate, half_hours: int) -> list[int]:
        found = [0] * half_hours
        waiting = [
            at + chance.random()
            for at in range(half_hours)
            for _ in range(poisson_number(chance, rate(at) * (1 - share)))
        ]
        while waiting:
            at = waiting.pop()
            if at < half_hours:
                found[int(at)] += 1
                for _ in range(poisson_number(chance, share)):
                    waiting.append(at + chance.expovariate(30 / minutes))
        return found

    return draw


def incidents(size: float) -> Draw:
    """Makes streams of rare incidents, each of about so many events at once."""

    def draw(chance: random.Random, rate: Rate, half_hours: int) -> list[int]:
        return [
            sum(
                poisson_number(chance, chance.expovariate(1 / size))
                for _ in range(poisson_number(chance, rate(at) / size))
            )
            for at in range(half_hours)
        ]

    return draw


STEADY = tuple(Stream("independent", poisson, per_hour) for per_hour in (0.1, 2, 50, 1_000))
BURSTY = (
    Stream("rate varies by 100 %", varying(1), 2),
    Stream("rate varies by 100 %", varying(1), 1_000),
    Stream("rate varies by 220 %", varying(0.2), 50),
    Stream("self-exciting, 50 %", self_exciting(0.5), 0.1),
    Stream("self-exciting, 50 %", self_exciting(0.5), 10),
    Stream("self-exciting, 90 %", self_exciting(0.9), 2),
    Stream("self-exciting, 90 %", self_exciting(0.9), 20),
    Stream("incidents of 40", incidents(40), 0.2),
    Stream("incidents of 40", incidents(40), 5),
    Stream("incidents of 40", incidents(40), 50),
)


def history_and_window(stream: Stream, days: int, seed: int) -> tuple[History, Sample]:
    """Draws a history of days, and a window of half an hour at a random hour after it."""
    chance = random.Random(f"{stream}-{days}-{seed}")
    hour = chance.randrange(24)
    counts = stream.counts(chance, HALF_HOURS * days + 2 * hour + 1)
    history = in_days(counts[2 * hour : -1], [0.5] * HALF_HOURS * days)
    return history, Sample(counts[-1], 0.5)


def day_and_history(stream: Stream, days: int, seed: int) -> tuple[Sequence[Sample], History]:
    """Draws the hours of a day, and those of the days before it."""
    counts = stream.counts(random.Random(f"{stream}-{seed}"), HALF_HOURS * (days + 1))
    day, *before = in_days(counts, [0.5] * len(counts))
    return day, before


def in_days(counts: Sequence[int], exposures: Sequence[float]) -> History:
    """Returns events by the half hour as the hours of each day, the newest day first."""
    hours = [
        Sample(sum(counts[at : at + 2]), sum(exposures[at : at + 2]))
        for at in range(0, len(counts), 2)
    ]
    return [hours[at : at + 24] for at in range(len(hours) - 24, -1, -24)]
