"""Totals of a set, counted from the events that were sent, not read from the database."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.aliases import TYPE_OF_WORD, plain_word
from ingest.importers.records import ImportedEvent, creation_times
from storage.facts.deployments import RANK_OF_STATUS, STATUS_OF_EVENT, Status
from storage.facts.fact import Floors


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of deployments, and the first and last time at which one was created.

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
