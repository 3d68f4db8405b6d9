"""The demo's events: repeatable, in order, and not too many."""

from datetime import datetime, timedelta

import pytest

from ingest.demo.cast import PROJECTS
from ingest.demo.history import DEPLOYMENTS, history
from ingest.demo.story import Story
from tests.ingest.demo.made import FEW, MOMENTS, NOW, SOME, events_at, of_type, time_of


def test_same_seed_and_moment_give_the_same_events() -> None:
    assert history(NOW, SOME) == events_at(NOW, SOME)
    assert history(NOW, SOME, seed=2) != events_at(NOW, SOME)


@pytest.mark.parametrize("now", [NOW, *MOMENTS])
def test_events_are_in_order_and_none_is_of_the_future(now: datetime) -> None:
    events = events_at(now, FEW)
    times = [time_of(event) for event in events]
    assert times == sorted(times)
    assert times[-1] <= now
    # The first build came before its deployment.
    assert times[0] >= Story.at(now).whole.start - timedelta(hours=1)
    assert len({(event["project"], event["id"]) for event in events}) == len(events)


def test_every_project_is_one_of_the_cast() -> None:
    projects = {project.slug for project in PROJECTS}
    assert all(event["project"] in projects for event in events_at(NOW, SOME))


def test_the_usual_demo_loads_in_seconds() -> None:
    events = events_at(NOW, DEPLOYMENTS)
    deployments = sum(1 for _event in of_type(events, "deployment"))
    assert 28_000 < deployments < 40_000
    assert 45_000 < len(events) - deployments < 64_000
