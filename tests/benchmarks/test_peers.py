"""PostGraphile gets the same questions, and differing answers are found."""

from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.peer_questions import PEER_QUESTIONS, Facts, PeerQuestion
from benchmarks.questions import DAILY, QUESTIONS

NOW = datetime(2026, 5, 20, 12, 34, 56, tzinfo=UTC)
IDS = {f"project-{number}": number for number in range(1, 1_001)}
PEERS = {each.question.name: each for each in PEER_QUESTIONS}


def test_each_question_has_a_peer() -> None:
    assert [each.question for each in PEER_QUESTIONS] == list(QUESTIONS)


@pytest.mark.parametrize("asked", PEER_QUESTIONS, ids=lambda asked: asked.question.name)
def test_the_peer_is_asked_with_the_same_values(asked: PeerQuestion) -> None:
    for _, variables in zip(range(50), asked.question.asked("peers", NOW), strict=False):
        ours, theirs = _texts(variables), _texts(asked.translate(variables, IDS))
        projects = {text for text in ours if text in IDS}
        assert ours - projects <= theirs
        assert all(slug in theirs or str(IDS[slug]) in theirs for slug in projects)


def _texts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {text for each in value.values() for text in _texts(each)}
    if isinstance(value, list):
        return {text for each in value for text in _texts(each)}
    return {value} if isinstance(value, str) else set()


def daily(attempts: int) -> Any:
    point = {"attempts": attempts, "succeeded": 2, "failed": 1, "rolledBack": 0}
    empty = dict.fromkeys(point, 0)
    days = [{"start": "2026-05-01T04:31:00Z", **point}, {"start": "2026-05-02T00:00:00Z", **empty}]
    return {"network": {"deploymentStats": {"series": days}}}


def test_days_are_equal_where_all_figures_are() -> None:
    group = {
        "keys": ["2026-05-01T00:00:00.000000+00:00"],
        "sum": {"attempts": "3", "succeeded": "2", "failed": "1", "rolledBack": "0"},
    }
    theirs = PEERS[DAILY.name].theirs({"allDeployments": {"groupedAggregates": [group]}})
    assert PEERS[DAILY.name].ours(daily(3)).agree_with(theirs)
    assert not PEERS[DAILY.name].ours(daily(4)).agree_with(theirs)


def test_percentiles_may_differ_by_the_width_of_a_bucket() -> None:
    assert Facts(1, {"p95": 1_000.0}).agree_with(Facts(1, {"p95": 1_080.0}))
    assert not Facts(1, {"p95": 1_000.0}).agree_with(Facts(1, {"p95": 1_200.0}))
    assert not Facts(1, {"p95": 1_000.0}).agree_with(Facts(1, {"p95": None}))
    assert not Facts(1, {"average": 1_000.0}).agree_with(Facts(1, {"average": 1_001.0}))
