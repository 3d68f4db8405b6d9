"""Figures of builds, functions and API calls, and tables of several facts, counted by hand."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.normaliser import TimeWindow
from storage.errors import InvalidInput
from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, NOW, TODAY, Platform
from tests.servers import Databases

HOUR = timedelta(hours=1)
DAY = {"between": {"start": TODAY.isoformat(), "end": NOW.isoformat()}}


def event(kind: str, at: datetime, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "time": at.isoformat(), "project": "shop", **fields}


def builds() -> list[dict[str, Any]]:
    """Four builds, of which one still runs, and two phases."""
    at, ended = TODAY + HOUR, {"durationMs": 60_000}
    install = {"build": "b-1", "phase": "install", "durationMs": 20_000}
    bundle = {"build": "b-1", "phase": "bundle", "durationMs": 40_000, "status": "failed"}
    return [
        event("build.started", at, build="b-4", environment="preview"),
        event("build.succeeded", at, build="b-1", framework="next", **ended),
        event("build.failed", at, build="b-2", framework="next", **ended),
        event("build.succeeded", at, build="b-3", framework="astro", **ended),
        event("build.phase", at, **install),
        event("build.phase", at, **bundle),
    ]


INVOCATIONS = [
    ("resize", "success"),
    ("resize", "error"),
    ("resize", "success"),
    ("send", "success"),
]
CALLS = [("/carts", "GET", 200), ("/carts", "POST", 404), ("/carts", "GET", 500), ("/", "GET", 200)]


def invocations() -> Iterator[dict[str, Any]]:
    """An invocation an hour."""
    for hour, (function, status) in enumerate(INVOCATIONS):
        fields = {"function": function, "status": status, "durationMs": 10 + hour}
        yield event("function.completed", TODAY + hour * HOUR, environment="production", **fields)


def calls() -> Iterator[dict[str, Any]]:
    """An API call an hour."""
    for hour, (endpoint, method, status) in enumerate(CALLS):
        fields = {"endpoint": endpoint, "method": method, "status": status, "durationMs": 5}
        yield event("api.call", TODAY + hour * HOUR, **fields)


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    async with opened(url) as platform:
        for result in await platform.services.intake.record(
            [*builds(), *invocations(), *calls()], ADMIN, TimeWindow(None, None)
        ):
            assert result.status == "accepted", result
        yield platform


async def stats(platform: Platform, field: str, selected: str) -> dict[str, Any]:
    document = f"query($range: TimeRange) {{ {field}(range: $range) {{ {selected} }} }}"
    found: dict[str, Any] = (await platform.ask(document, range=DAY))[field]
    return found


async def test_builds_are_counted_by_status_and_framework(platform: Platform) -> None:
    found = await stats(
        platform,
        "buildStats",
        """attempts succeeded failed successRate averageDurationMs byStatus { status count }
        byFramework { kind name attempts share } distribution { count }""",
    )
    assert found == {
        "attempts": 4,
        "succeeded": 2,
        "failed": 1,
        "successRate": pytest.approx(2 / 3),
        "averageDurationMs": 60_000,
        "byStatus": [
            {"status": "QUEUED", "count": 0},
            {"status": "IN_PROGRESS", "count": 1},
            {"status": "SUCCEEDED", "count": 2},
            {"status": "FAILED", "count": 1},
            {"status": "CANCELLED", "count": 0},
        ],
        "byFramework": [
            {"kind": "NAMED", "name": "next", "attempts": 2, "share": 0.5},
            {"kind": "NONE", "name": None, "attempts": 1, "share": 0.25},
            {"kind": "NAMED", "name": "astro", "attempts": 1, "share": 0.25},
        ],
        "distribution": [{"count": 3}],
    }


async def test_phases_of_builds_are_counted_by_phase(platform: Platform) -> None:
    found = await stats(
        platform,
        "buildPhaseStats",
        "runs failed byPhase { name runs failureRate averageDurationMs }",
    )
    assert (found["runs"], found["failed"]) == (2, 1)
    rows = {row["name"]: (row["failureRate"], row["averageDurationMs"]) for row in found["byPhase"]}
    assert rows == {"install": (0, 20_000), "bundle": (1, 40_000)}


async def test_invocations_are_counted_by_function(platform: Platform) -> None:
    found = await stats(
        platform,
        "functionStats",
        """invocations errors errorRate
        byFunction { name invocations series(interval: HOUR) { invocations errors } }""",
    )
    resize, send = found["byFunction"]
    assert (found["invocations"], found["errors"], found["errorRate"]) == (4, 1, 0.25)
    assert (resize["name"], resize["invocations"], send["name"]) == ("resize", 3, "send")
    assert [point["invocations"] for point in resize["series"][:5]] == [1, 1, 1, 0, 0]
    assert [point["errors"] for point in resize["series"][:3]] == [0, 1, 0]


async def test_api_calls_are_counted_by_endpoint_and_method(platform: Platform) -> None:
    found = await stats(
        platform,
        "apiStats",
        """calls clientErrors serverErrors
        byEndpoint(first: 1) { kind name calls } byMethod { name }""",
    )
    assert (found["calls"], found["clientErrors"], found["serverErrors"]) == (4, 1, 1)
    assert found["byEndpoint"] == [
        {"kind": "NAMED", "name": "/carts", "calls": 3},
        {"kind": "OTHERS", "name": None, "calls": 1},
    ]
    assert [row["name"] for row in found["byMethod"]] == ["GET", "POST"]


async def test_an_environment_has_figures_of_each_fact(platform: Platform) -> None:
    data = await platform.ask(
        """query($range: TimeRange) { project(slug: "shop") { environments {
            name functionStats(range: $range) { invocations } buildStats(range: $range) { attempts }
        } } }""",
        range=DAY,
    )
    found = {each["name"]: each for each in data["project"]["environments"]}
    assert found["production"]["functionStats"] == {"invocations": 4}
    assert found["preview"]["buildStats"] == {"attempts": 1}


LINKS = """query($range: TimeRange, $projects: [String!]) {
  functionStats(range: $range, filter: {projects: $projects}) {
    byFunction { name function { name project { slug } functionStats(range: $range) {
        invocations } } }
    byRegion { function { name } } }
  apiStats(range: $range, filter: {projects: $projects}) { byEndpoint { endpoint { id } } }
}"""


async def test_groups_of_one_project_lead_to_its_functions(platform: Platform) -> None:
    data = await platform.ask(LINKS, range=DAY, projects=["shop"])
    assert data["functionStats"] == {
        "byFunction": [
            {
                "name": name,
                "function": {
                    "name": name,
                    "project": {"slug": "shop"},
                    "functionStats": {"invocations": count},
                },
            }
            for name, count in (("resize", 3), ("send", 1))
        ],
        "byRegion": [{"function": None}],
    }
    for group in data["apiStats"]["byEndpoint"]:
        node = await platform.ask("query($id: ID!) { node(id: $id) { id } }", **group["endpoint"])
        assert node["node"] == group["endpoint"]


async def test_groups_of_several_projects_lead_to_no_function(platform: Platform) -> None:
    data = await platform.ask(LINKS, range=DAY, projects=["shop", "blog"])
    assert {group["function"] for group in data["functionStats"]["byFunction"]} == {None}


TABLE = """query($measures: [Measure!]!, $groupBy: [Dimension!], $filter: MetricFilter,
    $range: TimeRange, $first: Int! = 50) {
  metrics(measures: $measures, groupBy: $groupBy, filter: $filter, range: $range, first: $first) {
    groups { isOthers keys { name } } groupCount columns { measure totals total }
    freshness { complete }
  }
}"""
SEVERAL = ["BUILD_ATTEMPTS", "DEPLOYMENT_ATTEMPTS", "FUNCTION_ERROR_RATE", "API_CALLS"]


async def test_table_holds_measures_of_several_facts(platform: Platform) -> None:
    """Groups are those of any fact, in the order of the first measure."""
    data = await platform.ask(TABLE, measures=SEVERAL, groupBy=["ENVIRONMENT"], range=DAY)
    table = data["metrics"]
    names = [group["keys"][0]["name"] for group in table["groups"]]
    assert names == [None, "preview", "production", "staging"]
    columns = {
        column["measure"]: (column["totals"], column["total"]) for column in table["columns"]
    }
    assert columns == {
        "BUILD_ATTEMPTS": ([3, 1, 0, 0], 4),
        "DEPLOYMENT_ATTEMPTS": ([0, 0, 4, 2], 6),
        "FUNCTION_ERROR_RATE": ([0, 0, 0.25, 0], 0.25),
        "API_CALLS": ([4, 0, 0, 0], 4),
    }
    assert len([name for name in platform.statements if "begin" not in name.lower()]) <= 6


async def test_others_of_each_fact_are_all_groups_not_shown(platform: Platform) -> None:
    data = await platform.ask(TABLE, measures=SEVERAL, groupBy=["ENVIRONMENT"], range=DAY, first=1)
    table = data["metrics"]
    assert (len(table["groups"]), table["groupCount"]) == (2, 4)
    totals = {column["measure"]: column["totals"] for column in table["columns"]}
    assert totals["DEPLOYMENT_ATTEMPTS"] == [0, 6]
    assert totals["API_CALLS"] == [4, 0]


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({"groupBy": ["NETWORK"]}, "groupBy"),
        ({"groupBy": ["PROJECT", "FUNCTION"]}, "groupBy"),
        ({"filter": {"networks": ["metis"]}}, "networks"),
        ({"filter": {"endpoints": []}}, "endpoints"),
    ],
)
async def test_dimension_that_a_fact_lacks_is_refused(
    platform: Platform, variables: dict[str, Any], path: str
) -> None:
    measures = ["DEPLOYMENT_ATTEMPTS", "BUILD_ATTEMPTS"]
    error = await platform.refused(TABLE, ADA, measures=measures, **variables)
    assert isinstance(error, InvalidInput)
    assert error.path == path
    assert error.message.startswith("There is no ")


async def test_catalogue_can_be_read_fact_by_fact(platform: Platform) -> None:
    document = "query($fact: Fact) { measures(fact: $fact) { measure fact field } }"
    whole = (await platform.ask(document))["measures"]
    of_functions = (await platform.ask(document, fact="FUNCTION"))["measures"]
    assert {each["fact"] for each in of_functions} == {"FUNCTION"}
    assert all(each["measure"].startswith("FUNCTION_") for each in of_functions)
    assert [each for each in whole if each["fact"] == "FUNCTION"] == of_functions


async def test_catalogue_says_what_a_measure_can_be_grouped_by(platform: Platform) -> None:
    document = "{ measures { measure dimensions } }"
    by_measure = {
        each["measure"]: each["dimensions"] for each in (await platform.ask(document))["measures"]
    }
    for measure in ("DEPLOYMENT_ATTEMPTS", "FUNCTION_INVOCATIONS"):
        (dimension, *_) = by_measure[measure][::-1]
        await platform.ask(TABLE, ADA, measures=[measure], groupBy=[dimension])
    assert by_measure["FUNCTION_INVOCATIONS"][:2] == ["PROJECT", "FUNCTION"]
    assert "NETWORK" not in by_measure["BUILD_ATTEMPTS"]


async def test_catalogue_says_the_formula_of_each_frequency(platform: Platform) -> None:
    """E3: over the last seven days the one per day is the finished deployments over seven."""
    document = "{ measures(fact: DEPLOYMENT) { measure formula } }"
    formulas = {
        each["measure"]: each["formula"] for each in (await platform.ask(document))["measures"]
    }
    assert formulas["DEPLOYMENT_FREQUENCY_PER_DAY"] == "finishes / days of the range"
    assert formulas["DEPLOYMENT_FREQUENCY_PER_WEEK"] == "finishes / weeks of the range"
