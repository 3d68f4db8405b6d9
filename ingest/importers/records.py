"""What a data set's file holds, as its importer reads it: events, entries, and rows gone wrong."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ingest.times import read_time


class BadRow(Exception):  # noqa: N818 - it is an answer, not a fault
    """Says why a row cannot be read; the rows around it are read all the same."""


@dataclass(frozen=True, slots=True)
class FileLocation:
    """Where something stands: a file and the line on which its row ends."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A row, or an event made from it, that was left out, and why."""

    place: FileLocation
    message: str


@dataclass(frozen=True, slots=True)
class ImportedEvent:
    """An event that a row tells of, in the plain format but for its time."""

    place: FileLocation
    at: datetime
    fields: dict[str, Any]

    @property
    def deployment(self) -> tuple[str, str]:
        return self.fields["project"], self.fields["deployment"]

    @property
    def event(self) -> dict[str, Any]:
        return self.fields | {"time": self.at.isoformat()}

    def moved(self, by: timedelta) -> "ImportedEvent":
        return replace(self, at=self.at + by)


def moment(text: Any, name: str) -> datetime:
    """The time a row gives under a name."""
    time = read_time(text)
    if isinstance(time, str):
        raise BadRow(f"{name} {time}")
    return time


def required(text: Any, name: str) -> str:
    """A text the row cannot do without."""
    if not isinstance(text, str) or not text.strip():
        raise BadRow(f"{name} is missing")
    return text.strip()
