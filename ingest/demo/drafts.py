"""Drafts the demo's deployments and plants incidents among them. Docs: docs/demo.md."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import log

from ingest.demo.cast import (
    ERRORS,
    HYPERION,
    MEDIAN_SECONDS,
    OUTAGE_ERROR,
    PREVIEW,
    PRODUCTION,
    PROJECTS,
    STAGING,
    DemoProject,
)

DAYS = 60

OUTAGE_NETWORK = HYPERION
OUTAGE_FAILURE_RATE = 0.5
SLOW_FRAMEWORK = "nextjs"
SLOW_FACTOR = 2.6
STOPPED_PROJECT = "legacy-portal"
RISING_TEMPLATE = "open-webui"
RISING_PROJECTS = ("assistant", "analytics-board", "support-desk", "notifications")
ROLLED_BACK_PROJECT = "checkout"
ROLLED_BACK = 6
RUNNING_NOW = 6
QUEUED_NOW = 4

_PROJECT = {project.slug: project for project in PROJECTS}
_ENVIRONMENTS = {PREVIEW: 52, STAGING: 26, PRODUCTION: 22}
_WEEKEND = 0.3
_HOURS = (2, 1, 1, 1, 1, 2, 4, 9, 15, 20, 22, 20, 15, 19, 23, 23, 20, 15, 10, 7, 6, 5, 4, 3)
# Failed, cancelled and rolled back deployments in a thousand; the rest succeed.
_MISHAPS = {PREVIEW: (50, 30, 0), STAGING: (40, 20, 0), PRODUCTION: (25, 10, 12)}
_SPREAD = 0.35
_OUTAGE_RETRIES = 60
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open period: it includes its start and not its end."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Story:
    """The times of the planted incidents, relative to a given moment."""

    whole: Period
    outage: Period
    slow_week: Period
    bad_release: Period
    stopped_at: datetime
    rising_since: datetime

    @classmethod
    def at(cls, now: datetime) -> "Story":
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

        def moment(days_ago: int, hour: int = 0) -> datetime:
            return today - timedelta(days=days_ago) + timedelta(hours=hour)

        return cls(
            whole=Period(moment(DAYS - 1), now),
            outage=Period(moment(3, 13), moment(3, 17)),
            slow_week=Period(moment(21), moment(14)),
            bad_release=Period(moment(9, 14), moment(9, 16)),
            stopped_at=moment(18),
            rising_since=moment(20),
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A deployment before it becomes events."""

    project: DemoProject
    at: datetime
    environment: str
    template: str
    duration: timedelta
    outcome: str  # the last event type; "queued" and "started" for unfinished ones
    error: str | None = None


def drafts(story: Story, deployments: int, rng: random.Random) -> list[Draft]:
    """Returns about this many deployments, plus those of the incidents, ordered by creation."""
    usual = [*_everyday(story, deployments, rng), *_rising(story, rng), *_retries(story, rng)]
    changed = [_with_incidents(draft, story, rng) for draft in usual if not _stopped(draft, story)]
    changed += [*_bad_release(story, rng), *_under_way(story, rng)]
    return sorted(changed, key=lambda draft: (draft.at, draft.project.slug))


def _everyday(story: Story, deployments: int, rng: random.Random) -> Iterator[Draft]:
    """A growing platform with busy office hours and quiet weekends."""
    days = [story.whole.start + timedelta(days=number) for number in range(DAYS)]
    day_weights = [
        (1 + number / DAYS) * (_WEEKEND if day.weekday() >= 5 else 1)
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
    duration = timedelta(seconds=rng.lognormvariate(log(median), _SPREAD))
    draft = Draft(project, at, environment, project.template, duration, "succeeded")
    failed, cancelled, rolled_back = _MISHAPS[environment]
    fate = rng.uniform(0, 1000)
    if fate < failed:
        return _failed(draft, rng.choice(ERRORS), rng)
    if fate < failed + cancelled:
        return replace(draft, outcome="cancelled", duration=duration * rng.uniform(0.1, 0.8))
    if fate < failed + cancelled + rolled_back:
        return replace(draft, outcome="rolled_back")
    return draft


def _failed(draft: Draft, error: str, rng: random.Random) -> Draft:
    duration = draft.duration * rng.uniform(0.3, 1)
    return replace(draft, outcome="failed", error=error, duration=duration)


def _with_incidents(draft: Draft, story: Story, rng: random.Random) -> Draft:
    """Applies the slow week and the outage to a draft."""
    if draft.at in story.slow_week and draft.project.framework == SLOW_FRAMEWORK:
        draft = replace(draft, duration=draft.duration * SLOW_FACTOR)
    if draft.at in story.outage and draft.project.network == OUTAGE_NETWORK:
        succeeded = replace(draft, outcome="succeeded", error=None)
        fails = rng.random() < OUTAGE_FAILURE_RATE
        return _failed(succeeded, OUTAGE_ERROR, rng) if fails else succeeded
    return draft


def _stopped(draft: Draft, story: Story) -> bool:
    return draft.project.slug == STOPPED_PROJECT and draft.at >= story.stopped_at


def _retries(story: Story, rng: random.Random) -> Iterator[Draft]:
    """Further deployments during the outage, because failed ones are retried."""
    affected = [project for project in PROJECTS if project.network == OUTAGE_NETWORK]
    for _ in range(_OUTAGE_RETRIES):
        at = story.outage.start + story.outage.length * rng.random()
        yield _draft(rng.choice(affected), at, rng)


def _rising(story: Story, rng: random.Random) -> Iterator[Draft]:
    """The rising template: more deployments each day, by more and more projects."""
    days = (story.whole.end - story.rising_since).days + 1
    for number in range(days):
        joined = RISING_PROJECTS[: 1 + number * len(RISING_PROJECTS) // days]
        for _ in range(1 + number):
            at = story.rising_since + timedelta(days=number + rng.random())
            project = _PROJECT[rng.choice(joined)]
            if at < story.whole.end:
                yield replace(_draft(project, at, rng), template=RISING_TEMPLATE)


def _bad_release(story: Story, rng: random.Random) -> Iterator[Draft]:
    """A release that is deployed again and again, and rolled back each time."""
    project, step = _PROJECT[ROLLED_BACK_PROJECT], story.bad_release.length
    for number in range(ROLLED_BACK):
        at = story.bad_release.start + step * (number / ROLLED_BACK)
        draft = _draft(project, at, rng)
        duration = timedelta(seconds=MEDIAN_SECONDS[project.framework])
        yield replace(
            draft, environment=PRODUCTION, outcome="rolled_back", error=None, duration=duration
        )


def _under_way(story: Story, rng: random.Random) -> Iterable[Draft]:
    """Deployments that are running or queued at the end."""
    now = story.whole.end
    running = [(now - rng.uniform(3, 8) * _MINUTE, "started") for _ in range(RUNNING_NOW)]
    queued = [(now - rng.uniform(0.5, 2) * _MINUTE, "queued") for _ in range(QUEUED_NOW)]
    active = [project for project in PROJECTS if project.slug != STOPPED_PROJECT]
    for at, outcome in [*running, *queued]:
        draft = _draft(rng.choice(active), at, rng)
        yield replace(draft, outcome=outcome, error=None)
