"""The parts of a data set's file: rows, the events in them, and the problems with them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ingest.times import read_time
from storage.dimensions import is_slug


class BadRow(Exception):  # noqa: N818 - it is caught for each row
    """A row that cannot be read, and why; reading goes on with the next one."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by column name, and its `file:line`, the line being its last."""

    location: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row, or an event made from it, was left out."""

    location: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportedEvent:
    """An event read from a row: its time, and its other fields in the plain format."""

    location: str
    at: datetime
    fields: dict[str, Any]

    @property
    def deployment(self) -> tuple[str, str]:
        """The slug of the project and the sender's id of the deployment."""
        return self.fields["project"], self.fields["deployment"]

    @property
    def event(self) -> dict[str, Any]:
        return self.fields | {"time": self.at.isoformat()}

    def moved(self, by: timedelta) -> "ImportedEvent":
        return replace(self, at=self.at + by)


def creation_times(events: Iterable[ImportedEvent]) -> dict[tuple[str, str], datetime]:
    """The time of each deployment's first event."""
    created: dict[tuple[str, str], datetime] = {}
    for event in events:
        created[event.deployment] = min(event.at, created.get(event.deployment, event.at))
    return created


def moment(text: Any, name: str) -> datetime:
    """The time in a column; raises BadRow if it is not one."""
    time = read_time(text)
    if isinstance(time, str):
        raise BadRow(f"{name} {time}")
    return time


def required(text: Any, name: str) -> str:
    """The text in a column, stripped; raises BadRow if it is missing or blank."""
    if not isinstance(text, str) or not text.strip():
        raise BadRow(f"{name} is missing")
    return text.strip()


def slug_of(text: Any, name: str) -> str:
    """The text in a column as a slug; raises BadRow if it is not fit to be one."""
    slug = required(text, name)
    if not is_slug(slug):
        raise BadRow(f"{name} {slug!r} cannot be a short name")
    return slug
