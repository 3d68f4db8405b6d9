"""The errors of the demo's programs, as Sentry's SDKs send them."""

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from ingest.demo.cast import PRODUCTION
from ingest.demo.drafts import Draft
from ingest.demo.faults import (
    FAULTS,
    LANGUAGES,
    NEW_FAULT,
    RETURNING_FAULT,
    SPIKING_FAULT,
    Fault,
)
from ingest.demo.plain import Timed, event
from ingest.demo.rhythm import evenly, moments
from ingest.demo.story import (
    BROKEN_PROJECT,
    FAULTY_FUNCTION,
    RETURNING_PROJECT,
    Period,
    Story,
)

NEW_ERRORS = 120
SPIKE = 240
RETURNED = 90

_UNAVAILABLE = 50  # without the spike
_BEFORE_RESOLVED = 40
_USERS = 40
_MINUTE, _MILLISECOND = timedelta(minutes=1), timedelta(milliseconds=1)


def errors(
    drafts: Sequence[Draft], story: Story, errors: int, rng: random.Random
) -> Iterator[Timed]:
    """Yields about this many errors in production, plus those of the incidents."""
    live = live_deployments(drafts)
    for at in moments(story, story.errors, errors, rng):
        slug = rng.choice(list(live))
        if draft := live_at(live[slug], at):
            fault = rng.choice(FAULTS[LANGUAGES[draft.project.framework]])
            yield _event(fault, draft, at, rng)
    usual, spike = moments(story, story.errors, _UNAVAILABLE, rng), story.broken_hour
    for at in (*usual, *evenly(spike, SPIKE, rng)):
        if draft := live_at(live[BROKEN_PROJECT], at):
            yield _event(SPIKING_FAULT, draft, at, rng)
    (faulty,) = (draft for draft in drafts if draft.live_for)
    for at in evenly(_within(story.faulty_release), NEW_ERRORS, rng):
        yield _event(NEW_FAULT, faulty, at, rng)
    yield from _returning(live[RETURNING_PROJECT], story, rng)


def _returning(live: list[Draft], story: Story, rng: random.Random) -> Iterator[Timed]:
    """An error until it was resolved, and again from a later release on."""
    unresolved = Period(story.errors.start, story.resolved_at)
    before = moments(story, unresolved, _BEFORE_RESOLVED, rng)
    for at in (*before, *evenly(_within(story.returned), RETURNED, rng)):
        if draft := live_at(live, at):
            yield _event(RETURNING_FAULT, draft, at, rng)


def _within(period: Period) -> Period:
    """The period without its first and last minute, as a release may end some seconds late."""
    return Period(period.start + _MINUTE, period.end - _MINUTE)


def live_deployments(drafts: Iterable[Draft]) -> dict[str, list[Draft]]:
    """The successful deployments to production by project, in the order of their ends."""
    found: defaultdict[str, list[Draft]] = defaultdict(list)
    for draft in sorted(drafts, key=attrgetter("ends_at")):
        if draft.environment == PRODUCTION and draft.outcome == "succeeded":
            found[draft.project.slug].append(draft)
    return found


def live_at(drafts: list[Draft], at: datetime) -> Draft | None:
    """The latest of these deployments that had ended at a time; None if there is none."""
    place = bisect_right(drafts, at, key=attrgetter("ends_at"))
    return drafts[place - 1] if place else None


def _event(fault: Fault, draft: Draft, at: datetime, rng: random.Random) -> Timed:
    project = draft.project
    fields = {
        "project": project.slug,
        "environment": PRODUCTION,
        "release": draft.release,
        "deployment": draft.name,
        "network": project.network,
        "template": draft.template,
        "function": FAULTY_FUNCTION if fault is NEW_FAULT else None,
        "user": f"user-{rng.randrange(1, _USERS + 1)}",
        "payload": _payload(fault, draft, at, rng),
    }
    event_id = UUID(int=rng.getrandbits(128), version=4)
    return event("error.occurred", str(event_id), at, fields)


def _payload(fault: Fault, draft: Draft, at: datetime, rng: random.Random) -> dict[str, Any]:
    slug = draft.project.slug
    frames = [
        {"filename": f"{slug}/{file}", "function": function, "lineno": line, "in_app": True}
        for file, function, line in fault.frames
    ]
    before = (at - rng.randrange(40, 4_000) * _MILLISECOND).isoformat()
    return {
        "platform": LANGUAGES[draft.project.framework],
        "level": fault.level,
        "transaction": fault.culprit,
        "exception": {
            "values": [
                {
                    "type": fault.type,
                    "value": fault.message.replace("{}", str(rng.randrange(1_000, 99_999))),
                    "stacktrace": {"frames": frames},
                }
            ]
        },
        "tags": {"region": rng.choice(("eu-central", "us-east"))},
        "breadcrumbs": {
            "values": [{"timestamp": before, "category": "http", "message": fault.culprit}]
        },
    }
