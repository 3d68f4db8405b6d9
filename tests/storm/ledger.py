"""What was sent and acknowledged when, to judge answers by."""

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

NETWORKS = ("metis", "hyperion")
ENVIRONMENTS = ("production", "staging", "integration")
TEMPLATES = ("storm-api", "storm-page", None)
ENDS = ("succeeded", "succeeded", "failed", "cancelled", None)
DAYS = 4

Event = dict[str, Any]


@dataclass(slots=True)
class Sent:
    """A deployment that was sent; `acked_at` is when its batch was acknowledged."""

    project: str
    network: str
    created_at: datetime
    sent_at: float
    acked_at: float | None = None


@dataclass
class Ledger:
    """Makes batches of new deployments of some projects, late ones among them, and remembers."""

    projects: tuple[str, ...]
    seed: int
    today: datetime
    sent: list[Sent] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._number = 0

    def batch(self, size: int) -> tuple[list[Event], list[Sent]]:
        """Events of new deployments, and their entries, which count as sent from now on."""
        made = [self._make() for _ in range(size)]
        with self.lock:
            self.sent += [sent for _, sent in made]
        return [event for events, _ in made for event in events], [sent for _, sent in made]

    def acknowledged(self, batch: list[Sent]) -> None:
        now = time.time()
        with self.lock:
            for each in batch:
                each.acked_at = now

    def bounds(
        self, projects: set[str], span: tuple[datetime, datetime], as_of: float, until: float
    ) -> tuple[int, int]:
        """How many must be counted by `as_of`, and how many can be in an answer of `until`."""
        start, end = span
        with self.lock:
            within = [
                each
                for each in self.sent
                if each.project in projects and start <= each.created_at < end
            ]
        least = sum(each.acked_at is not None and each.acked_at < as_of for each in within)
        return least, sum(each.sent_at <= until for each in within)

    def _make(self) -> tuple[list[Event], Sent]:
        self._number += 1
        pick = self._random
        # Most of it today, a part up to some days late.
        back = pick.uniform(0, DAYS) if pick.random() < 0.3 else 0.0
        midnight = self.today - timedelta(days=int(back))
        created_at = midnight + timedelta(seconds=pick.uniform(0, 86_000))
        sent = Sent(pick.choice(self.projects), pick.choice(NETWORKS), created_at, time.time())
        end = pick.choice(ENDS)
        steps = ["started", *([end] if end else [])]
        rest = {
            "project": sent.project,
            "deployment": f"storm-{self.seed}-{self._number}",
            "network": sent.network,
            "environment": pick.choice(ENVIRONMENTS),
            "template": pick.choice(TEMPLATES),
        }
        return [
            {
                "id": f"{rest['deployment']}-{step}",
                "type": f"deployment.{step}",
                "time": (created_at + timedelta(seconds=30 * index)).isoformat(),
                **{name: value for name, value in rest.items() if value is not None},
            }
            for index, step in enumerate(steps)
        ], sent


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
