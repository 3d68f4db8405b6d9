"""Reads GitHub and Bitbucket deployments from the test data in DevLake's repository.

Three of its tables hold actual deployments. The others are copies of them, or CI pipelines that
count as deployments only by a test's name pattern. Docs: docs/import.md.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ingest.importers.events import Step, Steps, steps_part
from ingest.importers.facts import Events
from ingest.importers.files import BadRow, Row, json_object, moment, required

GITHUB = "devlake/github/snapshot_tables/cicd_deployment_commits.csv"
GITHUB_GRAPHQL = "devlake/github_graphql/raw_tables/_raw_github_graphql_deployment.csv"
BITBUCKET = "devlake/bitbucket/raw_tables/_raw_bitbucket_api_deployments.csv"
SOURCE = "devlake"

_GITHUB_FINISHES = {
    "ACTIVE": "succeeded",
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "ERROR": "failed",
}
_GITHUB_OPEN = {"IN_PROGRESS", "QUEUED", "PENDING", "WAITING"}
_GITHUB_STATUSES = _GITHUB_FINISHES | {"IN_PROGRESS": "started"}

# The deployment's last step by its state; None if it has not run, or may not have.
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


def _common(project: str, deployment: str, environment: Any, **told: Any) -> dict[str, Any]:
    return {
        "project": project,
        "deployment": deployment,
        "environment": required(environment, "environment"),
        "source": SOURCE,
        **told,
    }


def _github(row: Row) -> Steps:
    """Reads a deployment; the finish of an inactive one is unknown, so its creation stands in."""
    owner_and_name = row.text("repo_url").rstrip("/").split("/")[-2:]
    common = _common(
        "-".join(owner_and_name).lower(),
        row.text("id"),
        row.values["original_environment"],
        commit=row.values["commit_sha"],
        repository=row.text("repo_url"),
    )
    status = row.values["original_status"]
    if status == "INACTIVE":
        return common, [("succeeded", row.moment("created_date"))]
    steps = [("started", row.moment("started_date"))]
    if status in _GITHUB_FINISHES:
        finished_at = row.moment("finished_date")
        steps.append((_GITHUB_FINISHES[status], finished_at))
    elif status not in _GITHUB_OPEN:
        raise BadRow(f"original_status {status!r} is not known")
    return common, steps


def _github_graphql(row: Row) -> Steps:
    data = json_object(row.values["data"], "data")
    name = required(json_object(row.values["params"], "params")["Name"], "params.Name")
    common = _common(
        name.lower().replace("/", "-"),
        f"github:GithubDeployment:1:{required(data['Id'], 'data.Id')}",
        data["Environment"],
        commit=data["CommitOid"],
        repository=f"https://github.com/{name}",
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
    """The steps of a deployment that was collected without its statuses."""
    state = data["State"]
    if state == "INACTIVE":  # it succeeded, and was replaced at some later time
        return [("succeeded", created_at)]
    if state in _GITHUB_FINISHES:
        finished_at = moment(data["LatestStatus"]["updatedAt"], "LatestStatus.updatedAt")
        return [("started", created_at), (_GITHUB_FINISHES[state], finished_at)]
    if state not in _GITHUB_OPEN:
        raise BadRow(f"State {state!r} is not known")
    return [("started", created_at)] if state == "IN_PROGRESS" else []


def _bitbucket(row: Row) -> Steps:
    """Reads a deployment by its state; the times beside it may belong to an earlier state."""
    data = json_object(row.values["data"], "data")
    name = required(json_object(row.values["params"], "params")["FullName"], "params.FullName")
    common = _common(
        name.lower().replace("/", "-"),
        f"bitbucket:BitbucketDeployment:1:{required(data['uuid'], 'data.uuid')}",
        required(data["environment"]["name"], "environment.name").lower(),
        release=data["release"]["name"],
        commit=data["release"]["commit"]["hash"],
        repository=f"https://bitbucket.org/{name}",
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


DEVLAKE = Events(
    "devlake",
    "deployments on GitHub and Bitbucket that DevLake collected, 2023 to 2026",
    lambda: [
        steps_part("deployment", GITHUB, _github),
        steps_part("deployment", GITHUB_GRAPHQL, _github_graphql),
        steps_part("deployment", BITBUCKET, _bitbucket),
    ],
)
