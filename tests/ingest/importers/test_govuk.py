"""The events of GOV.UK's two files."""

from collections import Counter
from pathlib import Path

from ingest.importers import govuk
from ingest.importers.events import ImportedEvent
from ingest.importers.files import Problem
from tests.ingest.importers.counting import DATA, csv_rows, govuk_rolled_back, govuk_updates, utc

UPDATES = ["commit,committed_at,app,environment,image_tag"]
MERGES = ["merge_commit,merged_commit,merged_at,app,environment,image_tag"]


def written(folder: Path, *deployments: str) -> Path:
    """A set of one application: each deployment is 'commit tag', a minute after the one before."""
    updates, merges = list(UPDATES), list(MERGES)
    for minute, deployment in enumerate(deployments):
        commit, tag = deployment.split()
        updates.append(f"{commit},2025-04-01T10:{minute:02}:00+00:00,shop,production,{tag}")
        merges.append(f"m,{commit},2025-04-01T11:{minute:02}:05+01:00,shop,production,{tag}")
    return folder_of(folder, updates, merges)


def folder_of(folder: Path, updates: list[str], merges: list[str]) -> Path:
    for name, lines in ((govuk.UPDATES, updates), (govuk.MERGES, merges)):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n")
    return folder


def events_in(source: Path) -> list[ImportedEvent]:
    return [item for item in govuk.GOVUK.read(source) if isinstance(item, ImportedEvent)]


def rollbacks(source: Path) -> list[tuple[str, str]]:
    events = (
        item.fields for item in events_in(source) if item.fields["type"].endswith("rolled_back")
    )
    return [(event["deployment"], event["toDeployment"]) for event in events]


def test_each_update_is_queued_and_succeeds_when_merged() -> None:
    events = events_in(DATA)
    kinds = Counter(item.fields["type"] for item in events)
    deployments = len(govuk_updates())
    assert kinds["deployment.queued"] == kinds["deployment.succeeded"] == deployments == 329
    assert len({item.fields["id"] for item in events}) == len(events)
    merged = {row["merged_commit"]: utc(row["merged_at"]) for row in csv_rows(MERGES_NAME)}
    finished = {
        item.fields["deployment"]: item.at
        for item in events
        if item.fields["type"] == "deployment.succeeded"
    }
    assert finished == merged


MERGES_NAME = "deployments/govuk-image-tag-merges-2025H1"


def test_no_event_says_how_long_it_took() -> None:
    assert not any({"durationMs"} & item.fields.keys() for item in events_in(DATA))
    assert not any(item.fields["type"] == "deployment.started" for item in events_in(DATA))


def test_rollbacks_are_those_counted_in_the_file() -> None:
    kinds = Counter(
        item.fields["environment"] for item in events_in(DATA) if "toDeployment" in item.fields
    )
    assert kinds == govuk_rolled_back() == {"production": 8, "staging": 4}


def test_going_back_to_what_ran_before_undoes_the_deployment_between(tmp_path: Path) -> None:
    assert rollbacks(written(tmp_path, "a v1", "b v2", "c v1")) == [("b", "c")]


def test_promotion_overtaken_by_another_is_no_rollback(tmp_path: Path) -> None:
    assert rollbacks(written(tmp_path, "a v1", "b v3", "c v2")) == []


def test_tags_without_a_number_have_no_order(tmp_path: Path) -> None:
    source = written(tmp_path, "a v1", "b main", "c v2", "d v2-on-pg", "e v1")
    assert rollbacks(source) == [("c", "e")]


def test_unmerged_update_stays_open(tmp_path: Path) -> None:
    updates = [*UPDATES, "a,2025-04-01T10:00:00+00:00,shop,production,v1"]
    events = events_in(folder_of(tmp_path, updates, MERGES))
    assert [item.fields["type"] for item in events] == ["deployment.queued"]


def test_offset_of_the_merge_is_understood(tmp_path: Path) -> None:
    queued, succeeded = events_in(written(tmp_path, "a v1"))
    assert (succeeded.at - queued.at).total_seconds() == 5


def test_bad_rows_are_reported_with_their_line_and_affect_no_other(tmp_path: Path) -> None:
    updates = [
        *UPDATES,
        "a,yesterday,shop,production,v1",
        "b,2025-04-01T10:00:00+00:00,,production,v1",
        "c,2025-04-01T10:00:00+00:00,shop,production,v1",
        "c,2025-04-01T10:00:00+00:00,shop,production,v2",
    ]
    merges = [*MERGES, "m,c,2025-04-01T10:00:02,shop,production,v1"]
    found = list(govuk.GOVUK.read(folder_of(tmp_path, updates, merges)))
    problems = {item.location: item.message for item in found if isinstance(item, Problem)}
    assert problems == {
        "govuk-image-tag-merges-2025H1.csv:2": "merged_at has no zone; end it with Z or an offset"
        " such as +02:00",
        "govuk-image-tag-updates-2025H1.csv:2": "committed_at is not an RFC 3339 time such as"
        " 2026-11-20T09:30:00Z",
        "govuk-image-tag-updates-2025H1.csv:3": "app is missing",
        "govuk-image-tag-updates-2025H1.csv:5": "commit c is in the file twice",
    }
    assert [item.fields["id"] for item in found if isinstance(item, ImportedEvent)] == ["c:queued"]
