"""The calls of the demo's APIs."""

import random
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from math import log

from ingest.demo.cast import ENDPOINTS, PRODUCTION, DemoEndpoint
from ingest.demo.plain import Timed, event
from ingest.demo.rhythm import evenly, moments
from ingest.demo.story import BROKEN_ENDPOINT, BROKEN_PROJECT, Story

BROKEN_RATE = 0.6

_USERS = 40
_BROKEN = next(
    endpoint
    for endpoint in ENDPOINTS
    if (endpoint.project, endpoint.path) == (BROKEN_PROJECT, BROKEN_ENDPOINT)
)
# In a thousand calls, as many are answered with these; the rest succeed.
_ERRORS = {400: 12, 401: 8, 404: 15, 429: 5, 500: 2, 503: 1}
_SPREAD = 0.5
_REFUSED_BYTES = 180
_RETRIES = 120  # while the endpoint is broken, callers try again


def api_calls(story: Story, calls: int, rng: random.Random) -> Iterator[Timed]:
    """Yields about this many calls, plus those of the incident."""
    numbers = count(1)
    weights = [endpoint.weight for endpoint in ENDPOINTS]
    for at in moments(story, story.api_calls, calls, rng):
        (endpoint,) = rng.choices(ENDPOINTS, weights)
        yield _call(endpoint, next(numbers), at, story, rng)
    for at in evenly(story.broken_hour, _RETRIES, rng):
        yield _call(_BROKEN, next(numbers), at, story, rng)


def _call(
    endpoint: DemoEndpoint, number: int, at: datetime, story: Story, rng: random.Random
) -> Timed:
    """A call that was answered at this time."""
    broken = endpoint is _BROKEN and at in story.broken_hour and rng.random() < BROKEN_RATE
    status = 503 if broken else _status(endpoint, rng)
    size_bytes = _REFUSED_BYTES if status >= 400 else endpoint.response_bytes
    fields = {
        "project": endpoint.project,
        "endpoint": endpoint.path,
        "method": endpoint.method,
        "status": status,
        "environment": PRODUCTION,
        "durationMs": round(rng.lognormvariate(log(endpoint.median_ms), _SPREAD), 3),
        "user": f"user-{rng.randrange(1, _USERS + 1)}",
        "responseBytes": int(size_bytes * rng.uniform(0.5, 1.5)),
    }
    return event("api.call", f"call-{number}", at, fields)


def _status(endpoint: DemoEndpoint, rng: random.Random) -> int:
    fate = rng.uniform(0, 1000)
    for status, share in _ERRORS.items():
        if fate < share:
            return status
        fate -= share
    return endpoint.status
