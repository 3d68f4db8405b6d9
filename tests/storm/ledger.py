"""What was sent and acknowledged when, to judge answers by."""

import random
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from storage.dimensions import NETWORK, TEMPLATE
from storage.facts import FACTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Entity, Fact
from tests.ingest.stories import Event, Names, names, occurrences, story

DAYS = 4
PROVISIONED: Names = {
    NETWORK: ("metis", "hyperion"),
    TEMPLATE: ("storm-api", "storm-page", None),
}


@dataclass(slots=True)
class Sent:
    """An entity or row that was sent; `acked_at` is when its batch was acknowledged."""

    fact: Fact
    project: str
    counted_at: datetime
    sent_at: float
    acked_at: float | None = None


@dataclass
class Ledger:
    """Makes batches of all facts for some projects, late ones among them, and remembers them."""

    projects: tuple[str, ...]
    seed: int
    today: datetime
    sent: list[Sent] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._number = 0

    def batch(self, size: int) -> tuple[list[Event], list[Sent]]:
        """Events of new entities and rows, and their entries, which count as sent from now on."""
        made = [self._make() for _ in range(size)]
        entries = [entry for _, sent in made for entry in sent]
        with self.lock:
            self.sent += entries
        return [event for events, _ in made for event in events], entries

    def acknowledged(self, batch: list[Sent]) -> None:
        now = time.time()
        with self.lock:
            for each in batch:
                each.acked_at = now

    def bounds(
        self,
        fact: Fact,
        projects: Collection[str],
        span: tuple[datetime, datetime],
        as_of: float,
        until: float,
    ) -> tuple[int, int]:
        """How many must be counted by `as_of`, and how many can be in an answer of `until`."""
        start, end = span
        with self.lock:
            within = [
                each
                for each in self.sent
                if each.fact is fact and each.project in projects and start <= each.counted_at < end
            ]
        least = sum(each.acked_at is not None and each.acked_at < as_of for each in within)
        return least, sum(each.sent_at <= until for each in within)

    def _make(self) -> tuple[list[Event], list[Sent]]:
        self._number += 1
        pick = self._random
        # Most of it today, a part up to some days late.
        back = pick.uniform(0, DAYS) if pick.random() < 0.3 else 0.0
        midnight = self.today - timedelta(days=int(back))
        began_at = midnight + timedelta(seconds=pick.uniform(0, 86_000))
        fact, project = pick.choice(tuple(FACTS.values())), pick.choice(self.projects)
        common = {"project": project, **names(fact, pick, PROVISIONED)}
        events = story(fact, pick, f"storm-{self.seed}-{self._number}", common, began_at)
        # An entity counts when it was created, a row when it occurred.
        counted = [(fact, events[0] if isinstance(fact, Entity) else events[-1])]
        counted += [(ERROR_OCCURRENCES, event) for event in occurrences(events)]
        return events, [
            Sent(of, project, datetime.fromisoformat(event["time"]), time.time())
            for of, event in counted
        ]


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
