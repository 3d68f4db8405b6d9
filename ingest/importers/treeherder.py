"""CI jobs of Mozilla: Treeherder's of 2013, and Taskcluster's of 2019. Docs: docs/import.md.

Taskcluster's come in two files: what each task is, and the last message about its runs.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ingest.importers.events import ImportedEvent, Steps, step_events
from ingest.importers.files import (
    Problem,
    Row,
    document_rows,
    moment,
    read_rows,
    slug_of,
)

JOBS = "ci-jobs/treeherder-job_data-2013.jsonl"
TASKS = "ci-jobs/taskcluster_tasks.json"
MESSAGES = "ci-jobs/taskcluster_pulse_messages.json"

_JOB_FINISHES = {
    "success": "succeeded",
    "testfailed": "failed",
    "busted": "failed",
    "exception": "failed",
    "usercancel": "cancelled",
    "superseded": "cancelled",
}
_RUN_FINISHES = {"completed": "succeeded", "failed": "failed", "exception": "failed"}
_CANCELLED = {"canceled", "superseded"}  # reasons of an exception


def read_jobs(source: Path) -> Iterator[ImportedEvent | Problem]:
    """Yields what is known of each of Treeherder's jobs: queued, started, finished."""
    yield from read_rows(source, JOBS, step_events("build", _job))


def read_tasks(source: Path) -> Iterator[ImportedEvent | Problem]:
    """Yields the same of each of Taskcluster's runs."""
    tasks: dict[str, dict[str, Any]] = {}
    for task in read_rows(source, TASKS, lambda row: [row], document_rows(_with_ids)):
        if isinstance(task, Problem):
            yield task
        else:
            tasks[task.text("id")] = task.values
    runs = step_events("build", partial(_run, tasks))
    yield from read_rows(source, MESSAGES, runs, document_rows(_with_ids))


def _with_ids(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [values | {"id": key} for key, values in document.items()]


def _job(row: Row) -> Steps:
    job = row.values["job"]
    common = _common(row.slug("project"), job["job_guid"], row.text("revision"), job["name"])
    steps = [("queued", moment(job["submit_timestamp"], "submit_timestamp"))]
    if job["state"] != "pending":
        steps.append(("started", moment(job["start_timestamp"], "start_timestamp")))
    if job["state"] == "completed":
        finish = _JOB_FINISHES[job["result"]]
        steps.append((finish, moment(job["end_timestamp"], "end_timestamp")))
    return common, steps


def _run(tasks: Mapping[str, dict[str, Any]], row: Row) -> Steps:
    """Reads the run of a message; like upstream, it counts as queued since its task's creation."""
    task, message = tasks[row.text("id")], row.values["payload"]
    number = message["runId"]
    run, build = message["status"]["runs"][number], f"{row.text('id')}/{number}"
    routes = [route.split(".") for route in task["routes"] if route.startswith("tc-treeherder.")]
    project, commit = slug_of(routes[0][2], "project"), routes[0][3]
    steps = [("queued", moment(task["created"], "created"))]
    if "started" in run:
        steps.append(("started", moment(run["started"], "started")))
    if "resolved" in run:
        cancelled = run["reasonResolved"] in _CANCELLED
        finish = "cancelled" if cancelled else _RUN_FINISHES[run["state"]]
        steps.append((finish, moment(run["resolved"], "resolved")))
    return _common(project, build, commit, task["metadata"]["name"]), steps


def _common(project: str, build: str, commit: str, name: str) -> dict[str, Any]:
    return {
        "project": project,
        "build": build,
        "commit": commit,
        "source": "treeherder",
        "attributes": {"name": name},
    }
