"""CI jobs of Mozilla: Treeherder's of 2013, and Taskcluster's of 2019. Docs: docs/import.md.

Taskcluster's come in two files: what each task is, and the last message about its runs.
"""

from typing import Any

from ingest.importers.events import ImportedEvent, Steps, steps_part
from ingest.importers.facts import Events
from ingest.importers.files import Part, Row, document_rows, moment, slug_of

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
_ROUTES = "tc-treeherder."


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


class _Runs:
    """Reads the runs of messages, after the tasks that they are about."""

    def __init__(self) -> None:
        self._tasks: dict[str, dict[str, Any]] = {}

    def task(self, row: Row) -> list[ImportedEvent]:
        """Notes a task, which is no event by itself."""
        self._tasks[row.text("id")] = row.values
        return []

    def run(self, row: Row) -> Steps:
        """Like upstream, a run counts as queued since its task's creation."""
        task, message = self._tasks[row.text("id")], row.values["payload"]
        number = message["runId"]
        run, build = message["status"]["runs"][number], f"{row.text('id')}/{number}"
        routes = [route.split(".") for route in task["routes"] if route.startswith(_ROUTES)]
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


def _taskcluster() -> list[Part[ImportedEvent]]:
    runs, by_id = _Runs(), document_rows(_with_ids)
    return [
        Part("ci-jobs/taskcluster_tasks.json", runs.task, by_id),
        steps_part("build", "ci-jobs/taskcluster_pulse_messages.json", runs.run, by_id),
    ]


TREEHERDER = Events(
    "treeherder",
    "builds and tests of Firefox, 13 November 2013",
    lambda: [steps_part("build", "ci-jobs/treeherder-job_data-2013.jsonl", _job)],
)
TASKCLUSTER = Events("taskcluster", "builds and tests of Firefox, 26 June 2019", _taskcluster)
