"""The demo's events: repeatable, plausible, and complete on every day of the week."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest

from ingest.demo.cast import NETWORKS, PROJECTS, TEMPLATES
from ingest.demo.drafts import STOPPED_PROJECT, Story
from ingest.demo.history import history

# A Saturday, early; the others below are the days and hours around it.
NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
SOME = 4_000


def time_of(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"])


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    return history(NOW, SOME)


def kinds(events: list[dict[str, Any]]) -> Counter[str]:
    return Counter(event["type"].removeprefix("deployment.") for event in events)


def test_same_seed_and_moment_give_the_same_events(events: list[dict[str, Any]]) -> None:
    assert history(NOW, SOME) == events
    assert history(NOW, SOME, seed=2) != events


def test_events_are_in_order_and_none_is_of_the_future(events: list[dict[str, Any]]) -> None:
    times = [time_of(event) for event in events]
    assert times == sorted(times)
    assert times[-1] <= NOW
    assert times[0] >= Story.at(NOW).whole.start
    assert len({event["id"] for event in events}) == len(events)


def test_every_name_is_one_of_the_cast(events: list[dict[str, Any]]) -> None:
    assert {event["project"] for event in events} == {project.slug for project in PROJECTS}
    assert {event["network"] for event in events} == NETWORKS.keys()
    assert {event["template"] for event in events} <= TEMPLATES.keys()
    assert {project.template for project in PROJECTS} <= TEMPLATES.keys()


def test_rates_are_plausible(events: list[dict[str, Any]]) -> None:
    counts = kinds(events)
    deployments = counts["queued"]
    assert 0.9 * SOME < deployments < 1.2 * SOME
    assert 0.02 < counts["failed"] / deployments < 0.08
    assert 0.01 < counts["cancelled"] / deployments < 0.04
    assert 0.001 < counts["rolled_back"] / deployments < 0.02


def test_weekends_are_quiet_and_office_hours_busy(events: list[dict[str, Any]]) -> None:
    created = [time_of(event) for event in events if event["type"].endswith("queued")]
    weekend = sum(at.weekday() >= 5 for at in created) / len(created)
    assert weekend < 0.16 < 2 / 7
    assert sum(8 <= at.hour < 18 for at in created) / len(created) > 0.6


def test_durations_lie_around_their_median(events: list[dict[str, Any]]) -> None:
    started = {event["deployment"]: time_of(event) for event in events if ends(event, "started")}
    took = [
        (time_of(event) - started[event["deployment"]]).total_seconds()
        for event in events
        if ends(event, "succeeded") and event["framework"] == "svelte"
    ]
    assert 35 < median(took) < 65
    assert max(took) < 20 * median(took)
    assert min(took) > 5


def ends(event: dict[str, Any], kind: str) -> bool:
    return bool(event["type"].endswith(kind))


@pytest.mark.parametrize("days", range(7))
@pytest.mark.parametrize("hour", [0, 14])
def test_everything_planted_is_there_whatever_the_day(days: int, hour: int) -> None:
    now = NOW.replace(hour=hour, minute=0) + timedelta(days=days)
    story, events = Story.at(now), history(now, 1_000)
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
    silent = [event for event in created.values() if event["project"] == STOPPED_PROJECT]
    assert silent
    assert max(map(time_of, silent)) < story.stopped_at
    rising = [event for event in created.values() if event["template"] == "open-webui"]
    assert min(map(time_of, rising)) >= story.rising_since
    begun = {event["deployment"] for event in events if not ends(event, "queued")}
    assert len(created.keys() - begun) >= 4
