"""The certificates of the demo's domains: one for each project, renewed now and then."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from ingest.demo.cast import PRODUCTION, PROJECTS
from ingest.demo.plain import Timed, event
from ingest.demo.story import EXPIRING_PROJECT, STOPPED_PROJECT, Story

VALID = timedelta(days=45)
RENEWED_AFTER = timedelta(days=30)
EXPIRES_IN = timedelta(days=5)  # of the one that cannot be renewed

_ISSUER = "Let's Encrypt"
_ERROR = "DNS has no CAA record that allows this issuer"


def certificates(story: Story, rng: random.Random) -> Iterator[Timed]:
    """Yields the events of every project's certificates up to now."""
    now = story.whole.end
    for project in PROJECTS:
        at = story.whole.start + rng.random() * RENEWED_AFTER
        ends = story.stopped_at if project.slug == STOPPED_PROJECT else now
        if project.slug == EXPIRING_PROJECT:
            at = now + EXPIRES_IN - VALID
            ends = at + RENEWED_AFTER
        kind = "issued"
        while at < ends:
            yield from _ordered(project.slug, kind, at, rng)
            at, kind = at + RENEWED_AFTER, "renewed"
        if project.slug == STOPPED_PROJECT:
            yield _event(project.slug, "removed", at - RENEWED_AFTER, ends)
        while at < now and project.slug == EXPIRING_PROJECT:
            yield from _ordered(project.slug, "failed", at, rng)
            at += timedelta(days=1)


def _ordered(slug: str, kind: str, at: datetime, rng: random.Random) -> Iterator[Timed]:
    """A certificate that is requested at this time, and how that ends."""
    yield _event(slug, "requested", at, at)
    yield _event(slug, kind, at, at + timedelta(seconds=rng.uniform(4, 40)))


def _event(slug: str, kind: str, requested: datetime, at: datetime) -> Timed:
    domain = f"{slug}.example.org"
    name = f"{domain}-{requested:%Y%m%d%H%M}"
    issued = kind in ("issued", "renewed")
    fields = {
        "project": slug,
        "certificate": name,
        "domain": domain,
        "issuer": _ISSUER,
        "environment": PRODUCTION,
        "notBefore": requested.isoformat() if issued else None,
        "notAfter": (requested + VALID).isoformat() if issued else None,
        "error": _ERROR if kind == "failed" else None,
    }
    return event(f"certificate.{kind}", f"{name}:{kind}", at, fields)
