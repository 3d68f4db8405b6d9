"""Makes the demo's events: the same ones for the same seed and moment."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from ingest.demo.cast import PEOPLE, PREVIEW, PRODUCTION
from ingest.demo.drafts import Draft, Story, drafts

SEED = 1088
SOURCE = "demo"

_LOG_WAIT_SECONDS = (1.1, 0.7)  # mean and standard deviation
_PROGRESS_SHARE = 0.1
_FINISHES = {"succeeded", "failed", "cancelled", "rolled_back"}

# An event's type, time and further fields.
Step = tuple[str, datetime, dict[str, Any]]


def history(now: datetime, deployments: int, seed: int = SEED) -> list[dict[str, Any]]:
    """Returns all events up to now, ordered by time."""
    rng = random.Random(seed)
    numbers: Counter[str] = Counter()
    live: dict[str, str] = {}
    events: list[tuple[datetime, dict[str, Any]]] = []
    for draft in drafts(Story.at(now), deployments, rng):
        slug = draft.project.slug
        numbers[slug] += 1
        name = f"{slug}-{numbers[slug]}"
        common = _common(draft, name, rng)
        for kind, at, more in _steps(draft, live.get(slug), rng):
            if at <= now:
                named = {"id": f"{name}:{kind}", "type": f"deployment.{kind}"}
                events.append((at, named | common | more | {"time": at.isoformat()}))
        if draft.environment == PRODUCTION and draft.outcome == "succeeded":
            live[slug] = name
    return [event for _, event in sorted(events, key=lambda pair: (pair[0], pair[1]["id"]))]


def _common(draft: Draft, name: str, rng: random.Random) -> dict[str, Any]:
    branch = f"feature-{rng.randrange(1, 400)}" if draft.environment == PREVIEW else "main"
    return {
        "project": draft.project.slug,
        "deployment": name,
        "environment": draft.environment,
        "network": draft.project.network,
        "template": draft.template,
        "framework": draft.project.framework,
        "actor": rng.choice(PEOPLE),
        "source": SOURCE,
        "attributes": {"branch": branch, "commit": f"{rng.getrandbits(48):012x}"},
    }


def _steps(draft: Draft, live: str | None, rng: random.Random) -> list[Step]:
    """The events of a deployment."""
    steps: list[Step] = [("queued", draft.at, {})]
    if draft.outcome == "queued":
        return steps
    started = draft.at + timedelta(seconds=rng.lognormvariate(*_LOG_WAIT_SECONDS))
    steps.append(("started", started, {}))
    if rng.random() < _PROGRESS_SHARE:
        steps.append(("progress", started + draft.duration / 2, {}))
    if draft.outcome not in _FINISHES:
        return steps
    finished = started + draft.duration
    if draft.outcome == "rolled_back":
        undone = finished + timedelta(minutes=rng.uniform(3, 15))
        target = {"toDeployment": live} if live else {}
        return [*steps, ("succeeded", finished, {}), ("rolled_back", undone, target)]
    error = {"error": draft.error} if draft.error else {}
    return [*steps, (draft.outcome, finished, error)]
