"""The events of a data set, and their totals."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ingest.aliases import TYPE_OF_WORD, plain_word
from storage.facts.deployments import RANK_OF_STATUS, STATUS_OF_EVENT, Status
from storage.facts.fact import Floors


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


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of the deployments in the events that were sent, and when they were created.

    `without_days` counts deployments created before the daily roll-ups begin: they are stored, but
    in no roll-up, and the worker removes them. `without_hours` are in the daily roll-ups only.
    """

    deployments: int
    projects: int
    by_status: dict[Status, int]
    by_environment: dict[str, int]
    first: datetime
    last: datetime
    without_days: int
    without_hours: int

    @classmethod
    def of(cls, events: Sequence[ImportedEvent], floors: Floors) -> "Totals | None":
        """Counts the events' deployments; None if there are no events."""
        if not events:
            return None
        created = creation_times(events)
        environments = {event.deployment: event.fields.get("environment", "") for event in events}
        days = _before(created.values(), floors.day)
        return cls(
            deployments=len(created),
            projects=len({project for project, _ in created}),
            by_status=dict(sorted(Counter(_statuses(events).values()).items())),
            by_environment=dict(sorted(Counter(environments.values()).items())),
            first=min(created.values()),
            last=max(created.values()),
            without_days=days,
            without_hours=max(_before(created.values(), floors.fine) - days, 0),
        )


def _statuses(events: Iterable[ImportedEvent]) -> dict[tuple[str, str], Status]:
    """The status of each deployment: the highest rank wins, then the latest."""
    winners: dict[tuple[str, str], tuple[int, datetime, Status]] = {}
    for event in events:
        status = STATUS_OF_EVENT[TYPE_OF_WORD[plain_word(event.fields["type"])]]
        claim = (RANK_OF_STATUS[status], event.at, status)
        winners[event.deployment] = max(claim, winners.get(event.deployment, claim))
    return {key: status for key, (_, _, status) in winners.items()}


def _before(times: Iterable[datetime], floor: datetime | None) -> int:
    return 0 if floor is None else sum(at < floor for at in times)
