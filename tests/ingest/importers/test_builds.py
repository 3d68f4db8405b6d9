"""The events of builds: LRTS, Treeherder and Taskcluster."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from ingest.importers.lrts import LRTS
from ingest.importers.treeherder import TASKCLUSTER, TREEHERDER
from tests.ingest.importers.counting import (
    DATA,
    expected_jobs,
    jobs,
    lrts_builds,
    lrts_phases,
    lrts_rows,
    lrts_statuses,
)
from tests.ingest.importers.reading import events_of, have_ids_of_their_own, problems_of

STAGE = {
    "project": "shop",
    "pr_name": "PR-1",
    "pr_base_branch": "main",
    "build_id": "2",
    "build_duration": "100.0",
    "build_timestamp": "1700000000.0",
    "build_result": "UNSTABLE",
    "build_head_sha": "abc",
    "stage_id": "unit",
    "stage_duration_by_method_sum": "60.5",
    "num_fail_class": "0",
}
STARTED_AT = datetime.fromtimestamp(1_700_000_000, UTC)


def written(folder: Path, *changes: dict[str, str]) -> Path:
    """A set of stages, each with some values changed."""
    rows = [",".join((STAGE | change).values()) for change in changes]
    path = folder / "shop-training_builds.csv"
    path.write_text("\n".join([",".join(STAGE), *rows]) + "\n")
    return folder


def test_builds_are_counted_once_though_they_stand_in_several_rows_and_files() -> None:
    events = events_of(LRTS, DATA)
    kinds = Counter(event.fields["type"] for event in events)
    assert kinds["build.started"] == len(lrts_builds()) == 104
    assert kinds["build.phase"] == len(lrts_rows()) == 240
    finishes = Counter(
        (event.project, event.fields["type"].removeprefix("build.").upper())
        for event in events
        if event.fields["type"] not in ("build.started", "build.phase")
    )
    assert finishes == lrts_statuses()
    assert have_ids_of_their_own(events)


def test_phases_are_those_counted_in_the_files() -> None:
    phases = [event for event in events_of(LRTS, DATA) if "phase" in event.fields]
    assert lrts_phases() == Counter(
        (event.project, event.fields["phase"], event.fields["status"] == "failed")
        for event in phases
    )
    total_s = sum(event.fields["durationMs"] for event in phases) / 1000
    assert round(total_s) == round(
        sum(float(row["stage_duration_by_method_sum"]) for row in lrts_rows())
    )


def test_build_has_its_branch_commit_and_duration(tmp_path: Path) -> None:
    started, finished, phase = events_of(LRTS, written(tmp_path, {}))
    common = {"source": "lrts", "project": "shop", "build": "PR-1/2"}
    given = common | {"branch": "main", "commit": "abc"}
    assert started.fields == given | {"id": "PR-1/2:started", "type": "build.started"}
    assert finished.fields == given | {
        "id": "PR-1/2:failed",
        "type": "build.failed",
        "durationMs": 100_000,
    }
    assert phase.fields == common | {
        "id": "PR-1/2:phase:unit",
        "type": "build.phase",
        "phase": "unit",
        "status": "succeeded",
        "durationMs": 60_500.0,
    }
    assert (started.at, finished.at) == (STARTED_AT, STARTED_AT + timedelta(seconds=100))
    assert phase.at == STARTED_AT + timedelta(seconds=60.5)


def test_phase_does_not_end_after_its_build(tmp_path: Path) -> None:
    """Workers run side by side, so that the tests of a stage may last longer than its build."""
    *_, phase = events_of(LRTS, written(tmp_path, {"stage_duration_by_method_sum": "5000"}))
    assert phase.fields["durationMs"] == 5_000_000
    assert phase.at == STARTED_AT + timedelta(seconds=100)


def test_bad_stages_are_reported_and_the_build_comes_with_the_first_good_one(
    tmp_path: Path,
) -> None:
    source = written(
        tmp_path,
        {"stage_duration_by_method_sum": "long"},
        {"build_result": "ODD"},
        {"build_duration": "-1"},
        {},
        {},
        {"stage_id": "slow", "num_fail_class": "3"},
    )
    name = "shop-training_builds.csv"
    assert problems_of(LRTS, source) == {
        f"{name}:2": "stage_duration_by_method_sum is not a number",
        f"{name}:3": "build_result 'ODD' is not known",
        f"{name}:4": "build_duration is not a number from 0 up",
        f"{name}:6": "stage unit of build PR-1/2 is in the files twice",
    }
    ids = [event.fields["id"].removeprefix("PR-1/2:") for event in events_of(LRTS, source)]
    assert ids == ["started", "failed", "phase:unit", "phase:slow"]


def test_jobs_have_the_times_of_the_file() -> None:
    events = events_of(TREEHERDER, DATA)
    times = {
        (event.fields["build"], event.fields["type"]): int(event.at.timestamp()) for event in events
    }
    expected = {
        (job["job_guid"], f"build.{kind}"): job[f"{name}_timestamp"]
        for job in (line["job"] for line in jobs())
        for kind, name in (("queued", "submit"), ("started", "start"), ("succeeded", "end"))
    }
    assert times == expected
    assert {event.project for event in events} == {"mozilla-central"}
    assert have_ids_of_their_own(events)


def test_tasks_are_those_that_upstream_expects() -> None:
    """Treeherder's own result, for the same messages, to the second."""
    found: dict[str, dict[str, object]] = {}
    for event in events_of(TASKCLUSTER, DATA):
        build = found.setdefault(event.fields["build"], {"revision": event.fields["commit"]})
        build["name"] = event.fields["attributes"]["name"]
        build[event.fields["type"].removeprefix("build.")] = int(event.at.timestamp())
    expected = {
        f"{task}/{line['job']['taskcluster_retry_id']}": {
            "revision": line["revision"],
            "name": line["job"]["name"],
            **{
                kind: line["job"][name]
                for kind, name in (
                    ("queued", "submit_timestamp"),
                    ("started", "start_timestamp"),
                    ("succeeded", "end_timestamp"),
                )
                if name in line["job"]
            },
        }
        for task, line in expected_jobs().items()
    }
    assert found == expected


