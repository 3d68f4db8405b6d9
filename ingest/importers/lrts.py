"""LRTS: Jenkins builds of pull requests to nine Apache projects, and their test stages.

Each row is a stage; the columns of its build are the same in all rows of the build, which may
stand in both files of a project. Docs: docs/import.md.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ingest.importers.events import ImportedEvent
from ingest.importers.facts import Events
from ingest.importers.files import BadRow, Part, Row, moment

SOURCE = "lrts"

_FINISHES = {
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "UNSTABLE": "failed",
    "ABORTED": "cancelled",
    "NOT_BUILT": "cancelled",
}


class _Builds:
    """Turns stages into events; a build's own events come with its first stage."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, ...]] = set()

    def events(self, row: Row) -> list[ImportedEvent]:
        key = (row.slug("project"), f"{row.text('pr_name')}/{row.text('build_id')}")
        stage = (*key, row.text("stage_id"))
        if stage in self._seen:
            raise BadRow(f"stage {stage[-1]} of build {key[-1]} is in the files twice")
        events = [_phase(row, *stage)]
        if key not in self._seen:
            events = [*_build(row, *key), *events]
        self._seen |= {key, stage}
        return events


def _build(row: Row, project: str, build: str) -> Iterator[ImportedEvent]:
    result, duration_s = row.text("build_result"), row.number("build_duration")
    if result not in _FINISHES:
        raise BadRow(f"build_result {result!r} is not known")
    common = {"branch": row.text("pr_base_branch"), "commit": row.text("build_head_sha")}
    started_at, finish = _started_at(row), _FINISHES[result]
    yield _event(row, started_at, project, build, "started", common)
    yield _event(
        row,
        started_at + timedelta(seconds=duration_s),
        project,
        build,
        finish,
        common | {"durationMs": round(duration_s * 1000)},
    )


def _phase(row: Row, project: str, build: str, stage: str) -> ImportedEvent:
    """The stage as a phase of its build.

    Its start is not recorded, so it is taken to start with the build and not to outlast it.
    `ts_duration` is the same in all stages of a build; the sum over a suite's methods counts the
    suite as often as it has methods, so only the sum of the methods' own durations is left.
    """
    duration_s = row.number("stage_duration_by_method_sum")
    lasted = timedelta(seconds=min(duration_s, row.number("build_duration")))
    fields = {
        "id": f"{build}:phase:{stage}",
        "phase": stage,
        "status": "failed" if row.number("num_fail_class") else "succeeded",
        "durationMs": round(duration_s * 1000, 3),
    }
    return _event(row, _started_at(row) + lasted, project, build, "phase", fields)


def _started_at(row: Row) -> datetime:
    return moment(int(row.number("build_timestamp")), "build_timestamp")


def _event(
    row: Row, at: datetime, project: str, build: str, kind: str, fields: dict[str, Any]
) -> ImportedEvent:
    common = {"id": f"{build}:{kind}", "type": f"build.{kind}", "source": SOURCE}
    return ImportedEvent(row.location, at, common | {"project": project, "build": build} | fields)


LRTS = Events(
    "lrts",
    "builds of nine Apache projects and their test stages, 2020 to 2023",
    lambda: [Part("ci-builds/*_builds.csv", _Builds().events)],
)
