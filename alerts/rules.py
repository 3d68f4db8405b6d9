"""Alert rules: what is watched, when it is wrong, and who is told.

A rule is stored, exported and shown as one document; `RULE` reads and writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

# By name of a dimension, the names that are watched; a missing dimension does not filter.
Names = Mapping[str, tuple[str, ...]]

MINUTE_SECONDS = 60
HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400
SHORTEST_WINDOW_SECONDS = MINUTE_SECONDS
LONGEST_WINDOW_SECONDS = 28 * DAY_SECONDS
LONGEST_WAIT_SECONDS = DAY_SECONDS  # of `for_seconds` and `keep_firing_seconds`
INSTANCES_AT_MOST = 100  # of a rule with a group-by


class Severity(StrEnum):
    """How bad it is when a rule fires, from the least to the worst."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Operator(StrEnum):
    """How a value is compared with a bound."""

    ABOVE = "above"
    AT_LEAST = "at_least"
    BELOW = "below"
    AT_MOST = "at_most"


class Baseline(StrEnum):
    """The earlier time that a window is compared with."""

    BEFORE = "before"  # the time that ends where the window begins
    DAY_EARLIER = "day_earlier"
    WEEK_EARLIER = "week_earlier"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Wrong where the value passes a bound, in the unit of the measure."""

    operator: Operator
    bound: float
    kind: Literal["threshold"] = "threshold"


@dataclass(frozen=True, slots=True)
class Change:
    """Wrong where the value passes the baseline's value times a factor.

    The baseline is as long as the window unless ``baseline_seconds`` says otherwise; counts are
    scaled to the window's length then. A baseline of 0 or nothing: see ``alerts.conditions``.
    """

    operator: Operator
    factor: float
    baseline: Baseline = Baseline.BEFORE
    baseline_seconds: int | None = None
    kind: Literal["change"] = "change"


@dataclass(frozen=True, slots=True)
class Absence:
    """Wrong where nothing is counted in the window."""

    kind: Literal["absence"] = "absence"


Comparison = Annotated[Threshold | Change | Absence, Field(discriminator="kind")]


class GuardKind(StrEnum):
    """What a value that passes its bound must meet beside that."""

    LITERAL = "literal"  # nothing
    MIN_SAMPLE = "min_sample"  # so many trials in the window
    SIGNIFICANT = "significant"  # chance alone gives it at most so often


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard against few events: with ``at_least`` trials, or ``alpha`` as a probability."""

    kind: GuardKind
    at_least: int | None = None
    alpha: float | None = None


SIGNIFICANT = Guard(GuardKind.SIGNIFICANT, alpha=0.01)
LITERAL = Guard(GuardKind.LITERAL)


@dataclass(frozen=True, slots=True)
class Watch:
    """A measure over a moving window, which starts on a minute and ends now.

    ``measure`` is written ``fact.name``, such as ``deployments.failure_rate``. Each group of
    ``group_by``, names of dimensions, is an instance of the rule. Without a guard, rates have
    `SIGNIFICANT` and all else has `LITERAL`.
    """

    measure: str
    window_seconds: int
    comparison: Comparison
    guard: Guard | None = None
    filter: Names = field(default_factory=dict)
    group_by: tuple[str, ...] = ()
    for_seconds: int = 0
    keep_firing_seconds: int = 0
    kind: Literal["watch"] = "watch"


class EventKind(StrEnum):
    """What happened, for rules that fire on it."""

    DEPLOYMENT_FAILED = "deployment_failed"
    DEPLOYMENT_SLOW = "deployment_slow"  # it runs, or ran, longer than `after_seconds`
    BUILD_FAILED = "build_failed"
    FUNCTION_FAILED = "function_failed"
    ERROR_NEW = "error_new"
    ERROR_REGRESSED = "error_regressed"
    ERROR_CRITICAL = "error_critical"
    ERROR_REACHED = "error_reached"  # `count` occurrences
    ERROR_SPREAD = "error_spread"  # one signature in `count` projects


@dataclass(frozen=True, slots=True)
class OnEvent:
    """Wrong when something happens; what it happened to is an instance of the rule.

    An instance fires at once and stops ``keep_firing_seconds`` after the last such event.
    """

    event: EventKind
    filter: Names = field(default_factory=dict)
    count: int | None = None
    after_seconds: int | None = None
    keep_firing_seconds: int = HOUR_SECONDS
    kind: Literal["event"] = "event"


Trigger = Annotated[Watch | OnEvent, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Rule:
    """The document of a rule: everything that people decide about it.

    ``channels`` are names of channels of the same project, or of the platform. ``labels`` travel
    with each message. ``title`` and ``text`` are templates; without them the message is the usual
    one.
    """

    name: str
    trigger: Trigger
    severity: Severity = Severity.WARNING
    enabled: bool = True
    channels: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    title: str | None = None
    text: str | None = None
    preset: str | None = None  # the preset that it was made from


RULE: TypeAdapter[Rule] = TypeAdapter(Rule)


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule in its place: of a project, or of the platform where ``project_id`` is None.

    One with a ``problem`` watches nothing: see `alerts.documents.rule_of`.
    """

    id: UUID
    project_id: int | None
    revision: int
    rule: Rule
    problem: str | None = None  # why its document cannot be read
