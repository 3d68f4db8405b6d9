"""Log lines: listed and searched newest first, counted exactly, and never those of others."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from access.viewers import Role, Viewer
from ingest.intake import Intake
from storage.errors import InvalidInput, LimitExceeded
from storage.keeping.windows import Retention
from storage.queries import log_lines as queries
from tests.schema.conftest import opened
from tests.schema.error_events import record
from tests.schema.platform import ADMIN, NOW, Platform
from tests.servers import Databases, with_options

EVE = Viewer("eve", frozenset({Role.VIEWER}), frozenset({"store", "notes"}))
FOE = Viewer("foe", frozenset({Role.VIEWER}), frozenset({"foe"}))
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

LIST = """query($filter: LogFilter, $levels: [LogLineLevel!], $search: String, $range: TimeRange,
  $deployment: ID, $traceId: String, $first: Int, $after: String) {
  logLines(filter: $filter, levels: $levels, search: $search, range: $range,
      deployment: $deployment, traceId: $traceId, first: $first, after: $after) {
    nodes { id message }
    pageInfo { hasNextPage endCursor } totalCount } }"""


def line(number: int, message: str, project: str = "store", **more: Any) -> dict[str, Any]:
    """A line of so many minutes ago."""
    base = {
        "type": "log.line",
        "id": f"{project}-{number}",
        "time": (NOW - timedelta(minutes=number)).isoformat(),
        "project": project,
        "message": message,
        "environment": "production",
        "logger": "shop.web",
    }
    return base | more


def lines() -> list[dict[str, Any]]:
    return [
        line(1, "cart opened", traceId=TRACE, spanId="00f067aa0ba902b7"),
        line(2, "cart is slow", level="warning", fields={"seconds": 4.2, "provider": "acme bank"}),
        line(3, "payment failed", level="error", logger="shop.payments", traceId=TRACE),
        line(4, "cart opened", environment="staging", function="checkout"),
        line(5, "payment failed for good", level="critical", release="9.1.0"),
        line(6, "note stored", project="notes", logger="notes"),
        line(1, "cart opened by a rival", project="foe", level="error", traceId=TRACE),
        *(line(100 + n, f"tick {n}", level="debug", logger="clock") for n in range(20)),
    ]


DEPLOYMENT = {
    "type": "deployment.succeeded",
    "id": "store-9",
    "time": (NOW - timedelta(hours=1)).isoformat(),
    "project": "store",
    "deployment": "run-9",
    "environment": "production",
    "release": "9.1.0",
}


@asynccontextmanager
async def opened_with_lines(url: str) -> AsyncIterator[Platform]:
    async with opened(url) as platform:
        await record(platform, [DEPLOYMENT])
        await record(platform, lines())
        yield platform


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    async with opened_with_lines(url) as platform:
        yield platform


async def messages(platform: Platform, viewer: Viewer = EVE, **variables: Any) -> list[str]:
    found = (await platform.ask(LIST, viewer, **variables))["logLines"]
    assert found["totalCount"] >= len(found["nodes"])
    return [each["message"] for each in found["nodes"]]


def between(start: int, end: int) -> dict[str, Any]:
    """A range in minutes ago."""
    return {
        "between": {
            "start": (NOW - timedelta(minutes=start)).isoformat(),
            "end": (NOW - timedelta(minutes=end)).isoformat(),
        }
    }


NEWEST = ["cart opened", "cart is slow", "payment failed"]


async def test_lines_are_listed_newest_first(platform: Platform) -> None:
    assert await messages(platform, first=3) == NEWEST
    assert await messages(platform, FOE) == ["cart opened by a rival"]


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"levels": ["ERROR", "FATAL"]}, ["payment failed", "payment failed for good"]),
    ({"levels": []}, []),
    ({"filter": {"loggers": ["shop.payments"]}}, ["payment failed"]),
    ({"filter": {"loggers": ["nobody"]}}, []),
    ({"filter": {"environments": ["staging"]}}, ["cart opened"]),
    ({"filter": {"functions": ["checkout"]}}, ["cart opened"]),
    ({"filter": {"projects": ["notes"]}}, ["note stored"]),
    ({"traceId": TRACE.upper()}, ["cart opened", "payment failed"]),
    ({"range": between(4, 1)}, ["cart is slow", "payment failed", "cart opened"]),
]

# The first parts of its time that a search looks in.
LENGTHS = [(), (timedelta(minutes=2), timedelta(minutes=7), timedelta(hours=3)), queries.LENGTHS]

SEARCHES: list[tuple[str, list[str]]] = [
    ("cart", ["cart opened", "cart is slow", "cart opened"]),
    ("CART op", ["cart opened", "cart opened"]),
    ('"failed for"', ["payment failed for good"]),
    ("payment -good", ["payment failed"]),
    ("acme", ["cart is slow"]),
    ("4.2", ["cart is slow"]),
    ("provider", []),  # the name of a field
    ("payments", ["payment failed"]),  # its logger
    (TRACE, ["cart opened", "payment failed"]),
    ("rival", []),
    ("!!!", []),
    ("p=1", []),
    ("l=5", []),
    ("tick 1", [f"tick {n}" for n in (1, *range(10, 20))]),
]


@pytest.mark.parametrize(("filter", "expected"), FILTERS)
async def test_lines_are_filtered(
    platform: Platform, filter: dict[str, Any], expected: list[str]
) -> None:
    assert await messages(platform, **filter) == expected


@pytest.mark.parametrize("lengths", LENGTHS, ids=["by weeks", "by minutes", "as it is"])
@pytest.mark.parametrize(("text", "expected"), SEARCHES)
async def test_lines_are_searched(
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    lengths: tuple[timedelta, ...],
    text: str,
    expected: list[str],
) -> None:
    monkeypatch.setattr(queries, "LENGTHS", lengths)
    assert await messages(platform, search=text) == expected


@pytest.mark.parametrize("lengths", LENGTHS, ids=["by weeks", "by minutes", "as it is"])
@pytest.mark.parametrize("few_series", [0, 64], ids=["many series", "few series"])
@pytest.mark.parametrize(("filter", "listed"), FILTERS)
async def test_a_search_goes_with_every_filter(
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    lengths: tuple[timedelta, ...],
    few_series: int,
    filter: dict[str, Any],
    listed: list[str],
) -> None:
    monkeypatch.setattr("storage.queries.facts.FEW_SERIES", few_series)
    monkeypatch.setattr(queries, "LENGTHS", lengths)
    for word in ("cart", "payment", "note"):
        expected = [each for each in listed if word in each.split()]
        assert await messages(platform, search=word, **filter) == expected


@pytest.mark.parametrize("lengths", LENGTHS, ids=["by weeks", "by minutes", "as it is"])
async def test_pages_of_a_search_follow_each_other(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, lengths: tuple[timedelta, ...]
) -> None:
    monkeypatch.setattr(queries, "LENGTHS", lengths)
    found, after = [], None
    while True:
        page = (await platform.ask(LIST, EVE, search="tick", first=7, after=after))["logLines"]
        assert page["totalCount"] == 20
        found += [each["message"] for each in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert found == [f"tick {n}" for n in range(20)]


async def test_a_line_has_all_that_was_sent(platform: Platform) -> None:
    document = """{ logLines(search: "slow") { nodes {
      eventId externalId level logger message fields hasText release
      environment { name } function { name } project { slug } } } }"""
    (found,) = (await platform.ask(document, EVE))["logLines"]["nodes"]
    assert found | {"eventId": ""} == {
        "eventId": "",
        "externalId": "store-2",
        "level": "WARN",
        "logger": "shop.web",
        "message": "cart is slow",
        "fields": {"seconds": 4.2, "provider": "acme bank"},
        "hasText": True,
        "release": None,
        "environment": {"name": "production"},
        "function": None,
        "project": {"slug": "store"},
    }


async def test_a_line_leads_to_the_deployment_of_its_release(platform: Platform) -> None:
    document = """{ logLines(search: "good") { nodes {
      release deployment { externalId deploymentId id } } } }"""
    (found,) = (await platform.ask(document, EVE))["logLines"]["nodes"]
    assert found["deployment"]["externalId"] == "run-9"
    for id in (found["deployment"]["deploymentId"], found["deployment"]["id"]):
        assert await messages(platform, deployment=id) == ["payment failed for good"]
        assert await messages(platform, deployment=id, search="payment") == [
            "payment failed for good"
        ]
        assert await messages(platform, deployment=id, search="cart") == []
        assert await messages(platform, FOE, deployment=id) == []


async def test_things_have_their_newest_lines(platform: Platform) -> None:
    document = """{
      deployments(filter: {projects: ["store"]}) { nodes { logLines { message } } }
      functions(filter: {projects: ["store"]}) { nodes {
        name logLines(first: 5) { message } } } }"""
    ran = {"type": "function.completed", "id": "f", "project": "store", "function": "checkout"}
    await record(platform, [ran | {"time": NOW.isoformat()}])
    found = await platform.ask(document, EVE)
    (deployment,), (function,) = found["deployments"]["nodes"], found["functions"]["nodes"]
    assert deployment == {"logLines": [{"message": "payment failed for good"}]}
    assert function == {"name": "checkout", "logLines": [{"message": "cart opened"}]}


async def test_lines_of_a_function_are_in_order(own_database_url: str) -> None:
    def written(number: int) -> dict[str, Any]:
        which = {"function": f"press {number % 2}", "logger": f"works.{number % 5}"}
        return line(30 - number, f"step {number}", "works", **which)

    ran = {"type": "function.completed", "project": "works", "time": NOW.isoformat()}
    document = """{ functions(filter: {projects: ["works"]}) { nodes {
      name logLines(first: 12) { message } } } }"""
    # So names are joined in the order of their ids.
    planned = with_options(own_database_url, enable_hashjoin="off", enable_nestloop="off")
    async with opened(planned) as platform:
        await record(platform, [written(number) for number in range(30)])
        await record(platform, [ran | {"id": f"p{n}", "function": f"press {n}"} for n in range(2)])
        found = (await platform.ask(document, ADMIN))["functions"]["nodes"]
    assert {each["name"]: [line["message"] for line in each["logLines"]] for each in found} == {
        f"press {n}": [f"step {number}" for number in range(28 + n, 4 + n, -2)] for n in range(2)
    }


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        # Its trace.
        (
            {"payload": {"message": "no", "contexts": {"trace": {"trace_id": TRACE}}}},
            ["cart opened", "payment failed"],
        ),
        # What its deployment, or its environment, wrote in the minute before.
        ({"message": "no", "release": "9.1.0"}, ["payment failed for good"]),
        ({"message": "no", "environment": "staging"}, ["cart opened"]),
        ({"message": "no"}, ["cart opened", "payment failed for good"]),
    ],
)
async def test_an_error_has_the_lines_of_its_trace_or_those_around_it(
    platform: Platform, error: dict[str, Any], expected: list[str]
) -> None:
    at = NOW - timedelta(minutes=4, seconds=2)
    sent = {"type": "error.occurred", "project": "store", "time": at.isoformat(), "id": str(error)}
    name = f"Error of {len(str(error))}"
    await record(platform, [sent | {"errorType": name} | error])
    document = """query($types: [String!]) {
      errors(filter: {errorTypes: $types}) { nodes { logLines { message } } }
      errorOccurrences(filter: {errorTypes: $types}) { nodes { logLines { message } } } }"""
    found = await platform.ask(document, EVE, types=[name])
    for (node,) in (found["errors"]["nodes"], found["errorOccurrences"]["nodes"]):
        assert [line["message"] for line in node["logLines"]] == expected


@pytest.mark.parametrize("field", ["errors", "errorOccurrences"])
async def test_lines_around_many_errors_cost_as_many_statements_as_around_few(
    platform: Platform, field: str
) -> None:
    document = f"""query($types: [String!]) {{
      {field}(filter: {{errorTypes: $types}}) {{ nodes {{ logLines {{ id }} }} }} }}"""
    base = {"type": "error.occurred", "project": "store", "message": "no"}
    kinds: tuple[dict[str, str], ...] = ({"release": "9.1.0"}, {"environment": "staging"}, {})
    costs = []
    for times in (1, 4):
        sent = [
            base
            | {"id": f"{kind} {of} of {times}", "errorType": f"{kind} {of} of {times}"}
            # Each has a span of its own.
            | {"time": (NOW - timedelta(minutes=4, seconds=2, milliseconds=of)).isoformat()}
            | kind
            for of in range(times)
            for kind in kinds
        ]
        await record(platform, sent)
        found = await platform.ask(document, EVE, types=[each["errorType"] for each in sent])
        assert len([node for node in found[field]["nodes"] if node["logLines"]]) == len(sent)
        costs.append(sorted(platform.statements))
    assert costs[0] == costs[1]


async def test_a_line_is_found_by_its_global_id(platform: Platform) -> None:
    (found,) = (await platform.ask(LIST, EVE, search="slow"))["logLines"]["nodes"]
    node = "query($id: ID!) { node(id: $id) { id ... on LogLine { message } } }"
    assert (await platform.ask(node, EVE, id=found["id"]))["node"] == found
    assert (await platform.ask(node, FOE, id=found["id"]))["node"] is None


async def test_what_cannot_be_asked_is_refused(platform: Platform) -> None:
    assert isinstance(await platform.refused(LIST, EVE, search="x" * 201), LimitExceeded)
    assert isinstance(await platform.refused(LIST, EVE, deployment="run-9"), InvalidInput)
    long = {"last": "P94D"}
    assert isinstance(await platform.refused(LIST, EVE, search="cart", range=long), InvalidInput)
    assert await messages(platform, range=long, first=3) == NEWEST


async def test_lines_are_counted_by_level(platform: Platform) -> None:
    document = """{ logStats(filter: {projects: ["store"]}, range: {last: "P2D"}) {
      lines traceLines debugLines infoLines warnLines errorLines fatalLines errorOrFatalLines
      errorOrFatalRate byLogger(first: 2) { name lines } } }"""
    found = (await platform.ask(document, EVE))["logStats"]
    assert found == {
        "lines": 25,
        "traceLines": 0,
        "debugLines": 20,
        "infoLines": 2,
        "warnLines": 1,
        "errorLines": 1,
        "fatalLines": 1,
        "errorOrFatalLines": 2,
        "errorOrFatalRate": 2 / 25,
        "byLogger": [
            {"name": "clock", "lines": 20},
            {"name": "shop.web", "lines": 4},
            {"name": None, "lines": 1},
        ],
    }


@pytest.fixture
async def frugal(platform: Platform) -> AsyncIterator[Platform]:
    """The platform with a budget of two texts."""
    services, two = platform.services, Retention(log_texts_per_day=2)
    intake = Intake(services.database, services.dictionaries, lambda: NOW, retention=two)
    await intake.start()
    yield replace(platform, services=replace(services, intake=intake))
    await intake.stop()


async def test_lines_beyond_the_budget_of_a_day_are_counted_and_have_no_text(
    frugal: Platform,
) -> None:
    flood = [line(1 + n, f"flood {n}", "flooded", level="debug") for n in range(5)]
    flood += [line(10 + n, f"flood {n}", "flooded", level="error") for n in range(3)]
    await record(frugal, flood[:1])
    await record(frugal, flood)
    document = """{ logLines(filter: {projects: ["flooded"]}) { totalCount nodes {
      level message fields hasText } }
      logStats(filter: {projects: ["flooded"]}, range: {last: "P2D"}) { debugLines errorLines } }"""
    found = await frugal.ask(document, ADMIN)
    assert found["logStats"] == {"debugLines": 5, "errorLines": 3}
    assert found["logLines"]["totalCount"] == 8
    kept = [each for each in found["logLines"]["nodes"] if each["hasText"]]
    assert [each["level"] for each in kept] == ["DEBUG", "DEBUG", "ERROR", "ERROR"]
    assert all(each["message"] for each in kept)
    assert await messages(frugal, ADMIN, search="flood 1") == ["flood 1", "flood 1"]


async def test_old_lines_take_nothing_from_the_budget_of_today(
    frugal: Platform,
) -> None:
    day = 24 * 60
    old = [line(day * days + n, f"old {days}", "replayed") for days in (1, 2) for n in range(3)]
    await record(frugal, old)
    await record(frugal, [line(0, "live", "replayed")])
    found = await messages(frugal, ADMIN, filter={"projects": ["replayed"]})
    assert found == ["live", *["old 1", "old 1", None], *["old 2", "old 2", None]]


async def test_secrets_are_removed(platform: Platform) -> None:
    secret = "AKIAIOSFODNN7EXAMPLE"
    sent = line(
        1,
        f"signed in with password=hunter2-correct and {secret}",
        "secretive",
        fields={"password": "hunter2-correct", "mail": "ann@example.com"},
    )
    await record(platform, [sent])
    document = '{ logLines(filter: {projects: ["secretive"]}) { nodes { message fields } } }'
    (found,) = (await platform.ask(document, ADMIN))["logLines"]["nodes"]
    assert found["fields"] == {"password": "[secret]", "mail": "[email]"}
    assert "hunter2" not in found["message"]
    assert await messages(platform, ADMIN, search="hunter2") == []


async def test_no_part_of_a_secret_across_the_limit_is_stored(platform: Platform) -> None:
    text = "x " * 4_990 + "AKIAIOSFODNN7EXAMPLE and more " * 20
    await record(platform, [line(1, text, "long")])
    (found,) = await messages(platform, ADMIN, filter={"projects": ["long"]})
    assert found.startswith("x x ")
    assert "AKIA" not in found
    assert "more characters]" in found
