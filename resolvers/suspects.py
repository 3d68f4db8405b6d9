"""The deployments that may have caused an error."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import accumulate, takewhile
from operator import itemgetter
from typing import Any
from uuid import UUID

from access.scopes import Scope
from analytics.answer import Answer
from analytics.intervals import Interval
from analytics.periods import Range
from analytics.significance import History, Sample, days_of
from analytics.slices import Filter, Slice
from analytics.suspects import (
    CANDIDATE_WINDOW,
    MOST_CANDIDATES,
    Beginning,
    Candidate,
    Suspect,
    ranked,
)
from analytics.verdicts import first_hour
from resolvers import error_rates
from resolvers.compare_links import compare_link
from resolvers.context import Context
from resolvers.entities import Deployment, Links, entities_by_keys
from resolvers.errors import Error
from storage.dimensions import ENVIRONMENT, NETWORK, NONE, TEMPLATE
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.queries import causes
from storage.queries.errors.counts import Counting
from storage.times import DAY, HOUR, full_hour

HISTORY_DAYS = 28
# The occurrences up to so long after the beginning tell what it brought.
AFTER = HOUR
_ORIGIN = tuple(dimension.column for dimension in (ENVIRONMENT, NETWORK, TEMPLATE))


class Change(StrEnum):
    """What happened to an error."""

    FIRST_SEEN = "first_seen"
    REGRESSED = "regressed"
    SPIKE = "spike"


@dataclass(frozen=True, slots=True)
class SuspectDeployment:
    """A deployment before an error began, with the one before it and the commits between."""

    deployment: Deployment
    previous: Deployment | None
    found: Suspect

    suspicion = property(lambda self: self.found.suspicion)
    p_value = property(lambda self: self.found.p_value)
    before = property(lambda self: self.found.candidate.before)
    after = property(lambda self: self.found.candidate.after)
    began_with_release = property(lambda self: self.found.candidate.began_with_release)

    @property
    def from_commit(self) -> str | None:
        return None if self.previous is None else self.previous.row["commit"]

    @property
    def to_commit(self) -> str | None:
        commit: str | None = self.deployment.row["commit"]
        return commit

    @property
    def compare_url(self) -> str | None:
        return compare_link(self.deployment.row["repository"], self.from_commit, self.to_commit)


@dataclass(frozen=True, slots=True)
class Suspects:
    """What happened to an error, when, and which deployments may be the cause."""

    change: Change
    at: datetime
    deployments: Sequence[SuspectDeployment]


async def suspects(context: Context, error: Error, links: Links) -> Suspects:
    """Returns the deployments that finished in the day before the latest change of an error."""
    change, at, release = await _latest_change(context, error)
    return Suspects(change, at, await _ranked(context, error.key, (at, release), links))


async def _latest_change(context: Context, error: Error) -> tuple[Change, datetime, str | None]:
    """Returns what last happened to an error, when, and in which release."""
    rise = await error_rates.spike(context, error)
    found = [
        (Change.FIRST_SEEN, error.first_at, error.first_release),
        (Change.REGRESSED, error.regressed_at, error.regressed_release),
        (Change.SPIKE, rise and rise.started_at, error.last_release),
    ]
    return max(
        ((change, at, release) for change, at, release in found if at is not None),
        key=itemgetter(1),
    )


async def _ranked(
    context: Context, key: tuple[int, UUID], began: tuple[datetime, str | None], links: Links
) -> list[SuspectDeployment]:
    """Returns the deployments before the beginning, the likeliest first."""
    (at, release), database = began, context.services.database
    start, end = full_hour(at) - HISTORY_DAYS * DAY, min(context.now, at + DAY)
    finished, origins, seen, activity = await asyncio.gather(
        causes.deployments(database, key[0], start, at),
        causes.origins(database, key, full_hour(at), end),
        causes.releases(database, key),
        context.loaders.answers.load(_hours_of_project(key[0], Range(start, full_hour(at)))),
    )
    fitting = [row for row in finished if _fits(row, origins)]
    recent = [row for row in fitting if row["finished_at"] >= at - CANDIDATE_WINDOW]
    recent = recent[:MOST_CANDIDATES]
    if not recent:
        return []
    finishes = [row["finished_at"] for row in recent]
    since = min(first_hour(activity) or at, finished[-1]["finished_at"])
    until = min(context.now, at + AFTER)
    counts = await _counts(context, key, (start, end), {until, *finishes})
    only = _introducing(release, seen, fitting)
    candidates = [
        Candidate(
            row["deployment_id"],
            row["finished_at"],
            *_around(counts, row["finished_at"], full_hour(since), until),
            row["deployment_id"] == only,
        )
        for row in recent
    ]
    beginning = Beginning(
        at,
        since,
        [row["finished_at"] for row in fitting],
        _days_by_hour(activity),
        [count > 0 for count in counts.hours(full_hour(at) + HOUR, full_hour(end))],
    )
    previous = {row["deployment_id"]: row["previous_id"] for row in recent}
    return await _described(context, key[0], ranked(beginning, candidates), previous, links)


def _hours_of_project(project_id: int, span: Range) -> Slice:
    scope = Scope.of([project_id])
    return Slice(ERROR_OCCURRENCES.name, scope, Filter(), span, Interval.HOUR)


def _days_by_hour(activity: Answer) -> Counter[int]:
    """The days on which a project had errors, for each hour of the day."""
    cells = zip(activity.buckets, activity.per_bucket(), strict=True)
    return Counter(bucket.start.hour for bucket, cell in cells if any(cell.counts))


def _fits(row: Any, origins: Sequence[Any]) -> bool:
    """Whether a deployment went where the error occurs, as far as both are known."""
    return not origins or any(
        all(NONE in {origin[name], row[name]} or origin[name] == row[name] for name in _ORIGIN)
        for origin in origins
    )


def _introducing(release: str | None, seen: Sequence[Any], fitting: Sequence[Any]) -> UUID | None:
    """Returns the first deployment of the release if only earlier ones are free of the error."""
    earlier = list(takewhile(lambda row: row["release"] != release, seen))
    if not earlier or len(earlier) == len(seen) or any(row["has_error"] for row in earlier):
        return None
    of_release = [row["deployment_id"] for row in fitting if row["release"] == release]
    return of_release[-1] if of_release else None


@dataclass(frozen=True, slots=True)
class _Counts:
    """The occurrences of an error before each full hour and some other moments."""

    until: Mapping[datetime, int]

    def sample(self, start: datetime, end: datetime) -> Sample:
        return Sample(self.until[end] - self.until[start], (end - start) / HOUR)

    def hours(self, start: datetime, end: datetime) -> list[int]:
        """Returns the occurrences in each of some full hours."""
        starts = (start + number * HOUR for number in range((end - start) // HOUR))
        return [self.until[at + HOUR] - self.until[at] for at in starts]


async def _counts(
    context: Context,
    key: tuple[int, UUID],
    span: tuple[datetime, datetime],
    moments: Collection[datetime],
) -> _Counts:
    hours = [span[0] + number * HOUR for number in range((span[1] - span[0]) // HOUR + 1)]
    cuts = tuple(sorted({*hours, *moments}))
    found = await context.loaders.error_counts(Counting(cuts)).load(key) or {}
    numbers = (found.get(number, 0) for number in range(len(cuts) - 1))
    return _Counts(dict(zip(cuts, accumulate(numbers, initial=0), strict=True)))


def _around(
    counts: _Counts, finished_at: datetime, since: datetime, until: datetime
) -> tuple[Sample, Sample, History]:
    """Returns the day before a deployment, the time after it, and the days before it."""
    hour = full_hour(finished_at)
    block = min(24, max(1, -(-(until - hour) // HOUR)))
    days = days_of(counts.hours(since, hour), block)
    return (
        counts.sample(max(hour - DAY, since), finished_at),
        counts.sample(finished_at, until),
        [[Sample(sum(hours), block) for hours in day] for day in days],
    )


async def _described(
    context: Context,
    project_id: int,
    found: Sequence[Suspect],
    previous: Mapping[UUID, UUID | None],
    links: Links,
) -> list[SuspectDeployment]:
    """Loads the deployments, and those before them."""
    ids = {each.candidate.deployment_id for each in found}
    ids |= {before for id in ids if (before := previous[id]) is not None}
    keys = [(project_id, id) for id in sorted(ids)]
    rows = await entities_by_keys(context, Deployment, keys, links)
    by_id: dict[UUID | None, Deployment] = {each.row["deployment_id"]: each for each in rows}
    return [
        SuspectDeployment(by_id[id], by_id.get(previous[id]), each)
        for each in found
        if (id := each.candidate.deployment_id) in by_id
    ]
