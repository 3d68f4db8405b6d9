"""What the writers of all facts share: the transaction of a batch, and SQL for keys of events."""

from dataclasses import dataclass, field
from datetime import datetime

from ingest.assignment import Assignment, SeriesIds, SeriesKey
from storage.connections.database import Connection
from storage.facts.fact import Fact, Floors
from storage.keeping.windows import Retention


@dataclass(frozen=True, slots=True)
class Batch:
    """The transaction that a batch is written in; after its COMMIT `learned` is remembered."""

    connection: Connection
    assignment: Assignment
    slot: int
    retention: Retention
    now: datetime
    learned: dict[Fact, SeriesIds] = field(default_factory=dict)

    @property
    def floors(self) -> Floors:
        """The earliest bucket that each kind of roll-up keeps."""
        return self.retention.floors(self.now)

    async def series(self, fact: Fact, wanted: set[SeriesKey]) -> SeriesIds:
        """The series id of each key."""
        found, self.learned[fact] = await self.assignment.find(self.connection, fact, wanted)
        return found


# SQL for the keys of events, given as three arrays.
EVENT_KEY = "project_id, occurred_at, event_id"
GIVEN_EVENTS = f"unnest($1::bigint[], $2::timestamptz[], $3::uuid[]) as given({EVENT_KEY})"
