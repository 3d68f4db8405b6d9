"""Lifecycles: the statuses of an entity, and the events that lead to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple


class Status(IntEnum):
    """The status of an entity that runs once, such as a deployment or a build."""

    QUEUED = 0
    IN_PROGRESS = 1
    SUCCEEDED = 2
    FAILED = 3
    CANCELLED = 4
    ROLLED_BACK = 5


class EventType(IntEnum):
    """What an event reports about such an entity."""

    QUEUED = 0
    STARTED = 1
    PROGRESS = 2
    SUCCEEDED = 3
    FAILED = 4
    CANCELLED = 5
    ROLLED_BACK = 6


@dataclass(frozen=True, slots=True, eq=False)
class Lifecycle:
    """The status that each type of event leads to, and the ranks of statuses.

    The highest rank wins, in whatever order events arrive. Statuses of rank `finish_rank` end the
    entity; events of the types in `starts` begin its work. Without an event of its own left, an
    entity falls back to the status of its finish, then `start`, then `creation`. Those with a
    status of `successes` succeeded; what the other statuses leave is counted as the `rest`. Every
    lifecycle has a status FAILED.
    """

    status_of: Mapping[Any, IntEnum]
    rank_of: Mapping[Any, int]
    starts: tuple[int, ...] = (EventType.STARTED, EventType.PROGRESS)
    start: int = EventType.STARTED
    creation: int = EventType.QUEUED
    finish_rank: int = 2
    successes: tuple[IntEnum, ...] = (Status.SUCCEEDED,)
    rest: IntEnum | None = Status.IN_PROGRESS

    @property
    def statuses(self) -> tuple[IntEnum, ...]:
        """The statuses, in the order of their enum."""
        return tuple(sorted(self.rank_of))

    @property
    def unfinished(self) -> tuple[IntEnum, ...]:
        return tuple(s for s in self.statuses if self.rank_of[s] < self.finish_rank)

    @property
    def finishes(self) -> tuple[IntEnum, ...]:
        return tuple(s for s in self.statuses if self.rank_of[s] == self.finish_rank)


class Step(NamedTuple):
    """The status that a type of event leads to, and its rank, as plain numbers."""

    status: int
    rank: int


@cache
def steps(lifecycle: Lifecycle) -> tuple[Step, ...]:
    """The step of each type of event, by its number."""
    reached = (lifecycle.status_of[type_] for type_ in sorted(lifecycle.status_of))
    return tuple(Step(int(status), lifecycle.rank_of[status]) for status in reached)


RUN = Lifecycle(
    status_of={
        EventType.QUEUED: Status.QUEUED,
        EventType.STARTED: Status.IN_PROGRESS,
        EventType.PROGRESS: Status.IN_PROGRESS,
        EventType.SUCCEEDED: Status.SUCCEEDED,
        EventType.FAILED: Status.FAILED,
        EventType.CANCELLED: Status.CANCELLED,
    },
    rank_of={
        Status.QUEUED: 0,
        Status.IN_PROGRESS: 1,
        Status.SUCCEEDED: 2,
        Status.FAILED: 2,
        Status.CANCELLED: 2,
    },
)

# A rollback outranks any finish.
RUN_WITH_ROLLBACK = Lifecycle(
    {**RUN.status_of, EventType.ROLLED_BACK: Status.ROLLED_BACK},
    {**RUN.rank_of, Status.ROLLED_BACK: 3},
)
