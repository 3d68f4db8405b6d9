"""The demo's functions: plausible invocations, and a release that made one of them fail."""

from datetime import datetime
from itertools import pairwise
from statistics import median

import pytest

from ingest.demo.cast import FUNCTIONS
from ingest.demo.story import Story
from tests.ingest.demo.made import (
    FEW,
    MOMENTS,
    NOW,
    SOME,
    Event,
    durations_ms,
    events_at,
    of_type,
    share,
    time_of,
)


@pytest.fixture(scope="module")
def completed() -> list[Event]:
    return list(of_type(events_at(NOW, SOME), "function.completed"))


def test_invocations_are_plausible(completed: list[Event]) -> None:
    assert len(completed) > 2_000
    named = {(event["project"], event["function"]) for event in completed}
    assert named == {(function.project, function.name) for function in FUNCTIONS}
    assert 0.03 < share(completed, coldStart=True) < 0.1
    assert all(("initMs" in event) is event["coldStart"] for event in completed)
    assert all(("error" in event) is (event["status"] == "error") for event in completed)
    assert all(event["durationMs"] > 0 and event["memoryBytes"] > 0 for event in completed)
    ids = [event["invocation"] for event in completed]
    assert len(set(ids)) == len(ids)


def test_a_function_has_one_runtime_and_several_regions(completed: list[Event]) -> None:
    of_one = [event for event in completed if event["function"] == "resize-image"]
    assert len({event["runtime"] for event in of_one}) == 1
    assert len({event["region"] for event in of_one}) == 3
    assert 400 < median(durations_ms(of_one)) < 900


@pytest.mark.parametrize("now", MOMENTS)
def test_one_function_fails_from_a_release_until_its_rollback(now: datetime) -> None:
    story = Story.at(now)
    events = events_at(now, FEW)
    faulty = [
        event
        for event in of_type(events, "function.completed")
        if event["function"] == "api-checkout" and event["environment"] == "production"
    ]
    during = [event for event in faulty if time_of(event) in story.faulty_release]
    apart = [event for event in faulty if time_of(event) not in story.faulty_release]
    assert len(during) >= 100
    assert 0.25 < share(during, status="error") < 0.55
    assert share(apart, status="error") < 0.06
    assert median(durations_ms(during)) > 2.5 * median(durations_ms(apart))
    others = [
        event
        for event in of_type(events, "function.completed")
        if time_of(event) in story.faulty_release and event["function"] != "api-checkout"
    ]
    assert not others or share(others, status="error") < 0.25
    release, rollback = released(events, story)
    assert abs((release - story.faulty_release.start).total_seconds()) < 30
    assert abs((rollback - story.faulty_release.end).total_seconds()) < 30


def released(events: list[Event], story: Story) -> tuple[datetime, datetime]:
    """When the faulty release went live, and when it was rolled back."""
    steps = list(of_type(events, "deployment.succeeded", "deployment.rolled_back"))
    steps = [event for event in steps if event["project"] == "storefront"]
    steps.sort(key=lambda event: event["deployment"])
    for first, second in pairwise(steps):
        if first["deployment"] == second["deployment"] and (
            abs((time_of(first) - story.faulty_release.start).total_seconds()) < 60
        ):
            return time_of(first), time_of(second)
    raise AssertionError("there is no such release")


@pytest.mark.parametrize("now", MOMENTS)
def test_some_invocations_are_in_progress(now: datetime) -> None:
    events = events_at(now, FEW)
    started = {event["invocation"] for event in of_type(events, "function.started")}
    done = {event["invocation"] for event in of_type(events, "function.completed")}
    assert len(started - done) >= 5
