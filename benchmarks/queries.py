"""The dashboard's questions: each as a GraphQL document and as the plainest SQL that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson


@dataclass(frozen=True, slots=True)
class Question:
    """A document with its variables, and the statements that are its floor.

    Computed anew it is to take at most the floor's time by a factor, and some milliseconds.
    """

    name: str
    document: str
    variables: Mapping[str, Any]
    floor: tuple[tuple[str, tuple[Any, ...]], ...]
    goal_factor: float = 2.0
    goal_allowance_ms: float = 1.0
    goal_per_cpu_second: float | None = None


def body_of(question: Question) -> bytes:
    return orjson.dumps({"query": question.document, "variables": question.variables})


_SUMS = "sum(attempts), sum(succeeded), sum(failed), sum(cancelled), sum(rolled_back)"
_FINISHES = "sum(finishes), sum(timed), sum(duration_us)"
_TOTAL = "environment_id = -1 and network_id = -1 and template_id = -1 and framework_id = -1"
_NOT_TOTAL = "environment_id >= 0"

_DAILY = """
query Daily($range: TimeRange) {
  network(name: "metis") {
    deploymentStats(range: $range) {
      series(interval: DAY) { start attempts succeeded failed rolledBack successRate }
    }
  }
}"""

_SPLIT = """
query Split($range: TimeRange) {
  deploymentStats(range: $range) {
    attempts
    byNetwork { name attempts share succeeded failed successRate }
    freshness { asOf source complete }
  }
}"""

_ADOPTION = """
query Adoption($range: TimeRange) {
  network(name: "metis") {
    templateUsage(range: $range, first: null) { slug usage successes successRate adoptionRate }
  }
}"""

_OVERVIEW = """
query Overview($range: TimeRange) {
  project(slug: "project-1") {
    name
    deploymentStats(range: $range) {
      attempts succeeded failed successRate averageDurationMs frequencyPerDay
      series(interval: DAY) { start attempts failed }
      byEnvironment { name attempts successRate }
    }
    latestDeployments(first: 10) { id status createdAt durationMs }
  }
}"""

_ACTIVE = """
query Active($range: TimeRange) {
  deploymentStats(range: $range) { activeProjects }
}"""

_LIST = """
query Latest {
  deployments(first: 50) {
    edges {
      node {
        id externalId status createdAt startedAt finishedAt durationMs actor
        project { id slug name }
        template { id slug name }
        statusEvents(first: 3) { id type status occurredAt durationMs }
      }
    }
  }
}"""


async def questions(
    connection: asyncpg.Connection, start: datetime, end: datetime
) -> list[Question]:
    """All questions over [start, end), which are whole UTC days."""
    project = await connection.fetchval("select project_id from projects where slug = 'project-1'")
    network = await connection.fetchval("select network_id from networks where name = 'metis'")
    between = {"range": {"between": {"start": start.isoformat(), "end": end.isoformat()}}}
    span = (start, end)
    in_range = "bucket >= $1 and bucket < $2"
    return [
        Question(
            "daily stats of a network",
            _DAILY,
            between,
            (
                (
                    f"select bucket, {_SUMS} from deployment_platform_day where {in_range}"
                    f" and {_NOT_TOTAL} and network_id = $3 group by bucket",
                    (*span, network),
                ),
            ),
        ),
        Question(
            "network split",
            _SPLIT,
            between,
            (
                (
                    f"select network_id, {_SUMS} from deployment_platform_day"
                    f" where {in_range} and {_NOT_TOTAL} group by network_id",
                    span,
                ),
            ),
        ),
        Question(
            "template adoption of a network",
            _ADOPTION,
            between,
            (
                (
                    f"select template_id, {_SUMS} from deployment_platform_day where {in_range}"
                    f" and {_NOT_TOTAL} and network_id = $3 group by template_id",
                    (*span, network),
                ),
            ),
        ),
        Question("project overview", _OVERVIEW, between, _overview_floor(project, start, end)),
        Question(
            "active projects",
            _ACTIVE,
            between,
            (
                (
                    "select count(distinct project_id) from deployment_presence_day"
                    f" where {in_range} and attempts > 0",
                    span,
                ),
            ),
        ),
        Question(
            "list of 50 with project, template, 3 events",
            _LIST,
            {},
            _list_floor(),
            goal_factor=1.0,
            goal_allowance_ms=2.0,
            goal_per_cpu_second=700,
        ),
    ]


def _overview_floor(
    project: int, start: datetime, end: datetime
) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    table = "deployment_project_day where project_id = $3 and bucket >= $1 and bucket < $2"
    span = (start, end, project)
    return (
        (f"select bucket, {_SUMS}, {_FINISHES} from {table} group by bucket", span),
        (f"select environment_id, {_SUMS}, {_FINISHES} from {table} group by 1", span),
        (
            "select * from deployments where project_id = $1 order by created_at desc limit 10",
            (project,),
        ),
    )


def _list_floor() -> tuple[tuple[str, tuple[Any, ...]], ...]:
    newest = "select * from deployments order by created_at desc limit 50"
    return (
        (newest, ()),
        (
            f"with page as ({newest}) select event.* from page cross join lateral (select * from"
            " deployment_events where project_id = page.project_id"
            " and deployment_id = page.deployment_id order by occurred_at desc limit 3) as event",
            (),
        ),
        ("select * from projects where project_id = any($1)", ([*range(1, 31)],)),
        (
            "select * from templates where slug = any($1)",
            ([f"template-{n}" for n in range(1, 31)],),
        ),
    )
