"""Errors: listed by what occurred, counted exactly, and never those of others."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from storage.errors import InvalidInput, LimitExceeded, NotFound
from tests.schema.error_events import (
    EVE,
    FOE,
    HOUR,
    failures,
    occurrence,
    opened_with_errors,
    record,
)
from tests.schema.platform import ADMIN, NOW, Platform
from tests.servers import Databases

LIST = """query($filter: ErrorFilter, $range: TimeRange, $orderBy: ErrorOrder, $search: String,
  $statuses: [ErrorStatus!], $releases: [String!], $functions: [String!], $assignees: [String!],
  $first: Int, $after: String, $firstSeen: TimeRange) {
  errors(filter: $filter, range: $range, orderBy: $orderBy, search: $search, statuses: $statuses,
      releases: $releases, functions: $functions, assignees: $assignees, first: $first,
      after: $after, firstSeen: $firstSeen) {
    nodes { id title occurrences occurrencesInRange }
    pageInfo { hasNextPage endCursor } totalCount } }"""
CART, PRICE, LOGIN, BLOG = (
    f"{name}Error: the {name.lower()} broke" for name in ("Cart", "Price", "Login", "Blog")
)


def between(start: Any, end: Any) -> dict[str, Any]:
    return {"between": {"start": start.isoformat(), "end": end.isoformat()}}


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    async with opened_with_errors(url) as platform:
        yield platform


async def listed(platform: Platform, viewer: Any = EVE, **variables: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await platform.ask(LIST, viewer, **variables))["errors"]["nodes"]
    return found


async def titles(platform: Platform, viewer: Any = EVE, **variables: Any) -> list[str]:
    return [each["title"] for each in await listed(platform, viewer, **variables)]


async def test_errors_are_listed_latest_first(platform: Platform) -> None:
    assert await titles(platform) == [CART, BLOG, PRICE, LOGIN]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"field": "FIRST_SEEN"}, [BLOG, PRICE, CART, LOGIN]),
        ({"field": "OCCURRENCES"}, [CART, PRICE]),
        ({"field": "USERS"}, [CART]),
        ({"field": "LAST_SEEN", "direction": "ASC"}, [LOGIN, PRICE, BLOG, CART]),
    ],
)
async def test_errors_are_sorted(
    platform: Platform, order: dict[str, str], expected: list[str]
) -> None:
    assert (await titles(platform, orderBy=order))[: len(expected)] == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"filter": {"projects": ["notes"]}}, [BLOG]),
        ({"filter": {"networks": ["hyperion"]}}, [PRICE]),
        ({"filter": {"templates": ["template-02"]}}, [LOGIN]),
        ({"filter": {"environments": ["staging"]}}, [PRICE]),
        ({"filter": {"severities": ["critical"]}}, [PRICE]),
        ({"filter": {"severities": ["critical"], "environments": ["staging"]}}, []),
        ({"filter": {"errorTypes": ["CartError"]}}, [CART]),
        ({"filter": {"errorTypes": ["RivalError"]}}, []),
        ({"releases": ["1.1.0"]}, [CART]),
        ({"releases": ["9"]}, []),
        ({"functions": ["checkout"]}, [CART]),
        ({"statuses": ["OPEN"]}, [CART, BLOG, PRICE, LOGIN]),
        ({"statuses": ["RESOLVED"]}, []),
        ({"assignees": ["ada"]}, []),
        ({"search": "price broke"}, [PRICE]),
        ({"search": "pri"}, [PRICE]),
        ({"search": "broke -price"}, [CART, BLOG, LOGIN]),
        ({"search": '"broke price"'}, []),
        ({"search": "foe"}, []),
        ({"search": "price", "range": {"last": "PT1H"}}, []),
        ({"firstSeen": {"last": "P7D"}}, [CART, BLOG, PRICE]),
        ({"firstSeen": between(NOW - 3 * HOUR, NOW - HOUR)}, [PRICE]),
        ({"firstSeen": between(NOW - 3 * HOUR, NOW - HOUR), "statuses": ["RESOLVED"]}, []),
        ({"firstSeen": {"last": "P7D"}, "range": {"last": "PT90M"}}, [CART, BLOG]),
        ({"range": {"last": "P9D"}, "filter": {"templates": ["template-02"]}}, []),
    ],
)
async def test_errors_are_filtered(
    platform: Platform, arguments: dict[str, Any], expected: list[str]
) -> None:
    assert await titles(platform, **arguments) == expected


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW - 30 * HOUR, NOW),
        (NOW - 29.5 * HOUR, NOW - 1.4 * HOUR),
        (NOW - timedelta(minutes=20), NOW),
        (NOW - timedelta(minutes=12), NOW - timedelta(minutes=5)),
        (NOW - timedelta(days=1, hours=20), NOW + timedelta(days=2)),
        (NOW - timedelta(days=30), NOW - timedelta(days=15)),
        (NOW + HOUR, NOW + 2 * HOUR),
    ],
)
@pytest.mark.parametrize("filter", [{}, {"networks": ["metis"]}, {"severities": ["low"]}])
@pytest.mark.parametrize("order", ["LAST_SEEN", "OCCURRENCES"])
async def test_occurrences_in_a_range_are_exact(
    platform: Platform, start: Any, end: Any, filter: dict[str, Any], order: str
) -> None:
    expected: dict[str, int] = {}
    for event in failures():
        matches = event["network"] in filter.get("networks", [event["network"]]) and event.get(
            "severity", "high"
        ) in filter.get("severities", [event.get("severity", "high")])
        if event["project"] != "foe" and start.isoformat() <= event["time"] < end.isoformat():
            title = f"{event['errorType']}: {event['message']}"
            expected[title] = expected.get(title, 0) + matches
    expected = {title: number for title, number in expected.items() if number}
    arguments = {"filter": filter, "range": between(start, end), "orderBy": {"field": order}}
    found = await listed(platform, **arguments)
    counts = {each["title"]: each["occurrencesInRange"] for each in found}
    assert counts == expected
    if order == "OCCURRENCES":
        assert list(counts.values()) == sorted(counts.values(), reverse=True)


@pytest.mark.parametrize("order", ["LAST_SEEN", "FIRST_SEEN", "OCCURRENCES", "USERS"])
@pytest.mark.parametrize("range", [None, {"last": "P60D"}])
async def test_pages_follow_each_other(platform: Platform, order: str, range: Any) -> None:
    arguments = {"orderBy": {"field": order}, "range": range}
    seen: list[str] = []
    after = None
    while True:
        page = (await platform.ask(LIST, EVE, first=1, after=after, **arguments))["errors"]
        seen += [each["title"] for each in page["nodes"]]
        assert page["totalCount"] == 4
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == await titles(platform, **arguments)
    assert len(seen) == 4


async def test_unknown_names_and_long_lists_are_refused(platform: Platform) -> None:
    assert isinstance(await platform.refused(LIST, EVE, filter={"networks": ["metsi"]}), NotFound)
    assert isinstance(await platform.refused(LIST, EVE, releases=["x"] * 101), LimitExceeded)
    assert isinstance(await platform.refused(LIST, EVE, search="x" * 201), LimitExceeded)
    assert isinstance(await platform.refused(LIST, EVE, search="a\0b"), InvalidInput)


async def test_an_error_has_its_parts(platform: Platform) -> None:
    (cart,) = await listed(platform, functions=["checkout"])
    document = """query($id: ID!, $range: TimeRange) { error(id: $id) {
      errorType severity status firstRelease lastRelease affectedUsers regressions
      project { slug } assignee { subject } regressedBy { id }
      grouping { version occurrences decidedBy { part values } }
      series(range: $range, interval: DAY) { start occurrences }
      releases { release occurrences } functions(first: 1) { name function { id } }
      deployments { deployment { id } } comments { text } mergedErrors { id }
      latestOccurrence { occurredAt release severity errorType environment { name }
        network { name } template { slug } error { id } functionName deployment { id }
        body { message exceptions { type value frames { file } } stackTrace tags { name } } }
      latestOccurrences(first: 2) { nodes { eventId } totalCount pageInfo { hasNextPage } } } }"""
    range = between(NOW.replace(hour=0) - 2 * 24 * HOUR, NOW.replace(hour=0) + 24 * HOUR)
    found = (await platform.ask(document, EVE, id=cart["id"], range=range))["error"]
    assert found["severity"] == "HIGH"
    assert (found["affectedUsers"], found["firstRelease"], found["lastRelease"]) == (
        5,
        "1.1.0",
        "1.0.0",
    )
    assert [each["occurrences"] for each in found["series"]] == [0, 8, 12]
    assert found["releases"] == [
        {"release": f"1.{minor}.0", "occurrences": number}
        for minor, number in ((0, 7), (1, 7), (2, 6))
    ]
    assert found["functions"] == [{"name": "checkout", "function": None}]
    latest = found["latestOccurrence"]
    assert latest["error"] == {"id": cart["id"]}
    assert latest["network"] == {"name": "metis"}
    assert latest["template"] == {"slug": "template-01"}
    assert latest["body"]["exceptions"][0]["type"] == "CartError"
    assert latest["body"]["stackTrace"] == "CartError: the cart broke"
    assert found["latestOccurrences"]["totalCount"] == 20
    assert found["grouping"][0]["occurrences"] == 20
    assert found["grouping"][0]["decidedBy"]


async def test_nodes_are_errors_and_occurrences_of_the_scope(platform: Platform) -> None:
    (cart,) = await listed(platform, functions=["checkout"])
    document = """query($ids: [ID!]!) { nodes(ids: $ids) {
      ... on Error { title latestOccurrence { id } }
      ... on ErrorOccurrence { error { title } } } }"""
    (node,) = (await platform.ask(document, EVE, ids=[cart["id"]]))["nodes"]
    occurrence_id = node["latestOccurrence"]["id"]
    assert (await platform.ask(document, EVE, ids=[occurrence_id]))["nodes"] == [
        {"error": {"title": CART}}
    ]
    ids = [cart["id"], occurrence_id]
    assert (await platform.ask(document, FOE, ids=ids))["nodes"] == [None, None]
    one = "query($id: ID!) { error(id: $id) { title } }"
    assert await platform.ask(one, FOE, id=cart["id"]) == {"error": None}


async def test_others_see_only_their_own(platform: Platform) -> None:
    assert await titles(platform, FOE) == [CART, "RivalError: the rival broke"]
    assert len(await titles(platform, ADMIN)) == 6 + len(["those of failed deployments"] * 2)


OCCURRENCES = """query($filter: ErrorFilter, $search: String, $range: TimeRange, $after: String) {
  errorOccurrences(filter: $filter, search: $search, range: $range, first: 15, after: $after) {
    nodes { occurredAt error { title } } pageInfo { hasNextPage endCursor } totalCount } }"""


@pytest.mark.parametrize("few", [50_000, 10])
async def test_occurrences_are_listed_and_searched(
    platform: Platform, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words that many bodies have are looked for in another way."""
    monkeypatch.setattr("storage.queries.errors.searching.FEW_FOUND", few)
    for search, total, expected in ((None, 24, CART), ("cart", 20, CART), ("price", 2, PRICE)):
        page = (await platform.ask(OCCURRENCES, EVE, search=search))["errorOccurrences"]
        assert page["totalCount"] == total
        assert page["nodes"][0]["error"]["title"] == expected
        times = [each["occurredAt"] for each in page["nodes"]]
        assert times == sorted(times, reverse=True)
        after = page["pageInfo"]["endCursor"]
        rest = (await platform.ask(OCCURRENCES, EVE, search=search, after=after))[
            "errorOccurrences"
        ]
        assert len(rest["nodes"]) == max(0, total - 15)
    bounded = {"search": "broke", "range": between(NOW - 4 * HOUR, NOW)}
    page = (await platform.ask(OCCURRENCES, EVE, **bounded))["errorOccurrences"]
    assert page["totalCount"] == 7
    filtered = {"search": "broke", "filter": {"networks": ["hyperion"]}}
    page = (await platform.ask(OCCURRENCES, EVE, **filtered))["errorOccurrences"]
    assert [each["error"]["title"] for each in page["nodes"]] == [PRICE]
    assert await titles(platform, search="price") == [PRICE]
    assert await titles(platform, search="broke") == [CART, BLOG, PRICE, LOGIN]


