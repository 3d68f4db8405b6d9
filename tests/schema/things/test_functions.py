"""Functions and endpoints: their calls, when they were called, and what runs now."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, NOW, RIVAL, TODAY, Platform
from tests.servers import Databases

START = TODAY + timedelta(hours=6)


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, with calls of two tenants."""
    async with opened(url) as platform:
        events = [
            *(invocation("shop", number) for number in range(6)),
            *(invocation("rival", number) for number in range(3)),
            *(call("shop", number) for number in range(4)),
            *(call("rival", number) for number in range(2)),
            *(started("shop", number) for number in range(3)),
            started("rival", 7),
        ]
        for result in await platform.services.intake.record(events, ADMIN):
            assert result.status == "accepted", result
        yield platform


def invocation(project: str, number: int) -> dict[str, Any]:
    failed = number % 3 == 2
    return {
        "type": "function.completed",
        "project": project,
        "function": f"{project}-{number % 2}",
        "invocation": f"i-{number}",
        "environment": "production" if number % 2 else "staging",
        "runtime": "node20",
        "region": "fra",
        "time": (START + timedelta(minutes=number)).isoformat(),
        "durationMs": 100 + number,
        "coldStart": number == 0,
        "status": "error" if failed else "success",
        "error": f"Exit {number}" if failed else None,
        "memoryBytes": 5_000_000_000,
    }


def started(project: str, number: int) -> dict[str, Any]:
    at = NOW - timedelta(seconds=10 + number)
    given = invocation(project, number) | {"invocation": f"r-{number}", "time": at.isoformat()}
    names = ("project", "function", "invocation", "environment", "time")
    return {"type": "function.started"} | {name: given[name] for name in names}


def call(project: str, number: int) -> dict[str, Any]:
    return {
        "type": "api.call",
        "project": project,
        "endpoint": f"/{project}/{{id}}",
        "method": "GET" if number else "POST",
        "environment": "production",
        "status": 200 + 100 * number,
        "time": (START + timedelta(seconds=number)).isoformat(),
        "durationMs": 4.5,
        "user": "ada",
        "id": f"c-{number}",
    }


async def test_invocations_show_what_was_sent(platform: Platform) -> None:
    document = """{ functionInvocations(first: 2) { nodes {
        externalId project { slug } function { name project { slug } } environment { name }
        status startedAt occurredAt durationMs runtime region coldStart initMs memoryBytes error
    } totalCount } }"""
    found = (await platform.ask(document))["functionInvocations"]
    assert found["totalCount"] == 6
    assert found["nodes"][0] == {
        "externalId": "i-5",
        "project": {"slug": "shop"},
        "function": {"name": "shop-1", "project": {"slug": "shop"}},
        "environment": {"name": "production"},
        "status": "FAILED",
        "startedAt": (START + timedelta(minutes=5, milliseconds=-105)).strftime(
            "%Y-%m-%dT%H:%M:%S.895000Z"
        ),
        "occurredAt": (START + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "durationMs": 105,
        "runtime": "node20",
        "region": "fra",
        "coldStart": False,
        "initMs": None,
        "memoryBytes": 5_000_000_000,
        "error": "Exit 5",
    }
    assert platform.statements.count("invocations_find") == 1


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("", ["5", "4", "3", "2", "1", "0"]),
        ("(statuses: [FAILED])", ["5", "2"]),
        ('(filter: {functions: ["shop-0"]})', ["4", "2", "0"]),
        ('(filter: {functions: ["shop-0", "rival-0"], environments: ["production"]})', []),
        ('(search: "exit 2", range: {last: "P9D"})', ["2"]),
        ('(orderBy: {field: DURATION_MS, direction: ASC}, range: {last: "P9D"}, first: 1)', ["0"]),
    ],
)
async def test_invocations_are_listed(
    platform: Platform, arguments: str, wanted: list[str]
) -> None:
    document = f"{{ functionInvocations{arguments} {{ nodes {{ externalId }} totalCount }} }}"
    found = (await platform.ask(document))["functionInvocations"]
    assert [row["externalId"] for row in found["nodes"]] == [f"i-{number}" for number in wanted]
    assert found["totalCount"] >= len(wanted)


