"""The state of one instance of a rule, and how it advances: pure, with the clock passed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Phase(IntEnum):
    """Where an instance is; the numbers are stored."""

    INACTIVE = 0
    PENDING = 1  # wrong, but not for long enough
    FIRING = 2


class Health(IntEnum):
    """Whether the last evaluation could judge; apart from the phase. The numbers are stored."""

    OK = 0
    NO_DATA = 1
    ERROR = 2


class Outcome(StrEnum):
    """What one evaluation of an instance found."""

    BREACH = "breach"
    CLEAR = "clear"
    NO_DATA = "no_data"
    ERROR = "error"
    GONE = "gone"  # the group no longer exists in the window


class Transition(StrEnum):
    """What is stored in the history of an instance."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    GONE = "gone"
    CALMED = "calmed"  # pending, but right again before it fired
    FLAPPING = "flapping"
    STEADY = "steady"  # no longer flapping
    ACKNOWLEDGED = "acknowledged"
    FAILING = "failing"  # it can no longer be evaluated
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long it must be wrong before an instance fires, and right before it stops."""

    for_seconds: int = 0
    keep_firing_seconds: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """The state of an instance; times are those of evaluations.

    ``since`` is when the phase began, ``clear_since`` when a firing instance was first right again.
    ``firings`` are the recent times at which it fired, to recognise flapping.
    """

    phase: Phase
    since: datetime
    clear_since: datetime | None = None
    health: Health = Health.OK
    health_since: datetime | None = None
    firings: tuple[datetime, ...] = ()
    flapping: bool = False
