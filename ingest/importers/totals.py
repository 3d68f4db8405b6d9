"""Counts of the events of a data set, made without the database."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ingest.identity import entity_uuid, event_uuid
from ingest.importers.events import ImportedEvent
from storage.facts.fact import Entity, Fact, Floors

RowKey = tuple[str, UUID]  # the project's slug; the id of the entity or event


@dataclass(slots=True)
class Counted:
    """What a set's events say of a row that they make: an entity, or an event of an append fact."""

    at: datetime
    status: str = ""
    claim: tuple[int, datetime] | None = None  # the rank and time of an entity's status
    names: dict[str, str] = field(default_factory=dict)  # by dimension


def rows_by_fact(events: Iterable[ImportedEvent]) -> dict[Fact, dict[RowKey, Counted]]:
    """The rows that the events make, by fact and key."""
    rows: dict[Fact, dict[RowKey, Counted]] = defaultdict(dict)
    for event in events:
        fact, fields = event.fact, event.fields
        row = rows[fact].setdefault((event.project, _row_id(event)), Counted(event.at))
        row.at = min(row.at, event.at)
        for dimension in fact.dimensions:
            if name := fields.get(dimension.name):
                row.names.setdefault(dimension.name, name)
        if isinstance(fact, Entity):
            _claim(row, fact, event)
        else:
            row.status = str(fields.get("status", ""))
    return rows


def _row_id(event: ImportedEvent) -> UUID:
    fact, fields = event.fact, event.fields
    if isinstance(fact, Entity):
        return entity_uuid(event.project, fields[fact.name])
    return event_uuid(event.project, fields["source"], fields["id"])


def _claim(row: Counted, fact: Entity, event: ImportedEvent) -> None:
    """Gives an entity the event's status if that has a higher rank, or the same and is later."""
    status = fact.lifecycle.status_of[event.kind.type]
    claim = fact.lifecycle.rank_of[status], event.at
    if row.claim is None or claim >= row.claim:
        row.claim, row.status = claim, status.name.lower()


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of the rows of one fact: all, by status, and by the names of each dimension.

    `without_days` counts rows from before the daily roll-ups begin: they are stored, but in no
    roll-up, and the worker removes them. `without_hours` are in the daily roll-ups only.
    """

    fact: Fact
    count: int
    projects: int
    by_status: dict[str, int]
    by_dimension: dict[str, dict[str, int]]
    first: datetime
    last: datetime
    without_days: int
    without_hours: int

    @classmethod
    def of(cls, fact: Fact, rows: Mapping[RowKey, Counted], floors: Floors) -> "Totals":
        names: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows.values():
            for dimension, name in row.names.items():
                names[dimension][name] += 1
        times = [row.at for row in rows.values()]
        days = _before(times, floors.day)
        return cls(
            fact=fact,
            count=len(rows),
            projects=len({project for project, _ in rows}),
            by_status=dict(Counter(row.status for row in rows.values()).most_common()),
            by_dimension={name: dict(counts.most_common()) for name, counts in names.items()},
            first=min(times),
            last=max(times),
            without_days=days,
            without_hours=max(_before(times, floors.fine) - days, 0),
        )


def _before(times: Iterable[datetime], floor: datetime | None) -> int:
    return 0 if floor is None else sum(at < floor for at in times)
