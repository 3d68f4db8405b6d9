"""The events of DevLake's tables."""

import shutil
from collections import Counter
from pathlib import Path

from ingest.importers import devlake
from ingest.importers.events import ImportedEvent
from ingest.importers.files import Problem
from ingest.importers.totals import rows_by_fact
from storage.facts.lifecycle import Status
from tests.ingest.importers.counting import (
    DATA,
    bitbucket_expected,
    csv_rows,
    devlake_statuses,
    utc,
)

REPLACED = "devlake/github/snapshot_tables/cicd_deployment_commits"


def events_in(source: Path = DATA) -> list[ImportedEvent]:
    return [item for item in devlake.DEVLAKE.read(source) if isinstance(item, ImportedEvent)]


def statuses(events: list[ImportedEvent]) -> Counter[tuple[str, str]]:
    """The deployments of these events, by environment and status."""
    (rows,) = rows_by_fact(events).values()
    return Counter((row.names["environment"], row.status.upper()) for row in rows.values())


def test_statuses_are_those_counted_in_the_files() -> None:
    events = events_in()
    assert len(events) == 190
    assert statuses(events) == devlake_statuses()


def test_bitbucket_agrees_with_what_devlake_expects() -> None:
    """It has no word for cancelled, and none for rolled back."""
    events = [item for item in events_in() if item.fields["deployment"].startswith("bitbucket:")]
    ours: Counter[str] = Counter()
    for (_, status), count in statuses(events).items():
        ours[UPSTREAM[Status[status]]] += count
    assert ours == bitbucket_expected()


UPSTREAM = {
    Status.SUCCEEDED: "SUCCESS",
    Status.FAILED: "FAILURE",
    Status.CANCELLED: "FAILURE",
    Status.ROLLED_BACK: "",
    Status.IN_PROGRESS: "",
    Status.QUEUED: "",
}


def test_the_time_of_a_replacement_is_not_the_finish() -> None:
    replaced = {
        row["id"]: utc(row["created_date"])
        for row in csv_rows(REPLACED)
        if row["original_status"] == "INACTIVE"
    }
    events = [item for item in events_in() if item.fields["deployment"] in replaced]
    assert len(replaced) == len(events) == 95
    assert all(item.at == replaced[item.fields["deployment"]] for item in events)
    assert {item.fields["type"] for item in events} == {"deployment.succeeded"}


def test_projects_are_named_after_the_repositories() -> None:
    deployments = {(item.project, item.fields["deployment"]) for item in events_in()}
    projects = Counter(project for project, _ in deployments)
    assert projects == {"facebook-openbic": 107, "example-website": 27}


def test_bad_rows_are_reported_and_affect_no_other(tmp_path: Path) -> None:
    shutil.copytree(DATA / "devlake", tmp_path / "devlake")
    table = tmp_path / devlake.BITBUCKET
    table.chmod(0o644)
    lines = table.read_text().splitlines()
    lines[1:1] = [
        '1,"{""FullName"":""a/b""}","{""uuid"": ""x""}",now',
        '1,"{""FullName"":""a/b""}","not json",now',
        '1,"{""FullName"":""a/b""}","[1]",now',
    ]
    table.write_text("\n".join(lines) + "\n")
    found = list(devlake.DEVLAKE.read(tmp_path))
    problems = [(item.location, item.message) for item in found if isinstance(item, Problem)]
    assert [location for location, _ in problems] == [f"{table.name}:{line}" for line in (2, 3, 4)]
    assert problems[0][1] == "is not laid out as expected: KeyError('environment')"
    assert problems[1][1].startswith("data is not JSON")
    assert problems[2][1] == "data is not an object"
    assert len(found) == 190 + 3


def test_unknown_words_are_reported(tmp_path: Path) -> None:
    shutil.copytree(DATA / "devlake", tmp_path / "devlake")
    table = tmp_path / devlake.GITHUB
    table.chmod(0o644)
    table.write_text(table.read_text().replace(",ACTIVE,", ",SLEEPING,"))
    messages = {
        item.message for item in devlake.DEVLAKE.read(tmp_path) if isinstance(item, Problem)
    }
    assert messages == {"original_status 'SLEEPING' is not known"}
