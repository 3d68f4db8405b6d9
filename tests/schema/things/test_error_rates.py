"""The most frequent errors, those that occur more often than before, and those of other things."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.schema.error_events import EVE, FOE, HOUR, occurrence, opened_with_errors, record
from tests.schema.platform import NOW, Platform, deployment
from tests.servers import Databases

TOP = """query($filter: ErrorFilter, $range: TimeRange!) {
  errorStats(filter: $filter, range: $range) {
    occurrences top(first: 2) { error { title } occurrences share } } }"""
LINKS = """{
  network(name: "metis") { errors { title } }
  hyperion: network(name: "hyperion") { errors { title } }
  template(slug: "template-02") { errors { title } }
  projects { nodes { slug errors(first: 1) { title } } }
  deployments(filter: {projects: ["store"]}) { nodes { errors { title } } }
  functions { nodes { name errors { title } } } }"""
CART, PRICE, LOGIN, BLOG, DOWN = (
    f"{name}Error: the {name.lower()} broke" for name in ("Cart", "Price", "Login", "Blog", "Down")
)


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    day = timedelta(days=1)
    async with opened_with_errors(url) as platform:
        started = NOW - 30 * day
        await record(platform, deployment("store", "d1", started, release="5.0.0"))
        await record(
            platform,
            [
                occurrence("Down", NOW - 3 * HOUR, release="5.0.0", severity="low"),
                {
                    "type": "function.completed",
                    "project": "store",
                    "function": "checkout",
                    "time": NOW.isoformat(),
                    "id": "f1",
                },
                # Once an hour for a week, then thirty times in one.
                *(occurrence("Often", NOW - number * HOUR, "notes") for number in range(3, 170)),
                *(
                    occurrence("Often", NOW - 3 * HOUR + number * timedelta(minutes=1), "notes")
                    for number in range(1, 31)
                ),
            ],
        )
        yield platform


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"projects": ["store"]}, [(CART, 20), (PRICE, 2)]),
        ({"projects": ["store"], "networks": ["hyperion"]}, [(PRICE, 1)]),
        ({"projects": ["store"], "severities": ["critical", "low"]}, [(PRICE, 2), (DOWN, 1)]),
        ({"errorTypes": ["RivalError"]}, []),
    ],
)
async def test_the_most_frequent_errors_add_up(
    platform: Platform, filter: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    range = {"last": "P2D"}
    stats = (await platform.ask(TOP, EVE, filter=filter, range=range))["errorStats"]
    found = [(each["error"]["title"], each["occurrences"]) for each in stats["top"]]
    assert found == expected
    for each in stats["top"]:
        assert each["share"] == each["occurrences"] / stats["occurrences"]


async def test_a_spike_is_told_with_its_baseline(platform: Platform) -> None:
    document = """{ errorSpikes { error { title spike { occurrences } } startedAt occurrences
      expected } }"""
    (spike,) = (await platform.ask(document, EVE))["errorSpikes"]
    assert spike["error"]["title"] == "OftenError: the often broke"
    assert spike["error"]["spike"] == {"occurrences": spike["occurrences"]}
    assert spike["startedAt"] == (NOW - 3 * HOUR).isoformat().replace("+00:00", "Z")
    assert spike["occurrences"] == 31
    assert 0.5 < spike["expected"] <= 1
    assert await platform.ask(document, FOE) == {"errorSpikes": []}


def titles(things: list[dict[str, Any]]) -> list[str]:
    return [each["title"] for each in things]


async def test_things_have_their_errors(platform: Platform) -> None:
    found = await platform.ask(LINKS, EVE)
    assert titles(found["hyperion"]["errors"]) == [PRICE]
    assert CART in titles(found["network"]["errors"])
    assert titles(found["template"]["errors"]) == [LOGIN]
    errors = {each["slug"]: each["errors"] for each in found["projects"]["nodes"]}
    assert titles(errors["store"]) == [CART]
    (deployed,) = found["deployments"]["nodes"]
    assert titles(deployed["errors"]) == [DOWN]
    assert {each["name"]: titles(each["errors"]) for each in found["functions"]["nodes"]} == {
        "checkout": [CART]
    }
    for name in ("errors_of_networks", "errors_of_projects", "errors_of_functions"):
        assert platform.statements.count(name) == 1


async def test_things_have_no_errors_of_others(platform: Platform) -> None:
    found = await platform.ask(
        '{ network(name: "metis") { errors { title project { slug } } } }', FOE
    )
    assert {each["project"]["slug"] for each in found["network"]["errors"]} == {"foe"}