def test_jobs_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    job = {"job_guid": "a", "name": "n", "state": "completed", "result": "odd"}
    times = {"submit_timestamp": 1384353546, "start_timestamp": 1384353553}
    lines = [{"project": "p", "revision": "r", "job": job | times}, {"project": "p"}]
    path = tmp_path / "treeherder-job_data-2013.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(line) for line in lines))
    problems = problems_of(TREEHERDER, tmp_path)
    assert list(problems) == [f"{path.name}:1", f"{path.name}:2"]
    assert all("laid out" in message for message in problems.values())


def test_stopped_and_broken_runs_are_told_apart(tmp_path: Path) -> None:
    time = "2026-01-01T00:00:00Z"
    route = "tc-treeherder.v2.try.abc.1"
    task = {"created": time, "metadata": {"name": "n"}, "routes": ["other.x", route]}
    tasks, messages = {}, {}
    for reason, state in (("canceled", "exception"), ("worker-shutdown", "exception")):
        run = {"started": time, "resolved": time, "state": state, "reasonResolved": reason}
        tasks[reason] = task
        messages[reason] = {"payload": {"runId": 0, "status": {"runs": [run]}}}
    tasks["unrouted"] = task | {"routes": []}
    messages["unrouted"] = messages["canceled"]
    (tmp_path / "taskcluster_tasks.json").write_bytes(orjson.dumps(tasks))
    (tmp_path / "taskcluster_pulse_messages.json").write_bytes(orjson.dumps(messages))
    finishes = {
        event.fields["build"]: event.fields["type"] for event in events_of(TASKCLUSTER, tmp_path)
    }
    assert finishes == {"canceled/0": "build.cancelled", "worker-shutdown/0": "build.failed"}
    assert list(problems_of(TASKCLUSTER, tmp_path)) == ["taskcluster_pulse_messages.json:3"]
