"""The events of the demo's deployments."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from ingest.demo.cast import PRODUCTION
from ingest.demo.drafts import Draft
from ingest.demo.plain import Timed, event

_LOG_WAIT_SECONDS = (1.1, 0.7)  # mean and standard deviation
_PROGRESS_SHARE = 0.1
_FINISHES = {"succeeded", "failed", "cancelled", "rolled_back"}

# The last part of an event's type, its time and further fields.
Step = tuple[str, datetime, dict[str, str]]


def deployments(drafts: Sequence[Draft], rng: random.Random) -> Iterator[Timed]:
    """Yields the events of all drafts."""
    live: dict[str, str] = {}  # by project, what a rollback goes back to
    for draft in drafts:
        slug = draft.project.slug
        common = {
            "project": slug,
            "deployment": draft.name,
            "environment": draft.environment,
            "network": draft.project.network,
            "template": draft.template,
            "framework": draft.project.framework,
            "actor": draft.actor,
            "release": draft.release,
            "commit": draft.commit,
            "repository": draft.repository,
            "attributes": {"branch": draft.branch},
        }
        for kind, at, more in _steps(draft, live.get(slug), rng):
            yield event(f"deployment.{kind}", f"{draft.name}:{kind}", at, common | more)
        if draft.environment == PRODUCTION and draft.outcome == "succeeded":
            live[slug] = draft.name


def _steps(draft: Draft, live: str | None, rng: random.Random) -> list[Step]:
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
        undone = finished + (draft.live_for or timedelta(minutes=rng.uniform(3, 15)))
        target = {"toDeployment": live} if live else {}
        return [*steps, ("succeeded", finished, {}), ("rolled_back", undone, target)]
    error = {"error": draft.error} if draft.error else {}
    return [*steps, (draft.outcome, finished, error)]
