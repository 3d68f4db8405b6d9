"""The demo's APIs: plausible calls, and an endpoint that was broken for an hour."""

from datetime import datetime

import pytest

from ingest.demo.cast import ENDPOINTS
from ingest.demo.story import Story
from tests.ingest.demo.made import FEW, MOMENTS, NOW, SOME, Event, events_at, of_type, time_of


@pytest.fixture(scope="module")
def calls() -> list[Event]:
    return list(of_type(events_at(NOW, SOME), "api.call"))


def test_calls_are_plausible(calls: list[Event]) -> None:
    assert len(calls) > 1_200
    named = {(event["project"], event["method"], event["endpoint"]) for event in calls}
    assert named == {(each.project, each.method, each.path) for each in ENDPOINTS}
    assert 0.02 < rate(calls, 400) < 0.12
    assert all(event["durationMs"] > 0 and event["responseBytes"] > 0 for event in calls)
    assert 20 < len({event["user"] for event in calls}) < 100


@pytest.mark.parametrize("now", MOMENTS)
def test_one_endpoint_is_broken_for_an_hour(now: datetime) -> None:
    period = Story.at(now).broken_hour
    calls = list(of_type(events_at(now, FEW), "api.call"))
    broken = [
        event
        for event in calls
        if event["endpoint"] == "/prices/{pair}" and time_of(event) in period
    ]
    others = [event for event in calls if event not in broken]
    assert len(broken) >= 100
    assert 0.45 < rate(broken, 500) < 0.75
    assert rate(others, 500) < 0.02


def rate(events: list[Event], status: int) -> float:
    """The share of answers with this status or one of the 99 above it."""
    matches: list[bool] = [status <= event["status"] < status + 100 for event in events]
    return sum(matches) / len(matches)
