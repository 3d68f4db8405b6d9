"""An event of a data set."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ingest.importers.files import Part, ReadFile, Row
from ingest.wire import EventKind, event_kind
from storage.facts.fact import Fact

# The last part of an event's type, and its time.
Step = tuple[str, datetime]
# The fields that the events of an entity share, and its steps.
Steps = tuple[dict[str, Any], list[Step]]


@dataclass(frozen=True, slots=True)
class ImportedEvent:
    """An event read from a row: its time, and its other fields in the plain format."""

    location: str
    at: datetime
    fields: dict[str, Any]

    @property
    def project(self) -> str:
        slug: str = self.fields["project"]
        return slug

    @property
    def kind(self) -> EventKind:
        word = self.fields["type"]
        if (kind := event_kind(word)) is None:
            raise ValueError(f"{word!r} is no type of event")
        return kind

    @property
    def fact(self) -> Fact:
        return self.kind.wire.fact

    @property
    def event(self) -> dict[str, Any]:
        return self.fields | {"time": self.at.isoformat()}

    def moved(self, by: timedelta) -> "ImportedEvent":
        return replace(self, at=self.at + by)


def steps_part(
    entity: str, pattern: str, read: Callable[[Row], Steps], read_file: ReadFile | None = None
) -> Part[ImportedEvent]:
    """Files whose rows tell the steps of an entity."""

    def events(row: Row) -> list[ImportedEvent]:
        common, steps = read(row)
        name = common[entity]
        return [
            ImportedEvent(
                row.location, at, {"id": f"{name}:{kind}", "type": f"{entity}.{kind}"} | common
            )
            for kind, at in steps
        ]

    return Part(pattern, events, read_file)