async def test_the_number_of_statements_does_not_depend_on_the_number_of_errors(
    platform: Platform,
) -> None:
    document = """query($first: Int) { errors(first: $first, range: {last: "P60D"}) { nodes {
      title occurrencesInRange project { slug } assignee { subject } regressedBy { id }
      grouping { id } series(interval: DAY) { occurrences } releases { release }
      functions { function { id } } deployments { deployment { id } } comments { text }
      mergedErrors { id } latestOccurrence { error { id } network { id } template { id }
        deployment { id } body { message } } } } }"""
    numbers = []
    for first in (1, 4):
        await platform.ask(document, EVE, first=first)
        numbers.append(len(platform.statements))
    assert numbers[0] == numbers[1]


async def test_hostile_bodies_are_shown(platform: Platform) -> None:
    payload = {
        "exception": {
            "values": [{"type": ["x"], "value": {"a": 1}, "stacktrace": {"frames": [1]}}]
        },
        "breadcrumbs": [{"timestamp": 1e300, "data": 3}, "text", None],
        "tags": [["a"], 3, {"key": "b", "value": None}],
        "contexts": "none",
        "request": [1],
        "user": 5,
        "extra": "text",
    }
    at = NOW - timedelta(seconds=1)
    await record(platform, [occurrence("Odd", at, project="notes", payload=payload)])
    document = """{ errorOccurrences(filter: {projects: ["notes"]}, first: 1) { nodes { body {
      message exceptions { type value handled frames { line vars linesBefore } } frames { file }
      breadcrumbs { occurredAt category data } tags { name value } contexts request user extra
      stackTrace sdk modules logger serverName } } } }"""
    (found,) = (await platform.ask(document, EVE))["errorOccurrences"]["nodes"]
    assert found["body"] is not None