async def test_calls_show_what_was_sent(platform: Platform) -> None:
    """R37."""
    document = """{ apiCalls(statuses: [500]) { nodes { externalId project { slug }
        endpoint { name } method status durationMs user responseBytes } } }"""
    assert (await platform.ask(document))["apiCalls"]["nodes"] == [
        {
            "externalId": "c-3",
            "project": {"slug": "shop"},
            "endpoint": {"name": "/shop/{id}"},
            "method": "GET",
            "status": 500,
            "durationMs": 4.5,
            "user": "ada",
            "responseBytes": None,
        }
    ]


async def test_functions_are_listed_with_the_times_of_their_calls(platform: Platform) -> None:
    """R35."""
    document = """{ functions { nodes { name project { slug } firstCalledAt lastCalledAt running
        functionStats(range: {last: "P9D"}) { invocations errors averageDurationMs }
    } totalCount } }"""
    found = (await platform.ask(document))["functions"]
    assert found["totalCount"] == 2
    first = found["nodes"][0]
    at = "%Y-%m-%dT%H:%M:%SZ"
    assert first == {
        "name": "shop-0",
        "project": {"slug": "shop"},
        "firstCalledAt": START.strftime(at),
        "lastCalledAt": (START + timedelta(minutes=4)).strftime(at),
        "running": 2,
        "functionStats": {"invocations": 3, "errors": 1, "averageDurationMs": 102},
    }
    assert found["nodes"][1]["running"] == 1
    assert platform.statements.count("functions_seen") == 1
    assert platform.statements.count("running_invocations_counts") == 1


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ('(search: "OP-1")', ["shop-1"]),
        ('(filter: {environments: ["staging"]})', ["shop-0"]),
        ('(filter: {projects: ["shop"]}, last: 1)', ["shop-1"]),
        ("(first: 1)", ["shop-0"]),
    ],
)
async def test_functions_are_found(platform: Platform, arguments: str, wanted: list[str]) -> None:
    found = await platform.ask(f"{{ functions{arguments} {{ nodes {{ name }} }} }}")
    assert [node["name"] for node in found["functions"]["nodes"]] == wanted


async def test_pages_of_functions_go_on(platform: Platform) -> None:
    document = """query($after: String) { functions(first: 1, after: $after) {
        nodes { name project { slug } } pageInfo { endCursor hasNextPage } } }"""
    names, after = [], None
    while True:
        page = (await platform.ask(document, ADMIN, after=after))["functions"]
        names += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert names == ["rival-0", "rival-1", "shop-0", "shop-1"]


async def test_what_runs_is_listed_newest_first(platform: Platform) -> None:
    document = """query($f: FunctionFilter) { runningInvocations(filter: $f) {
        externalId startedAt function { name } environment { name } project { slug } } }"""
    found = (await platform.ask(document))["runningInvocations"]
    assert [row["externalId"] for row in found] == ["r-0", "r-1", "r-2"]
    assert found[0]["function"] == {"name": "shop-0"}
    assert found[0]["environment"] == {"name": "staging"}
    assert found[0]["project"] == {"slug": "shop"}
    assert found[0]["startedAt"] == (NOW - timedelta(seconds=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    some = await platform.ask(document, f={"functions": ["shop-1"]})
    assert [row["externalId"] for row in some["runningInvocations"]] == ["r-1"]


@pytest.mark.parametrize("field", ["functions", "endpoints"])
async def test_another_tenants_names_are_like_none(platform: Platform, field: str) -> None:
    document = f"{{ {field} {{ nodes {{ id name }} }} }}"
    (mine, *_) = (await platform.ask(document, RIVAL))[field]["nodes"]
    one = "query($id: ID!) { node(id: $id) { id } }"
    assert await platform.ask(one, RIVAL, id=mine["id"]) == {"node": {"id": mine["id"]}}
    assert await platform.ask(one, ADA, id=mine["id"]) == {"node": None}
    assert mine not in (await platform.ask(document, ADA))[field]["nodes"]
