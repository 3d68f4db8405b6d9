"""The six questions in PostGraphile's GraphQL, and the facts on which both answers must agree."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchmarks.questions import ACTIVE, ADOPTION, DAILY, LIST, OVERVIEW, SPLIT, Question, Variables
from storage.facts import FACTS

Data = Any
_TIMING = FACTS["deployment"].timing
assert _TIMING is not None
# Our percentile comes from a histogram, our average from whole microseconds.
_TOLERANCES = {"p95": _TIMING.histogram.relative_error, "average": 1e-6}


@dataclass(frozen=True, slots=True)
class Facts:
    """The figures of an answer: those that must be equal, and those that must be close."""

    exact: Any
    close: Mapping[str, float | None] = field(default_factory=dict)

    def agree_with(self, other: "Facts") -> bool:
        return self.exact == other.exact and all(
            _close(value, other.close[name], _TOLERANCES[name])
            for name, value in self.close.items()
        )


def _close(one: float | None, other: float | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=tolerance)


@dataclass(frozen=True, slots=True)
class PeerQuestion:
    """A question as PostGraphile's document; `ids` are the ids of projects by slug."""

    question: Question
    document: str
    translate: Callable[[Variables, Mapping[str, int]], Variables]
    ours: Callable[[Data], Facts]
    theirs: Callable[[Data], Facts]
    goal: float


_GROUPS = """
query Groups($filter: DeploymentFilter) {
  allDeployments(filter: $filter) {
    groupedAggregates(groupBy: [%s]) { keys sum { attempts succeeded failed rolledBack } }
  }
}"""

_OVERVIEW = """
query Overview($project: String!, $created: DeploymentFilter, $finished: DeploymentFilter) {
  projectBySlug(slug: $project) {
    name
    created: deploymentsByProjectId(filter: $created) {
      aggregates { sum { attempts succeeded failed } }
      byDay: groupedAggregates(groupBy: [CREATED_AT_TRUNCATED_TO_DAY]) {
        keys sum { attempts failed }
      }
      byEnvironment: groupedAggregates(groupBy: [ENVIRONMENT]) { keys sum { attempts succeeded } }
    }
    finished: deploymentsByProjectId(filter: $finished) {
      aggregates { sum { attempts } average { durationUs } p95 { durationUs } }
    }
    latest: deploymentsByProjectId(first: 10, orderBy: [CREATED_AT_DESC]) {
      nodes { id status createdAt durationUs }
    }
  }
}"""

_ACTIVE = """
query Active($filter: DeploymentFilter) {
  allDeployments(filter: $filter) { aggregates { distinctCount { projectId } } }
}"""

_LIST = """
query Latest($filter: DeploymentFilter) {
  allDeployments(filter: $filter, first: 50, orderBy: [CREATED_AT_DESC]) {
    edges {
      node {
        id deploymentId externalId status createdAt startedAt finishedAt durationUs actor
        projectByProjectId { id slug name }
        templateByTemplate { id slug name }
        deploymentEventsByProjectIdAndDeploymentId(first: 3, orderBy: [OCCURRED_AT_DESC]) {
          nodes { id type occurredAt durationUs }
        }
      }
    }
  }
}"""


def _during(variables: Variables, column: str = "createdAt") -> Variables:
    span = variables["range"]["between"]
    return {column: {"greaterThanOrEqualTo": span["start"], "lessThan": span["end"]}}


def _of_network(variables: Variables, _ids: Mapping[str, int]) -> Variables:
    return {"filter": {"network": {"equalTo": variables["network"]}, **_during(variables)}}


def _filtered(variables: Variables, _ids: Mapping[str, int]) -> Variables:
    given = variables["filter"] or {}
    names = {"environments": "environment", "networks": "network"}
    rest = {names[name]: {"in": values} for name, values in given.items()}
    return {"filter": {**_during(variables), **rest}}


def _of_project(variables: Variables, _ids: Mapping[str, int]) -> Variables:
    finished = _during(variables, "finishedAt")
    return {
        "project": variables["project"],
        "created": _during(variables),
        "finished": finished,
    }


def _page(variables: Variables, ids: Mapping[str, int]) -> Variables:
    given = dict(variables["filter"] or {})
    slugs = given.pop("projects", None)
    filter = _filtered({**variables, "filter": given}, ids)["filter"]
    if slugs:
        filter["projectId"] = {"in": [str(ids[slug]) for slug in slugs]}
    return {"filter": filter}


def _our_days(data: Data) -> Facts:
    points = data["network"]["deploymentStats"]["series"]
    names = ("attempts", "succeeded", "failed", "rolledBack")
    return Facts(
        {_day(each["start"]): [each[name] for name in names] for each in points if each["attempts"]}
    )


