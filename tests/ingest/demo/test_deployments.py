"""The demo's deployments: plausible, and with their incidents on every day of the week."""

from collections import Counter
from datetime import datetime, timedelta
from statistics import median

import pytest

from ingest.demo.cast import NETWORKS, PROJECTS, TEMPLATES
from ingest.demo.story import FAULTY_PROJECT, STOPPED_PROJECT, Story
from tests.ingest.demo.made import FEW, MOMENTS, NOW, SOME, Event, events_at, of_type, time_of


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(of_type(events_at(NOW, SOME), "deployment"))


def kinds(events: list[Event]) -> Counter[str]:
    return Counter(event["type"].removeprefix("deployment.") for event in events)


def test_every_name_is_one_of_the_cast(events: list[Event]) -> None:
    assert {event["project"] for event in events} == {project.slug for project in PROJECTS}
    assert {event["network"] for event in events} == NETWORKS.keys()
    assert {event["template"] for event in events} <= TEMPLATES.keys()
    assert {project.template for project in PROJECTS} <= TEMPLATES.keys()


def test_rates_are_plausible(events: list[Event]) -> None:
    counts = kinds(events)
    deployments = counts["queued"]
    assert 0.9 * SOME < deployments < 1.2 * SOME
    assert 0.02 < counts["failed"] / deployments < 0.08
    assert 0.01 < counts["cancelled"] / deployments < 0.04
    assert 0.001 < counts["rolled_back"] / deployments < 0.02


def test_weekends_are_quiet_and_office_hours_busy(events: list[Event]) -> None:
    created = [time_of(event) for event in events if ends(event, "queued")]
    weekend = sum(at.weekday() >= 5 for at in created) / len(created)
    assert weekend < 0.16 < 2 / 7
    assert sum(8 <= at.hour < 18 for at in created) / len(created) > 0.6


def test_durations_lie_around_their_median(events: list[Event]) -> None:
    started = {event["deployment"]: time_of(event) for event in events if ends(event, "started")}
    took = [
        (time_of(event) - started[event["deployment"]]).total_seconds()
        for event in events
        if ends(event, "succeeded") and event["framework"] == "svelte"
    ]
    assert 35 < median(took) < 65
    assert max(took) < 20 * median(took)
    assert min(took) > 5


def ends(event: Event, kind: str) -> bool:
    return bool(event["type"].endswith(kind))


@pytest.mark.parametrize("now", MOMENTS)
def test_everything_planted_is_there_whatever_the_day(now: datetime) -> None:
    story, events = Story.at(now), list(of_type(events_at(now, FEW), "deployment"))
    created = {event["deployment"]: event for event in events if ends(event, "queued")}
    failed = [event["deployment"] for event in events if ends(event, "failed")]
    down = {
        name
        for name, event in created.items()
        if time_of(event) in story.outage and event["network"] == "hyperion"
    }
    assert len(down) >= 60
    assert 0.3 < len(down.intersection(failed)) / len(down) < 0.7
    assert sum(ends(event, "rolled_back") for event in events) >= 6
    failing = {
        event["project"]
        for name, event in created.items()
        if time_of(event) in story.failing_now and name in failed
    }
    assert {project.slug for project in PROJECTS if project.network == "arbitrum"} <= failing
    silent = [event for event in created.values() if event["project"] == STOPPED_PROJECT]
    assert silent
    assert max(map(time_of, silent)) < story.stopped_at
    rising = [event for event in created.values() if event["template"] == "open-webui"]
    assert min(map(time_of, rising)) >= story.rising_since
    begun = {event["deployment"] for event in events if not ends(event, "queued")}
    assert len(created.keys() - begun) >= 4


def test_the_faulty_release_is_the_only_one_of_its_project_that_was_rolled_back(
    events: list[Event],
) -> None:
    undone = [
        event
        for event in events
        if ends(event, "rolled_back") and event["project"] == FAULTY_PROJECT
    ]
    assert len(undone) == 1
    assert abs(time_of(undone[0]) - Story.at(NOW).faulty_release.end) < timedelta(minutes=1)
