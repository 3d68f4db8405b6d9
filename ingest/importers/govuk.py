"""GOV.UK's deployments: the image tags that its bot set for each application.

One file holds the changes of image tags, the other the time of each change's merge, which started
the roll-out. Neither holds durations or failures, so these stay unknown. Docs: docs/import.md.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingest.importers.events import ImportedEvent
from ingest.importers.facts import Events
from ingest.importers.files import BadRow, Part, Row

UPDATES = "deployments/govuk-image-tag-updates-2025H1.csv"
MERGES = "deployments/govuk-image-tag-merges-2025H1.csv"
SOURCE = "govuk-helm-charts"

_NUMBERED = re.compile(r"v(\d{1,18})", re.ASCII).fullmatch


@dataclass(slots=True)
class _History:
    """The tags that have run in one environment of one application."""

    tags: set[str] = field(default_factory=set)
    newest: tuple[int, str] | None = None

    def add(self, commit: str, tag: str) -> str | None:
        """Adds a deployment; returns the commit of the one before if this one rolls it back.

        A lower number alone proves nothing, because promotions overtake each other: a rollback is
        a lower number that has run here before. Tags without a number have no order.
        """
        rolled_back = None
        if match := _NUMBERED(tag):
            number = int(match[1])
            if self.newest and number < self.newest[0] and tag in self.tags:
                rolled_back = self.newest[1]
            self.newest = (number, commit)
        self.tags.add(tag)
        return rolled_back


class _Changes:
    """Turns the changes of image tags into events; takes in the times of all merges before."""

    def __init__(self) -> None:
        self._merged: dict[str, datetime] = {}
        self._seen: set[str] = set()
        self._histories: dict[tuple[str, str], _History] = defaultdict(_History)

    def merge(self, row: Row) -> list[ImportedEvent]:
        """Notes the time of a change's merge, which is no event by itself."""
        self._merged[row.text("merged_commit")] = row.moment("merged_at")
        return []

    def events(self, row: Row) -> Iterator[ImportedEvent]:
        """Yields `queued`, and for a merged change `succeeded` and the rollback it makes."""
        names = ("commit", "app", "environment", "image_tag")
        commit, app, environment, tag = (row.text(name) for name in names)
        committed_at = row.moment("committed_at")
        if commit in self._seen:
            raise BadRow(f"commit {commit} is in the file twice")
        self._seen.add(commit)
        rolled_back = self._histories[app, environment].add(commit, tag)

        def event(at: datetime, kind: str, **fields: Any) -> ImportedEvent:
            common = {"id": f"{commit}:{kind}", "type": f"deployment.{kind}", "source": SOURCE}
            fields = {"project": app, "deployment": commit, "environment": environment} | fields
            return ImportedEvent(row.location, at, common | fields)

        attributes = {"imageTag": tag}
        yield event(committed_at, "queued", attributes=attributes)
        if merged_at := self._merged.get(commit):
            yield event(merged_at, "succeeded", attributes=attributes)
            if rolled_back is not None:
                yield event(merged_at, "rolled_back", deployment=rolled_back, toDeployment=commit)


def _parts() -> list[Part[ImportedEvent]]:
    changes = _Changes()
    return [Part(MERGES, changes.merge), Part(UPDATES, changes.events)]


GOVUK = Events("govuk", "deployments of GOV.UK's applications, first half of 2025", _parts)