def _our_networks(data: Data) -> Facts:
    groups = data["deploymentStats"]["byNetwork"]
    names = ("attempts", "succeeded", "failed")
    return Facts({each["name"]: [each[name] for name in names] for each in groups})


def _our_templates(data: Data) -> Facts:
    groups = data["network"]["deploymentStats"]["byTemplate"]
    return Facts({each["name"]: [each["attempts"], each["succeeded"]] for each in groups})


def _our_overview(data: Data) -> Facts:
    project = data["project"]
    stats = project["deploymentStats"]
    exact = {
        "totals": [stats[name] for name in ("attempts", "succeeded", "failed")],
        "days": {
            _day(each["start"]): [each["attempts"], each["failed"]]
            for each in stats["series"]
            if each["attempts"]
        },
        "environments": {each["name"]: each["attempts"] for each in stats["byEnvironment"]},
        "latest": [_moment(each["createdAt"]) for each in project["latestDeployments"]],
    }
    return Facts(exact, {"average": stats["averageDurationMs"], "p95": stats["durationP95Ms"]})


def _our_page(data: Data) -> Facts:
    nodes = [edge["node"] for edge in data["deployments"]["edges"]]
    return Facts(
        [
            (
                each["deploymentId"],
                each["project"]["slug"],
                each["template"]["slug"],
                [_moment(event["occurredAt"]) for event in each["statusEvents"]],
            )
            for each in nodes
        ]
    )


def _groups(rows: list[Data], *names: str) -> dict[str, list[int]]:
    return {each["keys"][0]: [int(each["sum"][name]) for name in names] for each in rows}


def _their_groups(*names: str) -> Callable[[Data], Facts]:
    return lambda data: Facts(_groups(data["allDeployments"]["groupedAggregates"], *names))


def _their_days(data: Data) -> Facts:
    rows = data["allDeployments"]["groupedAggregates"]
    groups = _groups(rows, "attempts", "succeeded", "failed", "rolledBack")
    return Facts({_day(key): values for key, values in groups.items()})


def _their_overview(data: Data) -> Facts:
    project = data["projectBySlug"]
    created, finished = project["created"], project["finished"]["aggregates"]
    sums = created["aggregates"]["sum"]
    exact = {
        "totals": [int(sums[name]) for name in ("attempts", "succeeded", "failed")],
        "days": {
            _day(key): values
            for key, values in _groups(created["byDay"], "attempts", "failed").items()
        },
        "environments": {
            key: values[0] for key, values in _groups(created["byEnvironment"], "attempts").items()
        },
        "latest": [_moment(each["createdAt"]) for each in project["latest"]["nodes"]],
    }
    average, p95 = finished["average"]["durationUs"], finished["p95"]["durationUs"]
    return Facts(exact, {"average": _milliseconds(average), "p95": _milliseconds(p95)})


def _their_page(data: Data) -> Facts:
    nodes = [edge["node"] for edge in data["allDeployments"]["edges"]]
    events = "deploymentEventsByProjectIdAndDeploymentId"
    return Facts(
        [
            (
                each["deploymentId"],
                each["projectByProjectId"]["slug"],
                each["templateByTemplate"]["slug"],
                [_moment(event["occurredAt"]) for event in each[events]["nodes"]],
            )
            for each in nodes
        ]
    )


def _our_projects(data: Data) -> Facts:
    return Facts(data["deploymentStats"]["activeProjects"])


def _their_projects(data: Data) -> Facts:
    return Facts(int(data["allDeployments"]["aggregates"]["distinctCount"]["projectId"]))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _day(text: str) -> str:
    return text[:10]


def _milliseconds(microseconds: str | None) -> float | None:
    return None if microseconds is None else float(microseconds) / 1_000


_BY_DAY = _GROUPS % "CREATED_AT_TRUNCATED_TO_DAY"
_AGGREGATES, _ROWS = 5.0, 1.3

PEER_QUESTIONS = (
    PeerQuestion(DAILY, _BY_DAY, _of_network, _our_days, _their_days, _AGGREGATES),
    PeerQuestion(
        SPLIT,
        _GROUPS % "NETWORK",
        _filtered,
        _our_networks,
        _their_groups("attempts", "succeeded", "failed"),
        _AGGREGATES,
    ),
    PeerQuestion(
        ADOPTION,
        _GROUPS % "TEMPLATE",
        _of_network,
        _our_templates,
        _their_groups("attempts", "succeeded"),
        _AGGREGATES,
    ),
    PeerQuestion(OVERVIEW, _OVERVIEW, _of_project, _our_overview, _their_overview, _ROWS),
    PeerQuestion(ACTIVE, _ACTIVE, _filtered, _our_projects, _their_projects, _AGGREGATES),
    PeerQuestion(LIST, _LIST, _page, _our_page, _their_page, _ROWS),
)
