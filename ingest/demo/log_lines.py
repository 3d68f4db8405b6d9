"""What the demo's programs log."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count

from ingest.demo.cast import PRODUCTION
from ingest.demo.drafts import Draft
from ingest.demo.errors import live_at, live_deployments
from ingest.demo.plain import Timed, event
from ingest.demo.rhythm import evenly, moments
from ingest.demo.story import BROKEN_PROJECT, Story

SILENT_FEED = "feed does not answer, prices are old"

_ALARMED = 180
# Level, logger, message and weight; {} is a number.
_LINES = (
    ("info", "http", "request served in {} ms", 40),
    ("debug", "cache", "entry {} was not there", 25),
    ("info", "jobs", "job {} is done", 15),
    ("info", "wallet", "transaction {} is confirmed", 10),
    ("warn", "http", "request took {} ms", 6),
    ("warn", "wallet", "gas price is above the limit, trying again", 3),
    ("error", "jobs", "job {} failed and will not be tried again", 1),
)


def log_lines(
    drafts: Sequence[Draft], story: Story, lines: int, rng: random.Random
) -> Iterator[Timed]:
    """Yields about this many lines from production, plus those of the incident."""
    live, numbers = live_deployments(drafts), count(1)
    weights = [weight for *_, weight in _LINES]
    for at in moments(story, story.log_lines, lines, rng):
        ((level, logger, message, _),) = rng.choices(_LINES, weights)
        if draft := live_at(live[rng.choice(list(live))], at):
            yield _line(next(numbers), draft, at, (level, logger, message), rng)
    for at in evenly(story.broken_hour, _ALARMED, rng):
        if draft := live_at(live[BROKEN_PROJECT], at):
            yield _line(next(numbers), draft, at, ("error", "feeds", SILENT_FEED), rng)


def _line(
    number: int, draft: Draft, at: datetime, what: tuple[str, str, str], rng: random.Random
) -> Timed:
    level, logger, message = what
    fields = {
        "project": draft.project.slug,
        "environment": PRODUCTION,
        "release": draft.release,
        "level": level,
        "logger": logger,
        "message": message.replace("{}", str(rng.randrange(100, 9_999))),
        "fields": {"region": rng.choice(("eu-central", "us-east")), "worker": rng.randrange(8)},
    }
    return event("log.line", f"log-line-{number}", at, fields)
