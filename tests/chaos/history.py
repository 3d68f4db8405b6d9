"""A history of deployments: its events, and by plain counting what every answer must be."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

PROJECTS = 12
NETWORKS = ("metis", "hyperion")
ENDS = ("succeeded", "succeeded", "succeeded", "failed", "cancelled", None)
REPEATED = 0.15

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment as it really went."""

    name: str
    project: str
    network: str
    end: str | None
    rolled_back: bool
    created_at: datetime

    @property
    def status(self) -> str:
        if self.rolled_back:
            return "ROLLED_BACK"
        return "IN_PROGRESS" if self.end is None else self.end.upper()

    def events(self) -> list[Event]:
        moments = ["queued", "started", *([self.end] if self.end else [])]
        moments += ["rolled_back"] if self.rolled_back else []
        return [
            {
                "id": f"{self.name}-{kind}",
                "type": f"deployment.{kind}",
                "time": (self.created_at + timedelta(seconds=20 * step)).isoformat(),
                "project": self.project,
                "deployment": self.name,
                "network": self.network,
            }
            for step, kind in enumerate(moments)
        ]


class History:
    """Deployments as they are made up, and their events in a shuffled, repeating order."""

    def __init__(self, sender: str, seed: int, now: datetime) -> None:
        self._sender = sender
        self._random = random.Random(seed)
        self._now = now
        self._waiting: list[Event] = []
        self.deployments: list[Deployment] = []

    def batches(self, size: int) -> Iterator[list[Event]]:
        """Batches without end; what is held back comes later, some of it twice."""
        while True:
            self._waiting += [event for _ in range(size // 3) for event in self._make().events()]
            self._random.shuffle(self._waiting)
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            self._waiting += [event for event in batch if self._random.random() < REPEATED]
            yield batch

    def rest(self) -> list[Event]:
        """What has not been sent yet."""
        rest, self._waiting = self._waiting, []
        return rest

    def _make(self) -> Deployment:
        end = self._random.choice(ENDS)
        number = len(self.deployments)
        deployment = Deployment(
            f"{self._sender}-{number}",
            f"project-{number % PROJECTS}",
            self._random.choice(NETWORKS),
            end,
            end == "succeeded" and self._random.random() < 0.1,
            self._now - timedelta(minutes=self._random.uniform(5, 4_000)),
        )
        self.deployments.append(deployment)
        return deployment

    def event_count(self) -> int:
        return sum(len(deployment.events()) for deployment in self.deployments)

    def statuses(self) -> Counter[tuple[str, str]]:
        """Deployments by network and status."""
        return Counter((each.network, each.status) for each in self.deployments)
