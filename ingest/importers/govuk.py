"""GOV.UK's deployments: which image each application ran, as its bot wrote it down.

One file holds the changes of image tags, the other when each change was merged, which is the moment
the roll-out began. How long a roll-out took and whether it failed is not recorded, so durations
stay unknown and failures absent. Docs: docs/import.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.importers.files import Row, csv_rows, locate
from ingest.importers.records import BadRow, FileLocation, ImportedEvent, Problem, moment, required

UPDATES = "deployments/govuk-image-tag-updates-2025H1.csv"
MERGES = "deployments/govuk-image-tag-merges-2025H1.csv"
SOURCE = "govuk-helm-charts"

_NUMBERED = re.compile(r"v(\d{1,18})", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class _Update:
    place: FileLocation
    commit: str
    committed_at: datetime
    app: str
    environment: str
    tag: str


@dataclass(slots=True)
class _Course:
    """What ran in one environment of one application so far."""

    tags: set[str] = field(default_factory=set)
    newest: tuple[int, str] | None = None

    def undone_by(self, update: _Update) -> str | None:
        """Take the next deployment; the one before, if this one goes back behind it.

        A lower number alone proves nothing: promotions overtake each other. Going back means that
        the tag has run here before. Tags that are not numbered have no order.
        """
        undone = None
        if match := _NUMBERED(update.tag):
            number = int(match[1])
            if self.newest and number < self.newest[0] and update.tag in self.tags:
                undone = self.newest[1]
            self.newest = (number, update.commit)
        self.tags.add(update.tag)
        return undone


def read(source: Path) -> Iterator[ImportedEvent | Problem]:
    """The events of both files, in the order of the changes."""
    merged: dict[str, datetime] = {}
    for row in csv_rows(locate(source, MERGES)):
        problem = row if isinstance(row, Problem) else _take_merge(row, merged)
        if problem:
            yield problem
    seen: set[str] = set()
    courses: dict[tuple[str, str], _Course] = {}
    for row in csv_rows(locate(source, UPDATES)):
        if isinstance(row, Problem):
            yield row
            continue
        try:
            update = _update(row, seen)
        except BadRow as bad:
            yield Problem(row.place, str(bad))
            continue
        course = courses.setdefault((update.app, update.environment), _Course())
        yield from _events(update, merged.get(update.commit), course.undone_by(update))


def _take_merge(row: Row, merged: dict[str, datetime]) -> Problem | None:
    try:
        commit = required(row.values.get("merged_commit"), "merged_commit")
        merged[commit] = moment(row.values.get("merged_at"), "merged_at")
    except BadRow as bad:
        return Problem(row.place, str(bad))
    return None


def _update(row: Row, seen: set[str]) -> _Update:
    names = ("commit", "app", "environment", "image_tag")
    commit, app, environment, tag = (required(row.values.get(name), name) for name in names)
    committed_at = moment(row.values.get("committed_at"), "committed_at")
    if commit in seen:
        raise BadRow(f"commit {commit} is in the file twice")
    seen.add(commit)
    return _Update(row.place, commit, committed_at, app, environment, tag)


def _events(
    update: _Update, merged_at: datetime | None, undone: str | None
) -> Iterator[ImportedEvent]:
    """Queued; without a merge nothing more is proven."""
    yield _told(update, update.committed_at, "queued")
    if merged_at is None:
        return
    yield _told(update, merged_at, "succeeded")
    if undone is not None:
        rollback = _told(update, merged_at, "rolled_back")
        rollback.fields.update(deployment=undone, toDeployment=update.commit)
        del rollback.fields["attributes"]
        yield rollback


def _told(update: _Update, at: datetime, kind: str) -> ImportedEvent:
    fields: dict[str, Any] = {
        "id": f"{update.commit}:{kind}",
        "type": f"deployment.{kind}",
        "project": update.app,
        "deployment": update.commit,
        "environment": update.environment,
        "source": SOURCE,
        "attributes": {"imageTag": update.tag},
    }
    return ImportedEvent(update.place, at, fields)
