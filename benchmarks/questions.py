"""The dashboard's six questions as GraphQL documents, and seeded variables to ask them with."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from benchmarks.population import DAYS, ENVIRONMENTS, NETWORKS, PROJECT_SLUGS, PROJECT_WEIGHTS

Variables = dict[str, Any]

# One range in this many has not ended yet.
_OPEN_ONE_IN = 4
_SHORTEST_DAYS, _LONGEST_DAYS = 7, 45
# Earlier than any event, for a page of what was before some minute.
_LONG_BEFORE = timedelta(days=120)


def is_closed(variables: Variables, now: datetime) -> bool:
    """Whether the requested range is over, so that its answer can be cached for long."""
    span = variables.get("range")
    return span is None or datetime.fromisoformat(span["between"]["end"]) < now


class Draws:
    """A seeded sequence of choices: equal seeds draw the same."""

    def __init__(self, seed: str, now: datetime, days: int = DAYS) -> None:
        self._random, self._now, self._days = random.Random(seed), now, days

    def project(self) -> str:
        """A project's slug; projects with more deployments are drawn more often."""
        return self._random.choices(PROJECT_SLUGS, PROJECT_WEIGHTS)[0]

    def network(self) -> str:
        return self._random.choice(NETWORKS)

    def environment(self) -> str:
        return self._random.choice(ENVIRONMENTS)

    def chance(self, one_in: int) -> bool:
        return self._random.randrange(one_in) == 0

    def moment(self, oldest: timedelta, newest: timedelta) -> datetime:
        """A whole minute between two ages."""
        age = self._random.uniform(newest.total_seconds(), oldest.total_seconds())
        return (self._now - timedelta(seconds=age)).replace(second=0, microsecond=0)

    def range(self, days: int | None = None) -> Variables:
        """One to six weeks, or about so many days, that begin and end at any minute of events that
        are still kept."""
        if self.chance(_OPEN_ONE_IN):
            return self.open_range(days)
        return self.range_that_ended(timedelta(hours=2), days=days)

    def range_that_ended(
        self, newest: timedelta, oldest: timedelta | None = None, days: int | None = None
    ) -> Variables:
        """A range that ended between the two ages ago."""
        length = self._length(days)
        oldest = timedelta(days=self._days - 1) - length if oldest is None else oldest
        return between(self.moment(oldest, newest), length)

    def open_range(self, days: int | None = None) -> Variables:
        """A range that ends a few hours from now."""
        return between(self.moment(-timedelta(hours=8), -timedelta(hours=9)), self._length(days))

    def _length(self, days: int | None) -> timedelta:
        shortest, longest = (_SHORTEST_DAYS, _LONGEST_DAYS) if days is None else (days, days + 1)
        return timedelta(minutes=self._random.randint(shortest * 1_440, longest * 1_440))

    def pick(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def some(self, choices: Sequence[str], least: int, most: int) -> list[str]:
        """Draws `least` to `most` different items, in any order."""
        return self._random.sample(choices, self._random.randint(least, most))


def between(end: datetime, length: timedelta) -> Variables:
    return {"between": {"start": (end - length).isoformat(), "end": end.isoformat()}}


@dataclass(frozen=True, slots=True)
class Goal:
    """The most time a question may take with caches off, and the least rate of one processor."""

    floor_factor: float = 2.0
    allowance_ms: float = 1.0
    median_ms: float | None = None
    p95_ms: float | None = None
    per_cpu_second: float | None = None

    def milliseconds(self, floor_ms: float) -> float:
        bound = self.floor_factor * floor_ms + self.allowance_ms
        return bound if self.median_ms is None else min(bound, self.median_ms)


@dataclass(frozen=True, slots=True)
class Question:
    """A document, and how its variables are drawn."""

    name: str
    document: str
    draw: Callable[[Draws], Variables]
    goal: Goal = Goal()

    def asked(self, seed: str, now: datetime, days: int = DAYS) -> Iterator[Variables]:
        """Endless variables about the last `days`; in practice no two are equal."""
        draws = Draws(f"{self.name} {seed}", now, days)
        while True:
            yield self.draw(draws)

    def body(self, variables: Variables) -> bytes:
        return orjson.dumps({"query": self.document, "variables": variables})


_DAILY = """
query Daily($network: String!, $range: TimeRange) {
  network(name: $network) {
    deploymentStats(range: $range) {
      series(interval: DAY) { start attempts succeeded failed rolledBack successRate }
    }
  }
}"""

_SPLIT = """
query Split($filter: DeploymentFilter, $range: TimeRange) {
  deploymentStats(filter: $filter, range: $range) {
    attempts
    byNetwork { name attempts share succeeded failed successRate }
    freshness { asOf source complete }
  }
}"""

_ADOPTION = """
query Adoption($network: String!, $range: TimeRange) {
  network(name: $network) {
    deploymentStats(range: $range) {
      byTemplate(first: 100) { name attempts succeeded successRate share }
    }
  }
}"""

_OVERVIEW = """
query Overview($project: String!, $range: TimeRange) {
  project(slug: $project) {
    name
    deploymentStats(range: $range) {
      attempts succeeded failed successRate averageDurationMs durationP95Ms frequencyPerDay
      series(interval: DAY) { start attempts failed }
      byEnvironment { name attempts successRate }
    }
    latestDeployments(first: 10) { id status createdAt durationMs }
  }
}"""

_ACTIVE = """
query Active($filter: DeploymentFilter, $range: TimeRange) {
  deploymentStats(filter: $filter, range: $range) { activeProjects }
}"""

_LIST = """
query Latest($filter: DeploymentFilter, $range: TimeRange) {
  deployments(filter: $filter, range: $range, first: 50) {
    edges {
      node {
        id deploymentId externalId status createdAt startedAt finishedAt durationMs actor
        project { id slug name }
        template { id slug name }
        statusEvents(first: 3) { id type status occurredAt durationMs }
      }
    }
  }
}"""


def _of_network(draws: Draws) -> Variables:
    return {"network": draws.network(), "range": draws.range()}


def _of_environment(draws: Draws) -> Variables:
    filter = {"environments": [draws.environment()]} if draws.chance(3) else None
    return {"filter": filter, "range": draws.range()}


def _of_project(draws: Draws) -> Variables:
    return {"project": draws.project(), "range": draws.range()}


def _of_any_network(draws: Draws) -> Variables:
    filter = {"networks": [draws.network()]} if draws.chance(3) else None
    return {"filter": filter, "range": draws.range()}


def _page(draws: Draws) -> Variables:
    """A page of deployments before some minute, half of the time of one project or name only."""
    kind = draws.pick("any", "any", "any", "project", "environment", "network")
    span = between(draws.moment(timedelta(days=30), timedelta(hours=1)), _LONG_BEFORE)
    match kind:
        case "project":
            return {"filter": {"projects": [draws.project()]}, "range": span}
        case "environment":
            return {"filter": {"environments": [draws.environment()]}, "range": span}
        case "network":
            return {"filter": {"networks": [draws.network()]}, "range": span}
    return {"filter": None, "range": span}


DAILY = Question("daily stats of a network", _DAILY, _of_network)
SPLIT = Question("network split", _SPLIT, _of_environment)
ADOPTION = Question("template adoption of a network", _ADOPTION, _of_network)
OVERVIEW = Question(
    "project overview with p95", _OVERVIEW, _of_project, Goal(median_ms=6.0, p95_ms=15.0)
)
ACTIVE = Question("active projects", _ACTIVE, _of_any_network)
LIST = Question(
    "list of 50 with project, template, 3 events",
    _LIST,
    _page,
    Goal(median_ms=3.0, per_cpu_second=700),
)
QUESTIONS = (DAILY, SPLIT, ADOPTION, OVERVIEW, ACTIVE, LIST)
