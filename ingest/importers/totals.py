"""What a set comes to, counted over the events that were sent and over nothing else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ingest.aliases import TYPE_OF_WORD, plain_word
from ingest.importers.records import ImportedEvent
from storage.facts.deployments import RANK_OF_STATUS, STATUS_OF_EVENT, Status
from storage.facts.fact import Floors

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Totals:
    """Deployments by what they came to; times are those of their creation.

    ``without_days`` were created before daily sums begin: they are stored, but in no sum, and the
    worker removes them. ``without_hours`` are in daily sums only.
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
    def of(cls, told: Iterable[ImportedEvent], floors: Floors) -> "Totals | None":
        """None where there is nothing to count."""
        events = list(told)
        if not events:
            return None
        created = _created(events)
        environments = {each.deployment: each.fields.get("environment", "") for each in events}
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


def _created(events: Iterable[ImportedEvent]) -> dict[Key, datetime]:
    created: dict[Key, datetime] = {}
    for each in events:
        created[each.deployment] = min(each.at, created.get(each.deployment, each.at))
    return created


def _statuses(events: Iterable[ImportedEvent]) -> dict[Key, Status]:
    """The status of each deployment: the highest rank wins, then the latest."""
    winners: dict[Key, tuple[int, datetime, Status]] = {}
    for each in events:
        status = STATUS_OF_EVENT[TYPE_OF_WORD[plain_word(each.fields["type"])]]
        claim = (RANK_OF_STATUS[status], each.at, status)
        winners[each.deployment] = max(claim, winners.get(each.deployment, claim))
    return {key: status for key, (_, _, status) in winners.items()}


def _before(times: Iterable[datetime], floor: datetime | None) -> int:
    return 0 if floor is None else sum(at < floor for at in times)
