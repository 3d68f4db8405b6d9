"""Ranks the deployments that may have caused an error by when it began and by its rate.

If deployments have nothing to do with an error, it begins at any moment: how soon after a
deployment that is has a p-value, the share of time that is as close after one. Hours in which a
project has errors on more days count more, as both errors and deployments follow the working day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from analytics.significance import ALPHA, History, RateChange, RateTest, Sample, compare
from storage.times import HOUR, full_hour

# Deployments that finished so long before the error began are candidates, and the most of them.
CANDIDATE_WINDOW = timedelta(hours=24)
MOST_CANDIDATES = 20
# Hours that must have passed since it began before a late beginning clears a deployment.
LEAST_HOURS_AFTER = 6


class Suspicion(StrEnum):
    """How likely it is that a deployment caused an error."""

    SUSPECT = "suspect"
    INCONCLUSIVE = "inconclusive"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A deployment before an error began, with the error's occurrences around it.

    ``began_with_release`` is set if the error occurs in its release and in none before.
    """

    deployment_id: UUID
    finished_at: datetime
    before: Sample
    after: Sample
    history: History
    began_with_release: bool = False


@dataclass(frozen=True, slots=True)
class Suspect:
    """A candidate with its p-value, adjusted for the number of candidates."""

    candidate: Candidate
    suspicion: Suspicion
    p_value: float


@dataclass(frozen=True, slots=True)
class Beginning:
    """When an error began or rose, and what is known of its project until then.

    ``deployments`` are the finishes of all deployments since ``since``; ``days_by_hour`` counts
    the days with errors for each hour of the day; ``activity`` says of each full hour since the
    beginning whether the error occurred.
    """

    at: datetime
    since: datetime
    deployments: Sequence[datetime]
    days_by_hour: Mapping[int, int]
    activity: Sequence[bool]


def ranked(beginning: Beginning, candidates: Sequence[Candidate]) -> list[Suspect]:
    """Returns the candidates, the likeliest first."""
    changes = compare((each.after, RateTest(each.history)) for each in candidates)
    found = []
    for candidate, by_rate in zip(candidates, changes, strict=True):
        p = max(by_rate.p_value, p_of_timing(beginning, candidate.finished_at))
        change = replace(by_rate, p_value=p)
        found.append(Suspect(candidate, _suspicion(beginning, candidate, change), p))
    return sorted(found, key=_rank)


_ORDER = {suspicion: place for place, suspicion in enumerate(Suspicion)}


def _rank(suspect: Suspect) -> tuple[int, bool, float, float]:
    candidate = suspect.candidate
    newest_first = -candidate.finished_at.timestamp()
    return (
        _ORDER[suspect.suspicion],
        not candidate.began_with_release,
        suspect.p_value,
        newest_first,
    )


def _suspicion(beginning: Beginning, candidate: Candidate, change: RateChange) -> Suspicion:
    if candidate.after.rate <= candidate.before.rate or _is_too_late(beginning, candidate):
        return Suspicion.UNLIKELY
    suspect = candidate.began_with_release or change.is_rise
    return Suspicion.SUSPECT if suspect else Suspicion.INCONCLUSIVE


def _is_too_late(beginning: Beginning, candidate: Candidate) -> bool:
    """Whether an error as frequent as this one would have occurred sooner after its cause."""
    hours = len(beginning.activity)
    if hours < LEAST_HOURS_AFTER:
        return False
    quiet_share = (hours - sum(beginning.activity) + 1) / (hours + 2)
    quiet_hours = (beginning.at - candidate.finished_at) // HOUR
    return bool(quiet_share**quiet_hours <= ALPHA)


def p_of_timing(beginning: Beginning, finished_at: datetime) -> float:
    """Returns the share of time that is as soon after a deployment as the beginning is."""
    delay = beginning.at - finished_at
    weights = [1 + beginning.days_by_hour.get(hour, 0) for hour in range(24)]
    close = _weighted(_covered(beginning, delay), weights)
    whole = _weighted([(beginning.since, beginning.at)], weights)
    return min(1.0, close / whole) if whole else 1.0


_Span = tuple[datetime, datetime]


def _covered(beginning: Beginning, delay: timedelta) -> list[_Span]:
    """The time that is at most ``delay`` after a deployment."""
    spans: list[_Span] = []
    for finish in sorted(beginning.deployments):
        start, end = max(finish, beginning.since), min(finish + delay, beginning.at)
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        elif start < end:
            spans.append((start, end))
    return spans


def _weighted(spans: Sequence[_Span], weights: Sequence[int]) -> float:
    """The length of spans in hours, weighted by the hour of the day."""
    total = 0.0
    for start, end in spans:
        at = start
        while at < end:
            hour = full_hour(at)
            until = min(hour + HOUR, end)
            total += (until - at) / HOUR * weights[hour.hour]
            at = until
    return total
