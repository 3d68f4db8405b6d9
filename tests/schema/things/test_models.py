"""Language models: their calls, tokens and acceptance."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, NOW, RIVAL, TODAY, Platform
from tests.servers import Databases

START = TODAY + timedelta(hours=6)
DAY = {"between": {"start": TODAY.isoformat(), "end": NOW.isoformat()}}
# Task, tokens, what was decided.
CALLS = [
    ("reply", (100, 10), True),
    ("reply", (2_000_000_000, 20), False),
    ("reply", (2_000_000_000, 30), True),
    ("reply", (None, None), None),
    ("title", (5, 1), None),
]


def call(project: str, number: int) -> dict[str, Any]:
    task, (sent, answered), accepted = CALLS[number]
    return {
        "id": f"{project}-{number}",
        "type": "model.call",
        "project": project,
        "model": f"{project}-{'large' if task == 'reply' else 'small'}",
        "task": task,
        "environment": "production",
        "time": (START + timedelta(minutes=number)).isoformat(),
        "latencyMs": 1000 + number,
        "promptTokens": sent,
        "completion_tokens": answered,
        "accepted": accepted,
    }


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, with calls of two tenants."""
    async with opened(url) as platform:
        events = [call(slug, number) for slug in ("shop", "rival") for number in range(len(CALLS))]
        for result in await platform.services.intake.record(events, ADMIN):
            assert result.status == "accepted", result
        yield platform


async def test_calls_show_what_was_sent(platform: Platform) -> None:
    document = """{ modelCalls(first: 2) { totalCount nodes {
        externalId project { slug } model { name project { slug } } environment { name }
        task occurredAt durationMs inputTokens outputTokens accepted
    } } }"""
    found = (await platform.ask(document, ADA))["modelCalls"]
    assert found["totalCount"] == 5
    assert found["nodes"][0] == {
        "externalId": "shop-4",
        "project": {"slug": "shop"},
        "model": {"name": "shop-small", "project": {"slug": "shop"}},
        "environment": {"name": "production"},
        "task": "title",
        "occurredAt": (START + timedelta(minutes=4)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "durationMs": 1004,
        "inputTokens": 5,
        "outputTokens": 1,
        "accepted": None,
    }
    undecided = found["nodes"][1]
    assert [undecided[name] for name in ("inputTokens", "outputTokens", "accepted")] == [None] * 3
    assert platform.statements.count("model_calls_find") == 1


async def test_tokens_and_acceptance_are_counted(platform: Platform) -> None:
    document = """query($range: TimeRange) { modelStats(range: $range) {
        calls inputTokens outputTokens tokens decided accepted acceptanceRate averageDurationMs
        byTask { name calls decided acceptanceRate } } }"""
    assert (await platform.ask(document, ADA, range=DAY))["modelStats"] == {
        "calls": 5,
        "inputTokens": 4_000_000_105,
        "outputTokens": 61,
        "tokens": 4_000_000_166,
        "decided": 3,
        "accepted": 2,
        "acceptanceRate": pytest.approx(2 / 3),
        "averageDurationMs": 1002,
        "byTask": [
            {"name": "reply", "calls": 4, "decided": 3, "acceptanceRate": pytest.approx(2 / 3)},
            {"name": "title", "calls": 1, "decided": 0, "acceptanceRate": 0},
        ],
    }


async def test_acceptance_rate_of_a_model_is_zero_when_there_are_no_calls(
    platform: Platform,
) -> None:
    document = """query($models: [String!]) {
        modelStats(filter: {models: $models}) { calls acceptanceRate } }"""
    for name, calls in (("shop-small", 1), ("nothing-of-the-kind", 0), ("rival-large", 0)):
        found = (await platform.ask(document, ADA, models=[name]))["modelStats"]
        assert found == {"calls": calls, "acceptanceRate": 0}, name


async def test_models_are_nodes_of_their_project(platform: Platform) -> None:
    document = """query($range: TimeRange) { models { nodes {
        id name firstCalledAt lastCalledAt modelStats(range: $range) { calls } } } }"""
    large, small = (await platform.ask(document, ADA, range=DAY))["models"]["nodes"]
    assert (large["name"], large["modelStats"]["calls"]) == ("shop-large", 4)
    assert (small["name"], small["modelStats"]["calls"]) == ("shop-small", 1)
    assert small["firstCalledAt"] == small["lastCalledAt"]
    again = "query($id: ID!) { node(id: $id) { ... on Model { name } } }"
    assert (await platform.ask(again, ADA, id=large["id"]))["node"] == {"name": "shop-large"}
    assert (await platform.ask(again, RIVAL, id=large["id"]))["node"] is None
