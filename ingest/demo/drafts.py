"""Drafts the demo's deployments and plants incidents among them."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log

from ingest.demo.cast import (
    ERRORS,
    FAILING_ERROR,
    MEDIAN_SECONDS,
    OUTAGE_ERROR,
    PEOPLE,
    PREVIEW,
    PRODUCTION,
    PROJECTS,
    STAGING,
    UNFIT_ERROR,
    DemoProject,
)
from ingest.demo.rhythm import evenly, moments
from ingest.demo.story import (
    FAILING_NETWORK,
    FAULTY_PROJECT,
    OUTAGE_NETWORK,
    RETURNING_PROJECT,
    RISING_PROJECTS,
    RISING_TEMPLATE,
    ROLLED_BACK_PROJECT,
    SLOW_FRAMEWORK,
    STOPPED_PROJECT,
    UNFIT_NETWORK,
    UNFIT_TEMPLATE,
    Story,
)

OUTAGE_FAILURE_RATE = 0.5
SLOW_FACTOR = 2.6
ROLLED_BACK = 6
RUNNING_NOW = 6
QUEUED_NOW = 4
UNFIT_PROJECTS, UNFIT_TRIES = 8, 3
FAILING_TRIES = 6  # of each project

_PROJECT = {project.slug: project for project in PROJECTS}
_ENVIRONMENTS = {PREVIEW: 52, STAGING: 26, PRODUCTION: 22}
# Failed, cancelled and rolled back deployments in a thousand; the rest succeed.
_MISHAPS = {PREVIEW: (50, 30, 0), STAGING: (40, 20, 0), PRODUCTION: (25, 10, 12)}
_SPREAD = 0.35
_OUTAGE_RETRIES = 60
_MINUTE = timedelta(minutes=1)
_WAIT = timedelta(seconds=10)  # about the longest that a deployment is queued


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
    live_for: timedelta | None = None  # from its success to its rollback
    name: str = ""
    branch: str = ""
    commit: str = ""
    actor: str = ""
    release: str = ""

    @property
    def ends_at(self) -> datetime:
        return self.at + self.duration

    @property
    def repository(self) -> str:
        return f"https://github.com/example/{self.project.slug}"


def drafts(story: Story, deployments: int, rng: random.Random) -> list[Draft]:
    """Returns about this many deployments, plus those of the incidents, ordered by creation."""
    usual = [*_everyday(story, deployments, rng), *_rising(story, rng), *_retries(story, rng)]
    changed = [_with_incidents(draft, story, rng) for draft in usual if not _stopped(draft, story)]
    changed += [*_bad_release(story, rng), _faulty_release(story, rng), *_under_way(story, rng)]
    changed += [*_unfit_template(story, rng), _returning_release(story, rng)]
    changed += _failing_now(story, rng)
    return _named(sorted(changed, key=lambda draft: (draft.at, draft.project.slug)), rng)


def _named(drafts: Iterable[Draft], rng: random.Random) -> list[Draft]:
    """Numbers the deployments of each project, and gives each a commit and its author."""
    numbers: Counter[str] = Counter()
    named: list[Draft] = []
    for draft in drafts:
        slug = draft.project.slug
        numbers[slug] += 1
        preview = draft.environment == PREVIEW
        named.append(
            replace(
                draft,
                name=f"{slug}-{numbers[slug]}",
                branch=f"feature-{rng.randrange(1, 400)}" if preview else "main",
                commit=f"{rng.getrandbits(48):012x}",
                actor=rng.choice(PEOPLE),
                release=f"{slug}@1.{numbers[slug]}.0",
            )
        )
    return named


def _everyday(story: Story, deployments: int, rng: random.Random) -> Iterator[Draft]:
    weights = [project.weight for project in PROJECTS]
    for at in moments(story, story.whole, deployments, rng):
        (project,) = rng.choices(PROJECTS, weights)
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
    """Applies the slow week, the outage and the one faulty release to a draft."""
    if draft.project.slug == FAULTY_PROJECT and draft.outcome == "rolled_back":
        draft = replace(draft, outcome="succeeded")  # its faulty release is the only one
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
    for at in evenly(story.outage, _OUTAGE_RETRIES, rng):
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
    for number in range(ROLLED_BACK):
        at = story.bad_release.start + story.bad_release.length * (number / ROLLED_BACK)
        yield _release(ROLLED_BACK_PROJECT, at, rng)


def _faulty_release(story: Story, rng: random.Random) -> Draft:
    """A release whose function fails, until it is rolled back."""
    period = story.faulty_release
    draft = _release(FAULTY_PROJECT, period.start, rng)
    return replace(draft, at=period.start - draft.duration - _WAIT, live_for=period.length)


def _returning_release(story: Story, rng: random.Random) -> Draft:
    """A release that brings back an error that was resolved."""
    draft = _release(RETURNING_PROJECT, story.returned.start, rng)
    return replace(draft, at=draft.at - draft.duration - _WAIT, outcome="succeeded")


def _unfit_template(story: Story, rng: random.Random) -> Iterator[Draft]:
    """A template that many projects of a network try, and none can deploy."""
    trying = [each for each in PROJECTS if each.network == UNFIT_NETWORK][:UNFIT_PROJECTS]
    for at in evenly(story.unfit_template, UNFIT_PROJECTS * UNFIT_TRIES, rng):
        draft = replace(_draft(rng.choice(trying), at, rng), template=UNFIT_TEMPLATE)
        yield _failed(draft, UNFIT_ERROR, rng)


def _failing_now(story: Story, rng: random.Random) -> Iterator[Draft]:
    """A network that has been down for some minutes: whatever is tried fails."""
    for project in PROJECTS:
        if project.network == FAILING_NETWORK:
            for at in evenly(story.failing_now, FAILING_TRIES, rng):
                yield _failed(_draft(project, at, rng), FAILING_ERROR, rng)


def _release(slug: str, at: datetime, rng: random.Random) -> Draft:
    """A deployment to production that succeeds and is rolled back."""
    draft = _draft(_PROJECT[slug], at, rng)
    duration = timedelta(seconds=MEDIAN_SECONDS[draft.project.framework])
    return replace(
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
