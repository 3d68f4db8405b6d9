"""Measures ticks of the alerts' evaluator, with ten thousand rules over a thousand projects."""

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import process_time

from alerts.evaluator import TICK_SECONDS, Evaluator, Report
from alerts.leader import Leader
from alerts.rules import (
    DAY_SECONDS,
    HOUR_SECONDS,
    MINUTE_SECONDS,
    Absence,
    Baseline,
    Change,
    Operator,
    Threshold,
    Watch,
)
from benchmarks.alert_rules import Given, store
from benchmarks.effort import Effort
from benchmarks.measure import Times
from benchmarks.population import ENVIRONMENTS, NETWORKS, PROJECTS, pairs, places
from benchmarks.stage import Stage
from storage.connections.database import Database
from storage.keeping.windows import DEFAULT


def _above(bound: float) -> Threshold:
    return Threshold(Operator.ABOVE, bound)


def watches(rank: int) -> Iterator[Watch]:
    """The rules of the project of this rank; the names in filters are some that it uses."""
    network, function = pairs(rank)[0].network, places(rank)[0].function
    hour, five_minutes = HOUR_SECONDS, 5 * MINUTE_SECONDS
    production = {"environment": (ENVIRONMENTS[0],)}
    rate, errors = "deployments.failure_rate", "invocations.error_rate"
    yield Watch(rate, hour, _above(0.1))
    yield Watch("deployments.failure_rate_of_finishes", five_minutes, _above(0.2), for_seconds=300)
    yield Watch(rate, hour, _above(0.1), filter={"network": (network,)})
    yield Watch(rate, hour, _above(0.1), group_by=("environment",))
    yield Watch("deployments.duration_p95_ms", hour, _above(600_000.0))
    yield Watch("deployments.attempts", DAY_SECONDS, Absence())
    yield Watch("deployments.finishes", hour, Change(Operator.ABOVE, 2.0, Baseline.WEEK_EARLIER))
    yield Watch(errors, five_minutes, _above(0.05), filter=production)
    yield Watch(errors, hour, _above(0.05), filter={"function": (function,)})
    yield Watch("invocations.average_duration_ms", hour, _above(5_000.0), group_by=("function",))


def platform_watches() -> Iterator[Watch]:
    """The rules of the platform."""
    for network in NETWORKS:
        of_network = {"network": (network,)}
        yield Watch("deployments.failure_rate", HOUR_SECONDS, _above(0.2), filter=of_network)
    yield Watch("deployments.failure_rate", HOUR_SECONDS, _above(0.2), group_by=("network",))
    yield Watch("deployments.active_projects", DAY_SECONDS, Threshold(Operator.BELOW, 1.0))


@dataclass(frozen=True, slots=True)
class Ticks:
    """What ticks took: the first one after a start, and the later ones."""

    rules: int
    first: Report
    later: list[Report]
    cpu_seconds: float  # of the worker, for a later tick
    memory_mb: float

    @property
    def times(self) -> Times:
        return Times([1_000 * report.seconds for report in self.later])


async def alerts(stage: Stage, effort: Effort) -> Ticks:
    """Stores the rules, and evaluates them tick after tick."""
    rules = await store(stage.url, list(_rules()))
    database = await Database.open(stage.url, pool_size=4)
    # The newest events are an hour old: the windows that end then are full.
    now = stage.now - timedelta(hours=1)
    leader = Leader(database, "benchmark")

    def clock() -> datetime:
        return now

    evaluator = Evaluator(database, DEFAULT, leader, clock)
    reports = []
    used = 0.0
    for number in range(effort.rounds + 1):
        fence = await leader.renew()
        assert fence is not None
        began = process_time()
        reports.append(await evaluator.tick(fence))
        used += process_time() - began if number else 0.0
        now += timedelta(seconds=TICK_SECONDS)
        print(f"alerts: a tick took {reports[-1].seconds:.2f} s", flush=True)
    await leader.resign()
    await database.close()
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Ticks(rules, reports[0], reports[1:], used / effort.rounds, memory_mb)


def _rules() -> Iterator[Given]:
    for rank in range(1, PROJECTS + 1):
        for number, watch in enumerate(watches(rank)):
            yield rank, f"rule {number}", watch, ()
    for number, watch in enumerate(platform_watches()):
        yield None, f"rule {number}", watch, ()
