"""Which deployments the demo tells of: who deployed what, when, and how it went."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log

from ingest.demo import story as planted
from ingest.demo.cast import (
    ERRORS,
    MEDIAN_SECONDS,
    OUTAGE_ERROR,
    PREVIEW,
    PRODUCTION,
    PROJECTS,
    STAGING,
    DemoProject,
)
from ingest.demo.story import Story

_PROJECT = {project.slug: project for project in PROJECTS}
_ENVIRONMENTS = {PREVIEW: 52, STAGING: 26, PRODUCTION: 22}
_WEEKEND = 0.3
_HOURS = (2, 1, 1, 1, 1, 2, 4, 9, 15, 20, 22, 20, 15, 19, 23, 23, 20, 15, 10, 7, 6, 5, 4, 3)
# Failed, cancelled, rolled back among a thousand deployments; the rest succeed.
_MISHAPS = {PREVIEW: (50, 30, 0), STAGING: (40, 20, 0), PRODUCTION: (25, 10, 12)}
_SPREAD = 0.35
_OUTAGE_RETRIES = 60
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Draft:
    """A deployment before it becomes events."""

    project: DemoProject
    at: datetime
    environment: str
    template: str
    took: timedelta
    outcome: str  # "queued" and "started" are as far as it came
    error: str | None = None


def drafts(story: Story, deployments: int, rng: random.Random) -> list[Draft]:
    """About as many as asked for, and what is planted, in the order of their creation."""
    made = [*_everyday(story, deployments, rng), *_rising(story, rng), *_retries(story, rng)]
    told = [_touched(draft, story, rng) for draft in made if not _has_stopped(draft, story)]
    told += [*_bad_release(story, rng), *_under_way(story, rng)]
    return sorted(told, key=lambda draft: (draft.at, draft.project.slug))


def _everyday(story: Story, deployments: int, rng: random.Random) -> Iterator[Draft]:
    """The rhythm of a platform that grows: office hours, quiet weekends."""
    days = [story.whole.start + timedelta(days=number) for number in range(planted.DAYS)]
    day_weights = [
        (1 + number / planted.DAYS) * (_WEEKEND if day.weekday() >= 5 else 1)
        for number, day in enumerate(days)
    ]
    project_weights = [project.weight for project in PROJECTS]
    for _ in range(deployments):
        (day,) = rng.choices(days, day_weights)
        (hour,) = rng.choices(range(24), _HOURS)
        at = day + timedelta(hours=hour, seconds=rng.uniform(0, 3600))
        (project,) = rng.choices(PROJECTS, project_weights)
        if at < story.whole.end:
            yield _draft(project, at, rng)


def _draft(project: DemoProject, at: datetime, rng: random.Random) -> Draft:
    (environment,) = rng.choices(list(_ENVIRONMENTS), list(_ENVIRONMENTS.values()))
    median = MEDIAN_SECONDS[project.framework] * (1.2 if environment == PRODUCTION else 1)
    took = timedelta(seconds=rng.lognormvariate(log(median), _SPREAD))
    draft = Draft(project, at, environment, project.template, took, "succeeded")
    failed, cancelled, rolled_back = _MISHAPS[environment]
    fate = rng.uniform(0, 1000)
    if fate < failed:
        return _failed(draft, rng.choice(ERRORS), rng)
    if fate < failed + cancelled:
        return replace(draft, outcome="cancelled", took=took * rng.uniform(0.1, 0.8))
    if fate < failed + cancelled + rolled_back:
        return replace(draft, outcome="rolled_back")
    return draft


def _failed(draft: Draft, error: str, rng: random.Random) -> Draft:
    took = draft.took * rng.uniform(0.3, 1)
    return replace(draft, outcome="failed", error=error, took=took)


def _touched(draft: Draft, story: Story, rng: random.Random) -> Draft:
    """The draft after the outage and the slow week have had their way with it."""
    if draft.at in story.slow_week and draft.project.framework == planted.SLOW_FRAMEWORK:
        draft = replace(draft, took=draft.took * planted.SLOW_FACTOR)
    if draft.at in story.outage and draft.project.network == planted.OUTAGE_NETWORK:
        fine = replace(draft, outcome="succeeded", error=None)
        fails = rng.random() < planted.OUTAGE_FAILURE_RATE
        return _failed(fine, OUTAGE_ERROR, rng) if fails else fine
    return draft


def _has_stopped(draft: Draft, story: Story) -> bool:
    return draft.project.slug == planted.STOPPED_PROJECT and draft.at >= story.stopped_at


def _retries(story: Story, rng: random.Random) -> Iterator[Draft]:
    """What fails is tried again, so an outage is a busy time."""
    there = [project for project in PROJECTS if project.network == planted.OUTAGE_NETWORK]
    for _ in range(_OUTAGE_RETRIES):
        at = story.outage.start + story.outage.length * rng.random()
        yield _draft(rng.choice(there), at, rng)


def _rising(story: Story, rng: random.Random) -> Iterator[Draft]:
    """More each day, by more and more projects."""
    days = (story.whole.end - story.rising_since).days + 1
    for number in range(days):
        joined = planted.RISING_PROJECTS[: 1 + number * len(planted.RISING_PROJECTS) // days]
        for _ in range(1 + number):
            at = story.rising_since + timedelta(days=number + rng.random())
            project = _PROJECT[rng.choice(joined)]
            if at < story.whole.end:
                yield replace(_draft(project, at, rng), template=planted.RISING_TEMPLATE)


def _bad_release(story: Story, rng: random.Random) -> Iterator[Draft]:
    """Tried again and again, and undone each time."""
    project, step = _PROJECT[planted.ROLLED_BACK_PROJECT], story.bad_release.length
    for number in range(planted.ROLLED_BACK):
        at = story.bad_release.start + step * (number / planted.ROLLED_BACK)
        draft = _draft(project, at, rng)
        took = timedelta(seconds=MEDIAN_SECONDS[project.framework])
        yield replace(draft, environment=PRODUCTION, outcome="rolled_back", error=None, took=took)


def _under_way(story: Story, rng: random.Random) -> Iterable[Draft]:
    """Running and waiting at this moment."""
    now = story.whole.end
    running = [(now - rng.uniform(3, 8) * _MINUTE, "started") for _ in range(planted.RUNNING_NOW)]
    queued = [(now - rng.uniform(0.5, 2) * _MINUTE, "queued") for _ in range(planted.QUEUED_NOW)]
    active = [each for each in PROJECTS if each.slug != planted.STOPPED_PROJECT]
    for at, outcome in [*running, *queued]:
        draft = _draft(rng.choice(active), at, rng)
        yield replace(draft, outcome=outcome, error=None)
