"""Builds: their record, their phases, and the deployments they are for."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, RIVAL, TODAY, Platform, event
from tests.servers import Databases

START = TODAY + timedelta(hours=6)
PHASES = ["clone", "install", "build", "optimize", "upload"]


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, with builds of two tenants."""
    async with opened(url) as platform:
        events = [
            *build("shop", "b-1", deployment="shop-1", template="template-01", branch="main"),
            *build("shop", "b-2", outcome="failed", deployment="shop-1", error="out of memory"),
            *build("shop", "b-3", outcome=None, deployment="not-known"),
            *build("rival", "b-1", deployment="rival-1"),
            *(phase("b-1", name, number) for number, name in enumerate(PHASES)),
            {**phase("b-2", "clone", 0), "status": "failed"},
        ]
        for result in await platform.services.intake.record(events, ADMIN):
            assert result.status == "accepted", result
        yield platform


def build(project: str, name: str, outcome: str | None = "succeeded", **more: Any) -> list[Any]:
    """Queued, started at once and, unless it goes on, finished after two minutes."""
    at = START + timedelta(minutes=int(name[-1]))
    common = {"project": project, "build": name, "environment": "production", "framework": "next"}

    def told(kind: str, time: datetime, **given: Any) -> dict[str, Any]:
        sent = {"type": f"build.{kind}", "id": f"{name}-{kind}", "time": time.isoformat()}
        return {**common, **sent, **more, **given}

    events = [told("queued", at), told("started", at)]
    if outcome:
        sizes = {"assetCount": 12, "totalBytes": 3_000_000_000, "cpuMs": 90_000}
        events.append(told(outcome, at + timedelta(minutes=2), **sizes))
    return events


def phase(build: str, name: str, number: int) -> dict[str, Any]:
    """A phase that takes ten seconds, ten seconds after the one before."""
    return {
        "type": "build.phase",
        "project": "shop",
        "build": build,
        "phase": name,
        "time": (START + timedelta(seconds=20 * number + 10)).isoformat(),
        "durationMs": 10_000,
    }


async def builds(platform: Platform, fields: str, arguments: str = "", **more: Any) -> Any:
    document = f"{{ builds{arguments} {{ nodes {{ {fields} }} }} }}"
    return (await platform.ask(document, **more))["builds"]["nodes"]


async def test_a_build_shows_its_record(platform: Platform) -> None:
    """R36."""
    fields = """externalId status createdAt startedAt finishedAt durationMs framework branch
        assetCount totalBytes cpuMs memoryBytes error project { slug } environment { name }
        template { slug } deployment { externalId project { slug } } deploymentExternalId
        statusEvents { type status }"""
    found = {row["externalId"]: row for row in await builds(platform, fields)}
    assert set(found) == {"b-1", "b-2", "b-3"}
    first = found["b-1"]
    assert first["startedAt"] == first["createdAt"]
    assert (first["status"], first["durationMs"], first["framework"]) == (
        "SUCCEEDED",
        120_000,
        "next",
    )
    assert (first["assetCount"], first["totalBytes"], first["cpuMs"]) == (12, 3_000_000_000, 90_000)
    assert first["deployment"] == {"externalId": "shop-1", "project": {"slug": "shop"}}
    assert first["template"] == {"slug": "template-01"}
    assert [event["type"] for event in first["statusEvents"]] == ["SUCCEEDED", "STARTED", "QUEUED"]
    assert (found["b-2"]["status"], found["b-2"]["error"]) == ("FAILED", "out of memory")
    assert found["b-3"]["finishedAt"] is None
    assert found["b-3"]["deployment"] is None
    assert found["b-3"]["deploymentExternalId"] == "not-known"


async def test_phases_stand_in_the_order_in_which_they_ended(platform: Platform) -> None:
    """R23."""
    fields = "externalId phases { name status startedAt finishedAt durationMs }"
    found = {row["externalId"]: row["phases"] for row in await builds(platform, fields)}
    assert platform.statements.count("build_phases_newest_by_build_id") == 1
    assert [phase["name"] for phase in found["b-1"]] == PHASES
    assert {phase["status"] for phase in found["b-1"]} == {"SUCCEEDED"}
    assert {phase["durationMs"] for phase in found["b-1"]} == {10_000}
    assert found["b-1"][0]["startedAt"] == START.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [phase["status"] for phase in found["b-2"]] == ["FAILED"]
    assert found["b-3"] == []


async def test_a_deployment_leads_to_its_builds(platform: Platform) -> None:
    document = """{ deployments(filter: {projects: ["shop"]}) { nodes {
        externalId builds { externalId status project { slug } } } } }"""
    nodes = (await platform.ask(document))["deployments"]["nodes"]
    assert platform.statements.count("builds_newest_by_deployment") == 1
    found = {node["externalId"]: node["builds"] for node in nodes}
    assert [build["externalId"] for build in found["shop-1"]] == ["b-2", "b-1"]
    assert found["shop-2"] == []


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("", ["b-3", "b-2", "b-1"]),
        ("(statuses: [FAILED])", ["b-2"]),
        ('(filter: {templates: ["template-01"]})', ["b-1"]),
        ('(search: "MEMORY", range: {last: "P9D"})', ["b-2"]),
        ('(search: "main", range: {last: "P9D"})', ["b-1"]),
        ("(orderBy: {direction: ASC}, first: 2)", ["b-1", "b-2"]),
    ],
)
async def test_builds_are_listed(platform: Platform, arguments: str, wanted: list[str]) -> None:
    found = await builds(platform, "externalId", arguments)
    assert [row["externalId"] for row in found] == wanted


async def test_another_tenants_build_is_like_none(platform: Platform) -> None:
    (mine,) = await builds(platform, "id buildId deployment { externalId }", viewer=RIVAL)
    assert mine["deployment"] == {"externalId": "rival-1"}
    document = """query($id: ID!, $uuid: ID!) { node(id: $id) { id }
        one: build(id: $id) { id } other: build(id: $uuid) { id } }"""
    ids = {"id": mine["id"], "uuid": mine["buildId"]}
    nothing = {"node": None, "one": None, "other": None}
    assert await platform.ask(document, ADA, **ids) == nothing
    found = await platform.ask(document, RIVAL, **ids)
    assert found == {key: {"id": mine["id"]} for key in nothing}


async def test_a_rollback_leads_to_the_deployment_that_is_live_again(platform: Platform) -> None:
    rollbacks = [
        event("rolled_back", "shop", name, TODAY + timedelta(hours=9), toDeployment=target)
        for name, target in (("shop-1", "shop-2"), ("shop-2", "never-sent"))
    ]
    for result in await platform.services.intake.record(rollbacks, ADMIN):
        assert result.status == "accepted", result
    document = """{ deployments(filter: {projects: ["shop"]}) { nodes { externalId
        rolledBackToId rolledBackTo { externalId project { slug } } } } }"""
    nodes = (await platform.ask(document))["deployments"]["nodes"]
    found = {node.pop("externalId"): node for node in nodes}
    live = {"externalId": "shop-2", "project": {"slug": "shop"}}
    assert found["shop-1"] == {"rolledBackToId": "shop-2", "rolledBackTo": live}
    assert found["shop-2"] == {"rolledBackToId": "never-sent", "rolledBackTo": None}
    assert found["shop-4"] == {"rolledBackToId": None, "rolledBackTo": None}
