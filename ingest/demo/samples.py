"""The demo's samples: two hosts of a project, and what its users do, have and cost."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from math import cos, tau

from ingest.demo.cast import (
    ACTIONS,
    COST_SHARES,
    FEATURES,
    HOSTS,
    PLANS,
    PRODUCTION,
    RESOURCES,
)
from ingest.demo.plain import Timed, event
from ingest.demo.rhythm import moments
from ingest.demo.story import LEAKING_HOST, SAMPLED_PROJECT, Story

# Memory in use, in percent; and at the end of the leak.
QUIET, FULL = 46.0, 96.0
# A sample of each host's figures belongs to so many of the samples asked for.
_PER_MOMENT = 2 * len(HOSTS)


def samples(story: Story, count: int, rng: random.Random) -> Iterator[Timed]:
    """Yields about this many samples of hosts, and half as many of users; costs and plans daily."""
    yield from _of_hosts(story, count, rng)
    yield from _of_users(story, count // 2, rng)
    yield from _of_days(story, rng)


def _of_hosts(story: Story, count: int, rng: random.Random) -> Iterator[Timed]:
    every = story.samples.length / max(count // _PER_MOMENT, 1)
    at = story.samples.end - timedelta(minutes=1)
    while at in story.samples:
        for host in HOSTS:
            cpu, memory = _cpu(at, rng), _memory(host, at, story, rng)
            yield _sample("system_cpu_busy_percent", at, cpu, host=host)
            yield _sample("system_memory_usage_percent", at, memory, host=host)
        at -= every


def _of_users(story: Story, count: int, rng: random.Random) -> Iterator[Timed]:
    """What users do, and which features they use."""
    for number, at in enumerate(moments(story, story.samples, count, rng)):
        (plan,) = rng.choices(list(PLANS), list(PLANS.values()))
        if number % 2:
            (feature,) = rng.choices(list(FEATURES), list(FEATURES.values()))
            yield _sample("feature_usage", at, 1, feature=feature, user_type=plan)
        else:
            (action,) = rng.choices(list(ACTIONS), list(ACTIONS.values()))
            yield _sample("user_activity", at, 1, action=action, plan_type=plan)


def _of_days(story: Story, rng: random.Random) -> Iterator[Timed]:
    """The users of each plan, and what each plan's resources cost."""
    day = story.samples.start
    while day < story.samples.end:
        for plan, users in PLANS.items():
            grown = round(users * (1 + 0.01 * (day - story.samples.start).days))
            yield _sample("plan_users", day, grown, plan_type=plan)
        for resource, (plan, share) in product(RESOURCES, COST_SHARES.items()):
            spent = round(RESOURCES[resource] * share * rng.uniform(0.9, 1.1), 2)
            yield _sample("resource_cost_usd", day, spent, resource_type=resource, plan=plan)
        day += timedelta(days=1)


def _cpu(at: datetime, rng: random.Random) -> float:
    """Highest in the afternoon."""
    hour = at.hour + at.minute / 60
    return round(32 - 18 * cos(tau * (hour - 2) / 24) + rng.uniform(-6, 6), 2)


def _memory(host: str, at: datetime, story: Story, rng: random.Random) -> float:
    used = QUIET + rng.uniform(-3, 3)
    if host == LEAKING_HOST and at >= story.leaking_since:
        leaked = (at - story.leaking_since) / (story.samples.end - story.leaking_since)
        used += (FULL - QUIET) * leaked
    return round(min(used, 99.0), 2)


def _sample(metric: str, at: datetime, value: float, **labels: str) -> Timed:
    named = ",".join(labels.values())
    fields = {"project": SAMPLED_PROJECT, "environment": PRODUCTION, "metric": metric}
    return event(
        "metric.sample",
        f"{metric}-{named}-{at.isoformat()}",
        at,
        {**fields, "value": value, "labels": labels},
    )
