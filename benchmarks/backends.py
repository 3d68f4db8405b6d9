"""Measures the memory of Postgres backends after many different questions over a year of data."""

import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import asyncpg

from analytics.measures import measures_of
from benchmarks.asking import Asked, Speed, asked
from benchmarks.effort import Effort
from benchmarks.measure import Times, private_memory_mb, timed
from benchmarks.population import ENVIRONMENTS, FRAMEWORKS, YEAR_DAYS
from benchmarks.questions import QUESTIONS, Draws, Question, Variables
from benchmarks.stage import Stage
from schema.names import constant_name
from storage.dimensions import PROJECT
from storage.facts import FACTS
from storage.facts.fact import Fact

# As many concurrent requests as the gateway has connections to Postgres.
AT_ONCE = 10
ALONE = 100
# One question in this many is one of the dashboard's six; the others are `metrics` of any fact.
_DASHBOARD_ONE_IN = 5
_KEPT_DAYS = str(YEAR_DAYS + 35)
KEEPS_A_YEAR = {
    "EVENT_RETENTION_DAYS": _KEPT_DAYS,
    "METRICS_RETENTION_DAYS": _KEPT_DAYS,
    "DAILY_RETENTION_DAYS": _KEPT_DAYS,
}

_METRICS = """
query Metrics($measures: [Measure!]!, $groupBy: [Dimension!], $filter: MetricFilter,
    $range: TimeRange, $interval: Interval, $zone: TimeZone!, $compare: Comparison) {
  metrics(measures: $measures, groupBy: $groupBy, filter: $filter, range: $range,
      interval: $interval, timeZone: $zone, compare: $compare) {
    groups { keys { name } }
    columns { measure totals values previousTotals }
  }
}"""


# The more groups, the fewer buckets fit into an answer.
_INTERVALS = {
    0: (None, "AUTO", "DAY", "WEEK", "MONTH"),
    1: (None, "WEEK", "MONTH"),
    2: (None,),
}


def _shape(draws: Draws, fact: Fact = FACTS["deployment"]) -> Variables:
    """Draws measures, groups, filters and an interval that together fit into an answer."""
    stem = constant_name(fact)
    measures = [f"{stem}_{measure.name}".upper() for measure in measures_of(fact.name)]
    dimensions = [each.name.upper() for each in (PROJECT, *fact.dimensions)]
    groups = draws.some(dimensions, 0, 2)
    return {
        "measures": draws.some(measures, 1, 5),
        "groupBy": groups,
        "filter": _filter(draws, fact),
        "range": draws.range(),
        "interval": draws.pick(*_INTERVALS[len(groups)]),
        "zone": draws.pick("UTC", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"),
        "compare": draws.pick(None, None, "PREVIOUS_PERIOD", "PREVIOUS_WEEK"),
    }


def _filter(draws: Draws, fact: Fact) -> Variables:
    choices = {
        "projects": [draws.project()],
        "environments": draws.some(ENVIRONMENTS, 1, 2),
        "networks": [draws.network()],
        "frameworks": draws.some(FRAMEWORKS, 1, 3),
    }
    allowed = {each.plural for each in (PROJECT, *fact.dimensions)}
    names = tuple(name for name in choices if name in allowed)
    return {name: choices[name] for name in draws.some(names, 0, 2)}


def _shape_of_any_fact(draws: Draws) -> Variables:
    return _shape(draws, draws.pick(*FACTS.values()))


METRICS = Question("metrics in many shapes", _METRICS, _shape)
OF_ANY_FACT = Question("metrics of any fact", _METRICS, _shape_of_any_fact)


@dataclass(frozen=True, slots=True)
class Backends:
    """Private memory of each backend, the number of partitions, and the times of `metrics`."""

    questions: int
    memory_mb: list[float]
    partitions: int
    alone: Times
    at_once: Speed

    @property
    def median_mb(self) -> float:
        return statistics.median(self.memory_mb)

    @property
    def most_mb(self) -> float:
        return max(self.memory_mb)


async def backends(year: Stage, effort: Effort) -> Backends:
    """Asks a gateway with a year of retention, then reads the memory of its backends."""
    with asked(year, **KEEPS_A_YEAR) as gateway:
        alone = await _ask_alone(gateway)
        at_once = await _ask_at_once(gateway, effort.questions)
        connection = await asyncpg.connect(year.url)
        pids = await connection.fetch(_PIDS)
        partitions = await connection.fetchval(_PARTITIONS)
        await connection.close()
        memory_mb = [private_memory_mb(row["pid"]) for row in pids]
    result = Backends(effort.questions, memory_mb, partitions, alone, at_once)
    print(f"backends: {result.median_mb:.0f} MB, at most {result.most_mb:.0f} MB", flush=True)
    return result


_PIDS = """
select pid from pg_stat_activity
where datname = current_database() and application_name = 'gateway'
"""
_PARTITIONS = "select count(*) from pg_class where relispartition and relkind = 'r'"


async def _ask_alone(gateway: Asked) -> Times:
    """Sends `metrics` questions one at a time."""
    asker = await gateway.connect()
    drawn = METRICS.asked("alone", gateway.stage.now, YEAR_DAYS)
    times = [await timed(asker.ask(METRICS, each)) for each in islice(drawn, ALONE)]
    await asker.close()
    return Times(times)


async def _ask_at_once(gateway: Asked, number: int) -> Speed:
    """Sends different questions over as many connections as the gateway has to Postgres."""
    left = islice(_questions(gateway.stage), number)
    usage = gateway.usage()
    began = asyncio.get_running_loop().time()

    async def ask() -> None:
        asker = await gateway.connect()
        for question, variables in left:
            await asker.ask(question, variables)
        await asker.close()

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    seconds = asyncio.get_running_loop().time() - began
    return Speed(number, seconds, gateway.usage() - usage)


def _questions(stage: Stage) -> Iterator[tuple[Question, Variables]]:
    draws = Draws("which question", stage.now)
    asked = {each: each.asked("year", stage.now, YEAR_DAYS) for each in (*QUESTIONS, OF_ANY_FACT)}
    while True:
        question = draws.pick(*QUESTIONS) if draws.chance(_DASHBOARD_ONE_IN) else OF_ANY_FACT
        yield question, next(asked[question])
