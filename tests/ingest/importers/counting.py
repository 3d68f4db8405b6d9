"""The real sets counted straight from their files, by other code than the importers'."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

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
