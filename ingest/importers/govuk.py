"""GOV.UK's deployments: the image tags that its bot set for each application.

One file holds the changes of image tags, the other the time of each change's merge, which started
the roll-out. Neither holds durations or failures, so these stay unknown. Docs: docs/import.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.importers.files import csv_rows, locate, read_rows
from ingest.importers.records import (
    BadRow,
    FileLocation,
    ImportedEvent,
    Problem,
    Row,
    moment,
    required,
)

UPDATES = "deployments/govuk-image-tag-updates-2025H1.csv"
MERGES = "deployments/govuk-image-tag-merges-2025H1.csv"
SOURCE = "govuk-helm-charts"

_NUMBERED = re.compile(r"v(\d{1,18})", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class _Update:
    location: FileLocation
    commit: str
    committed_at: datetime
    app: str
    environment: str
    tag: str


@dataclass(slots=True)
class _History:
    """The tags that have run in one environment of one application."""

    tags: set[str] = field(default_factory=set)
    newest: tuple[int, str] | None = None

    def add(self, update: _Update) -> str | None:
        """Adds a deployment; returns the commit of the one before if this one rolls it back.

        A lower number alone proves nothing, because promotions overtake each other: a rollback is
        a lower number that has run here before. Tags without a number have no order.
        """
        rolled_back = None
        if match := _NUMBERED(update.tag):
            number = int(match[1])
            if self.newest and number < self.newest[0] and update.tag in self.tags:
                rolled_back = self.newest[1]
            self.newest = (number, update.commit)
        self.tags.add(update.tag)
        return rolled_back


def read(source: Path) -> Iterator[ImportedEvent | Problem]:
    """Yields the events of both files, in the order of the changes."""
    merged: dict[str, datetime] = {}
    for merge in read_rows(csv_rows(locate(source, MERGES)), _merges):
        if isinstance(merge, Problem):
            yield merge
        else:
            merged.update([merge])
    seen: set[str] = set()
    histories: dict[tuple[str, str], _History] = {}

    def events(row: Row) -> Iterator[ImportedEvent]:
        update = _update(row, seen)
        history = histories.setdefault((update.app, update.environment), _History())
        return _events(update, merged.get(update.commit), history.add(update))

    yield from read_rows(csv_rows(locate(source, UPDATES)), events)


def _merges(row: Row) -> list[tuple[str, datetime]]:
    commit = required(row.values.get("merged_commit"), "merged_commit")
    return [(commit, moment(row.values.get("merged_at"), "merged_at"))]


def _update(row: Row, seen: set[str]) -> _Update:
    names = ("commit", "app", "environment", "image_tag")
    commit, app, environment, tag = (required(row.values.get(name), name) for name in names)
    committed_at = moment(row.values.get("committed_at"), "committed_at")
    if commit in seen:
        raise BadRow(f"commit {commit} is in the file twice")
    seen.add(commit)
    return _Update(row.location, commit, committed_at, app, environment, tag)


def _events(
    update: _Update, merged_at: datetime | None, rolled_back: str | None
) -> Iterator[ImportedEvent]:
    """Yields `queued`, and once it is merged `succeeded` and the rollback of the one before."""
    yield _event(update, update.committed_at, "queued")
    if merged_at is None:
        return
    yield _event(update, merged_at, "succeeded")
    if rolled_back is not None:
        rollback = _event(update, merged_at, "rolled_back")
        rollback.fields.update(deployment=rolled_back, toDeployment=update.commit)
        del rollback.fields["attributes"]
        yield rollback


def _event(update: _Update, at: datetime, kind: str) -> ImportedEvent:
    fields: dict[str, Any] = {
        "id": f"{update.commit}:{kind}",
        "type": f"deployment.{kind}",
        "project": update.app,
        "deployment": update.commit,
        "environment": update.environment,
        "source": SOURCE,
        "attributes": {"imageTag": update.tag},
    }
    return ImportedEvent(update.location, at, fields)
