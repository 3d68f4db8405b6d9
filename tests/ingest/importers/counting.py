"""The real sets counted straight from their files, by other code than the importers'."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

DATA = Path(__file__).parents[2] / "data"

Row = dict[str, str]


def csv_rows(name: str) -> Iterator[Row]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def govuk_updates() -> list[Row]:
    return list(csv_rows("deployments/govuk-image-tag-updates-2025H1"))


def govuk_rolled_back() -> Counter[str]:
    """Per environment: steps down to a tag that had run there before."""
    by_place: dict[tuple[str, str], list[str]] = defaultdict(list)
    rolled_back: Counter[str] = Counter()
    for row in govuk_updates():
        earlier, tag = by_place[row["app"], row["environment"]], row["image_tag"]
        numbers = [int(item[1:]) for item in earlier if re.fullmatch(r"v\d+", item)]
        if re.fullmatch(r"v\d+", tag) and numbers and int(tag[1:]) < numbers[-1] and tag in earlier:
            rolled_back[row["environment"]] += 1
        earlier.append(tag)
    return rolled_back


def devlake_statuses() -> Counter[tuple[str, str]]:
    """Per environment and status, with the bitbucket results as DevLake's own tests expect them."""
    counted: Counter[tuple[str, str]] = Counter()
    for row in csv_rows("devlake/github/snapshot_tables/cicd_deployment_commits"):
        counted["github-pages", "FAILED" if row["result"] == "FAILURE" else "SUCCEEDED"] += 1
    for row in csv_rows("devlake/github_graphql/snapshot_tables/cicd_deployments"):
        counted[row["environment"], row["result"].replace("SUCCESS", "SUCCEEDED")] += 1
    for data in bitbucket_rows():
        environment = data["environment"]["name"].lower()
        counted[environment, _BITBUCKET[data["state"]["name"]]] += 1
    return counted


def bitbucket_rows() -> list[dict[str, dict[str, str]]]:
    table = "devlake/bitbucket/raw_tables/_raw_bitbucket_api_deployments"
    return [orjson.loads(row["data"]) for row in csv_rows(table)]


def bitbucket_expected() -> Counter[str]:
    table = "devlake/bitbucket/snapshot_tables/cicd_deployments_for_deployment"
    return Counter(row["result"] for row in csv_rows(table))


def lrts_rows() -> list[Row]:
    files = sorted((DATA / "ci-builds").iterdir())
    return [row for file in files for row in csv_rows(f"ci-builds/{file.stem}")]


def lrts_builds() -> dict[tuple[str, str, str], Row]:
    """A row of each build."""
    return {(row["project"], row["pr_name"], row["build_id"]): row for row in lrts_rows()}


def lrts_statuses() -> Counter[tuple[str, str]]:
    """Builds per project and status."""
    return Counter(
        (row["project"], _JENKINS[row["build_result"]]) for row in lrts_builds().values()
    )


def lrts_phases() -> Counter[tuple[str, str, bool]]:
    """Stages per project and name, and whether a test class of theirs failed."""
    rows = lrts_rows()
    return Counter((row["project"], row["stage_id"], row["num_fail_class"] != "0") for row in rows)


def jobs() -> list[dict[str, Any]]:
    text = (DATA / "ci-jobs/treeherder-job_data-2013.jsonl").read_bytes()
    return [orjson.loads(line) for line in text.splitlines()]


def expected_jobs() -> dict[str, dict[str, Any]]:
    """What Treeherder's own tests expect of Taskcluster's tasks and messages."""
    document: dict[str, dict[str, Any]] = document_of("ci-jobs/taskcluster_transformed_jobs.json")
    return document


def functions() -> list[dict[str, Any]]:
    """The rows of all days, each with its `day`."""
    files = (DATA / "functions/lambda-perf").iterdir()
    return [
        row | {"day": file.stem}
        for file in files
        for row in orjson.loads(file.read_bytes())["runtimeData"]
    ]


def cold_starts() -> Counter[tuple[str, str]]:
    """Measured initialisations per day and function."""
    counted: Counter[tuple[str, str]] = Counter()
    for function in functions():
        counted[function["day"], function["r"]] += len(function["i"])
    return counted


def har_entries() -> list[dict[str, Any]]:
    files = sorted((DATA / "api-calls").glob("*.har"))
    documents = [document_of(f"api-calls/{file.name}") for file in files]
    return [entry for document in documents for entry in document["log"]["entries"]]


def apache_lines() -> list[tuple[str, int, int]]:
    """Method, status and bytes of each line, by splitting it at its quotation marks."""
    lines = (DATA / "http-logs/apache_logs").read_text().splitlines()
    parts = [line.split('"') for line in lines]
    ends = [(part[1].split()[0], *part[2].split()) for part in parts]
    return [(method, int(status), int(sent.replace("-", "0"))) for method, status, sent in ends]


def document_of(name: str) -> Any:
    return orjson.loads((DATA / name).read_bytes())


_JENKINS = {
    "SUCCESS": "SUCCEEDED",
    "FAILURE": "FAILED",
    "UNSTABLE": "FAILED",
    "ABORTED": "CANCELLED",
    "NOT_BUILT": "CANCELLED",
}

_BITBUCKET = {
    "COMPLETED": "SUCCEEDED",
    "SUCCESSFUL": "SUCCEEDED",
    "FAILED": "FAILED",
    "STOPPED": "CANCELLED",
    "CANCELLED": "CANCELLED",
    "IN_PROGRESS": "IN_PROGRESS",
    "ROLLED_BACK": "ROLLED_BACK",
    "UNDEPLOYED": "QUEUED",
    "PENDING": "QUEUED",
    "UNKNOWN": "QUEUED",
}
