"""Makes the demo's events: the same ones for the same seed and moment."""

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ingest.demo.api_calls import api_calls
from ingest.demo.builds import builds
from ingest.demo.certificates import certificates
from ingest.demo.deployments import deployments
from ingest.demo.drafts import drafts
from ingest.demo.errors import errors
from ingest.demo.invocations import invocations
from ingest.demo.log_lines import log_lines
from ingest.demo.model_calls import model_calls
from ingest.demo.plain import Timed
from ingest.demo.samples import samples
from ingest.demo.story import Story

SEED = 1088
DEPLOYMENTS = 10_000
# How many of each there are for every deployment.
INVOCATIONS = 0.7
API_CALLS = 0.4
MODEL_CALLS = 0.3
SAMPLES = 0.08
ERRORS = 0.08
LOG_LINES = 0.08


def history(now: datetime, count: int, seed: int = SEED) -> list[dict[str, Any]]:
    """Returns the events of about this many deployments up to now, and of all other facts.

    They are ordered by time.
    """
    events = sorted(_events(Story.at(now), count, seed), key=lambda each: (each[0], each[1]["id"]))
    return [event for at, event in events if at <= now]


def _events(story: Story, count: int, seed: int) -> Iterator[Timed]:
    """All events. Each fact has random numbers of its own, so that none changes another."""
    drafted = drafts(story, count, _random(seed, "drafts"))
    yield from deployments(drafted, _random(seed, "deployments"))
    yield from builds(drafted, story, _random(seed, "builds"))
    yield from invocations(story, round(INVOCATIONS * count), _random(seed, "invocations"))
    yield from api_calls(story, round(API_CALLS * count), _random(seed, "api_calls"))
    yield from model_calls(story, round(MODEL_CALLS * count), _random(seed, "model_calls"))
    yield from samples(story, round(SAMPLES * count), _random(seed, "samples"))
    yield from certificates(story, _random(seed, "certificates"))
    yield from errors(drafted, story, round(ERRORS * count), _random(seed, "errors"))
    lines = round(LOG_LINES * count)
    yield from log_lines(drafted, story, lines, _random(seed, "log_lines"))


def _random(seed: int, fact: str) -> random.Random:
    return random.Random(f"{seed}:{fact}")
