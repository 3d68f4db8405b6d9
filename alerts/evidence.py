"""Evidence: what one evaluation of an instance found, as stored with each transition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter

from alerts.rules import GuardKind
from alerts.states import Outcome


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure over a time, and the components it was computed from, by name."""

    start: datetime
    end: datetime
    value: float | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """What a guard said; ``p_value`` is set by SIGNIFICANT alone."""

    kind: GuardKind
    is_met: bool
    trials: int | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event happened to; ``kind`` is the name of its node type, such as Deployment."""

    kind: str
    key: str  # the key inside its project: a UUID, a name
    title: str
    project_id: int | None = None  # None for what several projects have


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found, ``as_of`` the state of the data.

    ``bound`` is in the unit of the measure: the threshold, or the baseline's value times the
    factor. ``deployment_id`` is the likely cause. ``reason`` says in a sentence why it could not
    be judged, or why it did not fire.
    """

    as_of: datetime
    outcome: Outcome
    measure: str | None = None
    window: Measured | None = None
    baseline: Measured | None = None
    bound: float | None = None
    guard: GuardVerdict | None = None
    subject: Subject | None = None
    deployment_id: str | None = None
    reason: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)  # the names of the group, by dimension
    left_out: int = 0  # groups or occurrences beyond those that a rule may have


EVIDENCE: TypeAdapter[Evidence] = TypeAdapter(Evidence)
