"""What may become worse after a deployment, and the slices that tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from access.scopes import Scope
from analytics.intervals import Interval
from analytics.periods import Range
from analytics.slices import Filter, Slice
from storage.dimensions import NONE, Dimension
from storage.facts.api_calls import API_CALLS
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Fact
from storage.facts.invocations import INVOCATIONS
from storage.times import DAY, HOUR, full_hour

HISTORY_DAYS = 28
# A histogram for each hour is much to read, so latencies have a shorter history.
LATENCY_DAYS = 14
DEFAULT_WINDOW = timedelta(minutes=30)
LEAST_WINDOW, MOST_WINDOW = timedelta(minutes=5), timedelta(days=1)


class Subject(StrEnum):
    """What is compared."""

    ERRORS = "errors"
    FUNCTION_FAILURES = "function_failures"
    API_ERRORS = "api_errors"
    API_LATENCY = "api_latency"


@dataclass(frozen=True, slots=True)
class Watched:
    """The events of a fact that count as bad, and their exposure.

    The exposure is the time, or the component ``trials``. ``events`` is a component; a fact without
    it is watched by its histogram: its slow rows are the events. ``tolerated`` is the share of bad
    trials that passes unseen at most, if many times the usual one would.
    """

    subject: Subject
    fact: Fact
    trials: str | None = None
    events: str | None = None
    days: int = HISTORY_DAYS
    tolerated: float = 0.0


WATCHED = (
    Watched(Subject.ERRORS, ERROR_OCCURRENCES, events="occurrences"),
    Watched(Subject.FUNCTION_FAILURES, INVOCATIONS, "invocations", "errors", tolerated=0.1),
    Watched(Subject.API_ERRORS, API_CALLS, "calls", "server_errors", tolerated=0.1),
    Watched(Subject.API_LATENCY, API_CALLS, "timed", days=LATENCY_DAYS),
)


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a deployment: before its start, after its end, and the days before.

    ``block`` are the full hours that hold the window after it, at most a day; ``origin`` is their
    start.
    """

    before: Range
    after: Range
    origin: datetime
    block: timedelta

    @classmethod
    def of(cls, started_at: datetime, finished_at: datetime, length: timedelta) -> Windows:
        after = Range(finished_at, finished_at + length)
        origin = full_hour(after.start)
        end = full_hour(after.end + HOUR - timedelta(microseconds=1))
        block = min(end - origin, DAY)
        return cls(Range(started_at - length, started_at), after, origin, block)

    def history(self, days: int) -> Range:
        return Range(self.origin - days * DAY, self.origin)


Part = TypeVar("Part")


class Windowed(NamedTuple, Generic[Part]):
    """The slices of one comparison, or the answers to them."""

    before: Part
    after: Part
    history: Part


def slices_of(
    watched: Watched, windows: Windows, scope: Scope, origin: Mapping[Dimension, int]
) -> Windowed[Slice]:
    """Returns what to read of a project; ``origin`` says where the deployment went.

    Rows that name no environment, network or template may be of any, so they count too.
    """
    made = partial(
        Slice,
        watched.fact.name,
        scope,
        _filter(watched.fact, origin),
        histogram=watched.events is None,
    )
    history = made(windows.history(watched.days), Interval.HOUR)
    return Windowed(made(windows.before), made(windows.after), history)


def deployments_before(windows: Windows, scope: Scope, origin: Mapping[Dimension, int]) -> Slice:
    """Returns the slice that tells since when there are deployments."""
    span, chosen = windows.history(HISTORY_DAYS), _filter(DEPLOYMENTS, origin)
    return Slice(DEPLOYMENTS.name, scope, chosen, span, Interval.HOUR)


def _filter(fact: Fact, origin: Mapping[Dimension, int]) -> Filter:
    return Filter.of({each: (id, NONE) for each, id in origin.items() if each in fact.dimensions})
