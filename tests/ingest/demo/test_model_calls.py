"""The demo's models: plausible calls, and a task whose answers are doubted of late."""

from datetime import datetime

import pytest

from ingest.demo.cast import MODELS
from ingest.demo.story import Story
from tests.ingest.demo.made import MOMENTS, NOW, SOME, Event, events_at, of_type, time_of


def calls_at(now: datetime) -> list[Event]:
    return list(of_type(events_at(now, SOME), "model.call"))


def rate(calls: list[Event]) -> float:
    decided: list[bool] = [call["accepted"] for call in calls if "accepted" in call]
    return sum(decided) / len(decided)


def test_calls_are_plausible() -> None:
    calls = calls_at(NOW)
    assert len(calls) > 900
    named = {(call["project"], call["model"], call["task"]) for call in calls}
    assert named == {(each.project, each.model, each.task) for each in MODELS}
    assert all(call["inputTokens"] > 0 and call["outputTokens"] > 0 for call in calls)
    assert all(call["durationMs"] > 0 for call in calls)
    assert 0.3 < len([call for call in calls if "accepted" in call]) / len(calls) < 0.5


@pytest.mark.parametrize("now", MOMENTS)
def test_replies_are_doubted_since_two_days(now: datetime) -> None:
    since = Story.at(now).doubted_since
    replies = [call for call in calls_at(now) if call["task"] == "reply"]
    doubted = [call for call in replies if time_of(call) >= since]
    others = [call for call in calls_at(now) if call not in doubted]
    assert rate(others) > 0.7
    assert rate(doubted) < 0.6
