"""The calls of the demo's language models."""

import random
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from math import log

from ingest.demo.cast import MODELS, PRODUCTION, DemoModel
from ingest.demo.plain import Timed, event
from ingest.demo.rhythm import evenly, moments
from ingest.demo.story import DOUBTED, Period, Story

DOUBTED_RATE = 0.35

_DOUBTED = next(each for each in MODELS if (each.project, each.task) == DOUBTED)
_AGAIN = 120  # whoever rejects a reply asks for another one
_DECIDED = 0.4  # about the other answers nobody says anything
_SPREAD = 0.4


def model_calls(story: Story, calls: int, rng: random.Random) -> Iterator[Timed]:
    """Yields about this many calls, plus those of the incident."""
    numbers = count(1)
    weights = [model.weight for model in MODELS]
    for at in moments(story, story.model_calls, calls, rng):
        (model,) = rng.choices(MODELS, weights)
        yield _call(model, next(numbers), at, story, rng)
    for at in evenly(Period(story.doubted_since, story.whole.end), _AGAIN, rng):
        yield _call(_DOUBTED, next(numbers), at, story, rng)


def _call(model: DemoModel, number: int, at: datetime, story: Story, rng: random.Random) -> Timed:
    """A call that was answered at this time."""
    doubted = model is _DOUBTED and at >= story.doubted_since
    accepted = DOUBTED_RATE if doubted else model.accepted
    longer = rng.lognormvariate(0, _SPREAD)
    fields = {
        "project": model.project,
        "model": model.model,
        "task": model.task,
        "environment": PRODUCTION,
        "inputTokens": round(rng.lognormvariate(log(model.input_tokens), _SPREAD)),
        "outputTokens": round(model.output_tokens * longer),
        "durationMs": round(model.median_ms * longer * rng.uniform(0.9, 1.1), 3),
        "accepted": rng.random() < accepted if rng.random() < _DECIDED else None,
    }
    return event("model.call", f"model-call-{number}", at, fields)
