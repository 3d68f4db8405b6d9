"""DevLake's deployments: GitHub's and Bitbucket's, from the tables its tests ship with.

Three tables hold deployments that happened; the others are copies of them, or pipelines that only
a test's pattern calls deployments. Docs: docs/import.md.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from ingest.importers.files import Row, csv_rows, locate
from ingest.importers.records import BadRow, ImportedEvent, Problem, moment, required

GITHUB = "devlake/github/snapshot_tables/cicd_deployment_commits.csv"
GITHUB_GRAPHQL = "devlake/github_graphql/raw_tables/_raw_github_graphql_deployment.csv"
BITBUCKET = "devlake/bitbucket/raw_tables/_raw_bitbucket_api_deployments.csv"
SOURCE = "devlake"

Step = tuple[str, datetime]

_GITHUB_FINISHES = {
    "ACTIVE": "succeeded",
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "ERROR": "failed",
}
_GITHUB_OPEN = {"IN_PROGRESS", "QUEUED", "PENDING", "WAITING"}
_GITHUB_STATUSES = {"IN_PROGRESS": "started", "SUCCESS": "succeeded"} | {
    "FAILURE": "failed",
    "ERROR": "failed",
}

# How far a deployment came; None is not run yet, or not known to have.
_BITBUCKET_ENDS: dict[str, str | None] = {
    "COMPLETED": "succeeded",
    "SUCCESSFUL": "succeeded",
    "FAILED": "failed",
    "STOPPED": "cancelled",
    "CANCELLED": "cancelled",
    "ROLLED_BACK": "rolled_back",
    "IN_PROGRESS": "started",
    "PENDING": None,
    "UNDEPLOYED": None,
    "UNKNOWN": None,
}


def read(source: Path) -> Iterator[ImportedEvent | Problem]:
    """The events of the three tables."""
    tables = ((GITHUB, _github), (GITHUB_GRAPHQL, _github_graphql), (BITBUCKET, _bitbucket))
    paths = [(locate(source, table), tell) for table, tell in tables]
    for path, tell in paths:
        for row in csv_rows(path):
            yield from (row,) if isinstance(row, Problem) else _told(row, tell)


Tell = Callable[[Mapping[str, Any]], tuple[dict[str, Any], list[Step]]]


def _told(row: Row, tell: Tell) -> Iterator[ImportedEvent | Problem]:
    """All events of the row, or what is wrong with it."""
    try:
        common, steps = tell(row.values)
    except BadRow as bad:
        yield Problem(row.place, str(bad))
        return
    except (KeyError, TypeError, AttributeError) as error:
        yield Problem(row.place, f"lacks {error}" if isinstance(error, KeyError) else str(error))
        return
    for kind, at in steps:
        named = {"id": f"{common['deployment']}:{kind}", "type": f"deployment.{kind}"}
        yield ImportedEvent(row.place, at, named | common)


def _common(project: str, deployment: str, environment: Any, **attributes: Any) -> dict[str, Any]:
    return {
        "project": project,
        "deployment": deployment,
        "environment": required(environment, "environment"),
        "source": SOURCE,
        "attributes": attributes,
    }


def _github(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Step]]:
    """A deployment whose end is the time it was replaced, if it was replaced."""
    owner_and_name = required(row["repo_url"], "repo_url").rstrip("/").split("/")[-2:]
    common = _common(
        "-".join(owner_and_name).lower(),
        required(row["id"], "id"),
        row["original_environment"],
        commit=row["commit_sha"],
    )
    status = row["original_status"]
    if status == "INACTIVE":
        return common, [("succeeded", moment(row["created_date"], "created_date"))]
    steps = [("started", moment(row["started_date"], "started_date"))]
    if status in _GITHUB_FINISHES:
        finished_at = moment(row["finished_date"], "finished_date")
        steps.append((_GITHUB_FINISHES[status], finished_at))
    elif status not in _GITHUB_OPEN:
        raise BadRow(f"original_status {status!r} is not known")
    return common, steps


def _github_graphql(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Step]]:
    data = _json(row, "data")
    name = required(_json(row, "params")["Name"], "params.Name")
    common = _common(
        name.lower().replace("/", "-"),
        f"github:GithubDeployment:1:{required(data['Id'], 'data.Id')}",
        data["Environment"],
        commit=data["CommitOid"],
    )
    created_at = moment(data["CreatedAt"], "data.CreatedAt")
    nodes = data.get("Statuses", {}).get("nodes") or []
    steps = [
        (_GITHUB_STATUSES[node["state"]], moment(node["updatedAt"], "updatedAt"))
        for node in reversed(nodes)
        if node["state"] in _GITHUB_STATUSES
    ]
    if not nodes:
        steps = _steps_of_state(data, created_at)
    return common, [("queued", created_at), *steps]


def _steps_of_state(data: Mapping[str, Any], created_at: datetime) -> list[Step]:
    """What is known of a deployment whose statuses were not asked for."""
    state = data["State"]
    if state == "INACTIVE":  # a success that was replaced, at a time that says nothing about it
        return [("succeeded", created_at)]
    if state in _GITHUB_FINISHES:
        finished_at = moment(data["LatestStatus"]["updatedAt"], "LatestStatus.updatedAt")
        return [("started", created_at), (_GITHUB_FINISHES[state], finished_at)]
    if state not in _GITHUB_OPEN:
        raise BadRow(f"State {state!r} is not known")
    return [("started", created_at)] if state == "IN_PROGRESS" else []


def _bitbucket(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Step]]:
    """The status word decides; the times beside it may be those of an earlier state."""
    data = _json(row, "data")
    name = required(_json(row, "params")["FullName"], "params.FullName")
    common = _common(
        name.lower().replace("/", "-"),
        f"bitbucket:BitbucketDeployment:1:{required(data['uuid'], 'data.uuid')}",
        required(data["environment"]["name"], "environment.name").lower(),
        release=data["release"]["name"],
    )
    state, steps = data["state"], [("queued", moment(data["release"]["created_on"], "created_on"))]
    if state["name"] not in _BITBUCKET_ENDS:
        raise BadRow(f"state {state['name']!r} is not known")
    end = _BITBUCKET_ENDS[state["name"]]
    if end is not None:
        steps.append(("started", moment(state["started_on"], "state.started_on")))
    if end not in (None, "started"):
        steps.append((end, moment(state["completed_on"], "state.completed_on")))
    return common, steps


def _json(row: Mapping[str, Any], column: str) -> dict[str, Any]:
    try:
        values = orjson.loads(row[column].encode(errors="surrogateescape"))
    except orjson.JSONDecodeError as error:
        raise BadRow(f"{column} is not JSON: {error}") from None
    if not isinstance(values, dict):
        raise BadRow(f"{column} is not an object")
    return values
