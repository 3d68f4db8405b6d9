"""The invocations of the demo's functions."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from math import log

from ingest.demo.cast import FUNCTIONS, PREVIEW, PRODUCTION, REGIONS, DemoFunction
from ingest.demo.plain import Timed, event
from ingest.demo.rhythm import evenly, moments
from ingest.demo.story import FAULTY_FUNCTION, FAULTY_PROJECT, Story

FAULTY_ERROR_RATE = 0.4
FAULTY_FACTOR = 3.5
RUNNING_NOW = 5

_FUNCTION = {(function.project, function.name): function for function in FUNCTIONS}
_ENVIRONMENTS = {PRODUCTION: 80, PREVIEW: 20}
_ERROR_RATE = 0.01
_COLD_STARTS = 0.06
_SPREAD = 0.4
_RETRIES = 150  # while the faulty release is live, callers try again
_MIB = 1024 * 1024


def invocations(story: Story, invocations: int, rng: random.Random) -> Iterator[Timed]:
    """Yields about this many completed invocations, those of the incident, and some running."""
    numbers = count(1)
    weights = [function.weight for function in FUNCTIONS]
    for at in moments(story, story.invocations, invocations, rng):
        (function,) = rng.choices(FUNCTIONS, weights)
        (environment,) = rng.choices(list(_ENVIRONMENTS), list(_ENVIRONMENTS.values()))
        yield _completed(function, environment, next(numbers), at, story, rng)
    faulty = _FUNCTION[FAULTY_PROJECT, FAULTY_FUNCTION]
    for at in evenly(story.faulty_release, _RETRIES, rng):
        yield _completed(faulty, PRODUCTION, next(numbers), at, story, rng)
    for _ in range(RUNNING_NOW):
        at = story.whole.end - timedelta(seconds=rng.uniform(1, 20))
        yield _started(rng.choice(FUNCTIONS), next(numbers), at, rng)


def _completed(
    function: DemoFunction,
    environment: str,
    number: int,
    at: datetime,
    story: Story,
    rng: random.Random,
) -> Timed:
    """An invocation that ended at this time."""
    is_faulty = (
        (function.project, function.name) == (FAULTY_PROJECT, FAULTY_FUNCTION)
        and environment == PRODUCTION
        and at in story.faulty_release
    )
    fails = rng.random() < (FAULTY_ERROR_RATE if is_faulty else _ERROR_RATE)
    median = function.median_ms * (FAULTY_FACTOR if is_faulty else 1)
    is_cold = rng.random() < _COLD_STARTS
    fields = _common(function, environment, number, rng) | {
        "durationMs": round(rng.lognormvariate(log(median), _SPREAD), 3),
        "status": "error" if fails else "success",
        "error": function.error if fails else None,
        "coldStart": is_cold,
        "initMs": round(rng.lognormvariate(log(function.init_ms), _SPREAD), 3) if is_cold else None,
        "memoryBytes": int(function.memory_mib * _MIB * rng.uniform(0.5, 0.9)),
    }
    return event("function.completed", f"{function.name}-{number}:completed", at, fields)


def _started(function: DemoFunction, number: int, at: datetime, rng: random.Random) -> Timed:
    fields = _common(function, PRODUCTION, number, rng)
    return event("function.started", f"{function.name}-{number}:started", at, fields)


def _common(
    function: DemoFunction, environment: str, number: int, rng: random.Random
) -> dict[str, object]:
    (region,) = rng.choices(list(REGIONS), list(REGIONS.values()))
    return {
        "project": function.project,
        "function": function.name,
        "invocation": f"{function.name}-{number}",
        "environment": environment,
        "runtime": function.runtime,
        "region": region,
    }
