"""The events of the demo's builds and of their phases."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.demo.cast import BUILD_ERRORS, MEDIAN_SECONDS
from ingest.demo.drafts import SLOW_FACTOR, Draft
from ingest.demo.plain import Timed, event
from ingest.demo.story import SLOW_FRAMEWORK, SLOW_PHASE, SLOW_PHASE_TEMPLATE, Story

SLOW_PHASE_FACTOR = 4
RUNNING_NOW = 3
QUEUED_NOW = 2

# The phases, with their shares of a build's duration.
_PHASES = {"clone": 0.05, "install": 0.35, "build": 0.42, "optimize": 0.1, "upload": 0.08}
_OF_DEPLOYMENT = 0.8  # a build's median duration, relative to that of its deployment
_SPREAD = 0.25
# How many deployments had a build before that failed or was cancelled, and how far it came.
_FAILED, _CANCELLED = 0.05, 0.02
_LAST_PHASES = (["clone", "install"], ["clone", "install", "build"])
_WAITED = 0.1  # the share of builds that waited for a builder
_ASSETS = {"nextjs": 420, "react": 180, "vue": 160, "svelte": 90, "astro": 240}
_FEW_ASSETS = 30


@dataclass(frozen=True, slots=True)
class _Build:
    """A build; its last phase ends as the build does."""

    name: str
    draft: Draft  # the deployment that it was made for
    outcome: str  # the last event type; "queued" and "started" for unfinished ones
    began: datetime
    phases: dict[str, timedelta]

    @property
    def finished(self) -> datetime:
        return self.began + sum(self.phases.values(), timedelta())


def builds(drafts: Sequence[Draft], story: Story, rng: random.Random) -> Iterator[Timed]:
    """Yields the events of one succeeded build for each draft, and of others before some."""
    for build in _builds(drafts, story, rng):
        yield from _status_events(build, rng)
        if build.draft.at in story.phases:
            yield from _phase_events(build)


def _builds(drafts: Sequence[Draft], story: Story, rng: random.Random) -> Iterator[_Build]:
    for draft in drafts:
        phases = _durations(draft, story, rng)
        began = draft.at - sum(phases.values(), timedelta(seconds=rng.uniform(0.5, 3)))
        yield _Build(f"{draft.name}-build", draft, "succeeded", began, phases)
        fate = rng.random()
        if fate < _FAILED + _CANCELLED:
            began -= timedelta(minutes=rng.uniform(10, 30))
            done = {phase: phases[phase] * rng.random() for phase in rng.choice(_LAST_PHASES)}
            outcome = "failed" if fate < _FAILED else "cancelled"
            yield _Build(f"{draft.name}-attempt", draft, outcome, began, done)
    for number, draft in enumerate(drafts[-RUNNING_NOW - QUEUED_NOW :]):
        began = story.whole.end - timedelta(seconds=rng.uniform(1, 30))
        outcome = "started" if number < RUNNING_NOW else "queued"
        yield _Build(f"{draft.name}-next", draft, outcome, began, {})


def _durations(draft: Draft, story: Story, rng: random.Random) -> dict[str, timedelta]:
    seconds = MEDIAN_SECONDS[draft.project.framework] * _OF_DEPLOYMENT
    if draft.at in story.slow_week and draft.project.framework == SLOW_FRAMEWORK:
        seconds *= SLOW_FACTOR
    durations = {
        phase: timedelta(seconds=seconds * share * rng.lognormvariate(0, _SPREAD))
        for phase, share in _PHASES.items()
    }
    if draft.at >= story.slow_phase_since and draft.template == SLOW_PHASE_TEMPLATE:
        durations[SLOW_PHASE] *= SLOW_PHASE_FACTOR
    return durations


def _status_events(build: _Build, rng: random.Random) -> Iterator[Timed]:
    common = _common(build) | {"branch": build.draft.branch, "commit": build.draft.commit}
    if build.outcome == "succeeded":  # only such builds are deployed
        common["deployment"] = build.draft.name

    def status(kind: str, at: datetime, results: dict[str, Any]) -> Timed:
        return event(f"build.{kind}", f"{build.name}:{kind}", at, common | results)

    if build.outcome == "queued" or rng.random() < _WAITED:
        yield status("queued", build.began - timedelta(seconds=rng.uniform(2, 40)), {})
    if build.outcome != "queued":
        yield status("started", build.began, {})
    if build.phases:
        yield status(build.outcome, build.finished, _results(build, rng))


def _results(build: _Build, rng: random.Random) -> dict[str, Any]:
    duration_ms = (build.finished - build.began) / timedelta(milliseconds=1)
    results: dict[str, Any] = {
        "cpuMs": int(duration_ms * rng.uniform(0.8, 1.9)),
        "memoryBytes": int(rng.lognormvariate(20.5, 0.3)),  # about 800 MB
    }
    if build.outcome == "failed":
        results["error"] = rng.choice(BUILD_ERRORS)
    if build.outcome == "succeeded":
        assets = _ASSETS.get(build.draft.project.framework, _FEW_ASSETS)
        results["assetCount"] = int(assets * rng.uniform(0.9, 1.1))
        results["totalBytes"] = results["assetCount"] * rng.randrange(30_000, 50_000)
    return results


def _phase_events(build: _Build) -> Iterator[Timed]:
    common, at = _common(build), build.began
    for phase, took in build.phases.items():
        at += took
        fields = {
            "phase": phase,
            "durationMs": round(took / timedelta(milliseconds=1), 3),
            "status": build.outcome if at == build.finished else "succeeded",
        }
        yield event("build.phase", f"{build.name}:{phase}", at, common | fields)


def _common(build: _Build) -> dict[str, Any]:
    draft = build.draft
    return {
        "project": draft.project.slug,
        "build": build.name,
        "environment": draft.environment,
        "template": draft.template,
        "framework": draft.project.framework,
    }
