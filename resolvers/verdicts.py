"""The verdict on a deployment: whether things became worse after it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from access.scopes import Scope
from analytics.periods import Duration, Range
from analytics.verdicts import Comparison, Outcome, compared, counted, first_hour, overall
from analytics.watched import (
    DEFAULT_WINDOW,
    LEAST_WINDOW,
    MOST_WINDOW,
    WATCHED,
    Windowed,
    Windows,
    deployments_before,
    slices_of,
)
from resolvers.context import Context
from resolvers.entities import Deployment
from resolvers.verdict_messages import message_of
from storage.dimensions import ENVIRONMENT, NETWORK, OTHER, TEMPLATE, Dimension
from storage.errors import InvalidInput
from storage.facts.lifecycle import Status
from storage.queries.times import parse_time

_ORIGIN = (ENVIRONMENT, NETWORK, TEMPLATE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a deployment, with its evidence."""

    outcome: Outcome
    message: str
    range: Range | None  # the window; None before the deployment has finished
    comparisons: Sequence[Comparison] = ()


def window_of(duration: Duration | None) -> timedelta:
    """Returns the length of a window; raises InvalidInput if it is too short or too long."""
    if duration is None:
        return DEFAULT_WINDOW
    length = timedelta(days=duration.days) + duration.time
    if duration.months or not LEAST_WINDOW <= length <= MOST_WINDOW:
        raise InvalidInput("A window has from 5 minutes to 24 hours.", path="window")
    return length


async def verdict(context: Context, deployment: Deployment, length: timedelta) -> Verdict:
    """Judges a deployment by the time of this length after it."""
    row = deployment.row
    finished_at = row["finished_at"] and parse_time(row["finished_at"])
    span = Range(finished_at, finished_at + length) if finished_at else None
    decided = _DECIDED.get(Status(row["status"]))
    if decided is not None:
        return Verdict(*decided, span)
    if span is None:
        return Verdict(Outcome.PENDING, "The deployment has not finished.", None)
    if context.now < span.end:
        minutes = -(-(span.end - context.now) // timedelta(minutes=1))
        message = f"The verdict is due in {minutes} minute{'s' if minutes > 1 else ''}."
        return Verdict(Outcome.PENDING, message, span)
    started_at = parse_time(row["started_at"] or row["created_at"])
    windows = Windows.of(started_at, span.start, length)
    comparisons = await _comparisons(context, deployment, windows)
    if comparisons is None:
        return Verdict(Outcome.INCONCLUSIVE, "Its hours are no longer stored.", span)
    outcome = overall(comparisons)
    return Verdict(outcome, message_of(outcome, comparisons), span, comparisons)


# What its status alone decides.
_DECIDED = {
    Status.FAILED: (Outcome.FAIL, "The deployment failed."),
    Status.ROLLED_BACK: (Outcome.FAIL, "The deployment was rolled back."),
    Status.CANCELLED: (Outcome.INCONCLUSIVE, "The deployment was cancelled."),
}


async def _comparisons(
    context: Context, deployment: Deployment, windows: Windows
) -> list[Comparison] | None:
    """Compares the windows; None if their rows are no longer stored."""
    scope = Scope.of([deployment.row["project_id"]])
    origin, load = await _origin(context, deployment), context.loaders.answers.load
    slices = [slices_of(watched, windows, scope, origin) for watched in WATCHED]
    wanted = [deployments_before(windows, scope, origin), *chain.from_iterable(slices)]
    try:
        earlier, *found = await asyncio.gather(*map(load, wanted))
    except InvalidInput:  # hours before the earliest one stored
        return None
    if any(answer.approximate for answer in found):
        return None
    answers = [Windowed(*found[at : at + 3]) for at in range(0, len(found), 3)]
    hours = [first_hour(history) for history in (earlier, *(each.history for each in answers))]
    since = min((hour for hour in hours if hour is not None), default=None)
    pairs = zip(WATCHED, answers, strict=True)
    return compared(counted(watched, each, windows, since) for watched, each in pairs)


async def _origin(context: Context, deployment: Deployment) -> Mapping[Dimension, int]:
    """Returns the ids of the environment, network and template that the deployment names."""
    found: dict[Dimension, int] = {}
    for dimension in _ORIGIN:
        name = deployment.row[dimension.name]
        if name:
            name = name.lower() if dimension.any_case else name
            ids = await context.services.dictionaries.ids(dimension, [name])
            found[dimension] = ids.get(name, OTHER)
    return found
