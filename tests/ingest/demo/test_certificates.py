"""The demo's certificates: all are renewed in time, but for one, and one is removed."""

from datetime import datetime, timedelta

import pytest

from ingest.demo.cast import PROJECTS
from tests.ingest.demo.made import FEW, MOMENTS, Event, events_at, of_type, time_of


@pytest.mark.parametrize("now", MOMENTS)
def test_one_certificate_expires_soon_and_one_is_removed(now: datetime) -> None:
    events = list(of_type(events_at(now, FEW), "certificate."))
    newest: dict[str, Event] = {}
    for event in sorted(events, key=time_of):
        if event["type"] in ("certificate.issued", "certificate.renewed"):
            newest[event["project"]] = event
    assert newest.keys() == {project.slug for project in PROJECTS}
    left = {slug: datetime.fromisoformat(event["notAfter"]) - now for slug, event in newest.items()}
    removed = {event["project"] for event in of_type(events, "certificate.removed")}
    assert removed == {"legacy-portal"}
    soon = {slug for slug, days in left.items() if days < timedelta(days=14)} - removed
    assert soon == {"docs-site"}
    assert timedelta(days=4) < left["docs-site"] < timedelta(days=6)
    failed = {event["project"]: event["error"] for event in of_type(events, "certificate.failed")}
    assert failed.keys() == {"docs-site"}
