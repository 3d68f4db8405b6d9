"""The rhythm of a growing platform: busy office hours, quiet weekends, twice as much at the end."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from ingest.demo.story import DAYS, Period, Story

_WEEKEND = 0.3
_HOURS = (2, 1, 1, 1, 1, 2, 4, 9, 15, 20, 22, 20, 15, 19, 23, 23, 20, 15, 10, 7, 6, 5, 4, 3)


def moments(story: Story, period: Period, count: int, rng: random.Random) -> Iterator[datetime]:
    """Yields about this many random moments of a period that begins at midnight."""
    days = [period.start + timedelta(days=number) for number in range(period.length.days + 1)]
    weights = [_day_weight(story, day) for day in days]
    for day in rng.choices(days, weights, k=count):
        (hour,) = rng.choices(range(24), _HOURS)
        at = day + timedelta(hours=hour, seconds=rng.uniform(0, 3600))
        if at in period:
            yield at


def evenly(period: Period, count: int, rng: random.Random) -> Iterator[datetime]:
    """Yields this many random moments of a period, each as likely as any other."""
    for _ in range(count):
        yield period.start + period.length * rng.random()


def _day_weight(story: Story, day: datetime) -> float:
    growth = (day - story.whole.start) / timedelta(days=DAYS)
    return (1 + growth) * (_WEEKEND if day.weekday() >= 5 else 1)
