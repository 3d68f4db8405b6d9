"""Metrics: a table of columns equal to the statistics."""

from datetime import timedelta
from typing import Any

import pytest

from storage.errors import InvalidInput, LimitExceeded
from tests.schema.platform import NOW, TODAY, Platform

SPAN = {"between": {"start": (TODAY - timedelta(days=1)).isoformat(), "end": NOW.isoformat()}}
TABLE = """query(
    $measures: [Measure!]!, $groupBy: [Dimension!], $range: TimeRange, $interval: Interval,
    $compare: Comparison, $first: Int! = 50
) {
  metrics(
    measures: $measures, groupBy: $groupBy, range: $range, interval: $interval, compare: $compare,
    first: $first
  ) {
    interval buckets { start open } groups { isOthers keys { dimension kind name } } groupCount
    columns { measure unit values totals total previousTotals previousTotal }
    previousRange { start end } freshness { source }
  }
}"""


async def table(platform: Platform, **variables: Any) -> dict[str, Any]:
    data = await platform.ask(TABLE, **{"range": SPAN, **variables})
    found: dict[str, Any] = data["metrics"]
    return found


async def test_one_number_is_a_table_of_one_cell(platform: Platform) -> None:
    found = await table(platform, measures=["ATTEMPTS"])
    assert found["interval"] is None
    assert found["groups"] == [{"isOthers": False, "keys": []}]
    (column,) = found["columns"]
    assert column["values"] == [[9]]
    assert (column["totals"], column["total"]) == ([9], 9)
    assert (column["previousTotals"], column["previousTotal"]) == (None, None)


async def test_columns_by_day_and_network(platform: Platform) -> None:
    found = await table(
        platform,
        measures=["ATTEMPTS", "SUCCESS_RATE", "SHARE"],
        groupBy=["NETWORK"],
        interval="DAY",
        compare="PREVIOUS_PERIOD",
    )
    assert [group["keys"][0]["name"] for group in found["groups"]] == ["metis", "hyperion", None]
    attempts, rates, shares = found["columns"]
    assert attempts["values"] == [[3, 3], [0, 2], [0, 1]]
    assert attempts["totals"] == [6, 2, 1]
    assert attempts["previousTotals"] == [0, 0, 0]
    assert rates["total"] == pytest.approx(5 / 8)
    assert [sum(day) for day in zip(*shares["values"], strict=True)] == pytest.approx([1, 1])


SHARES = """query($range: TimeRange, $filter: DeploymentStatsFilter) {
  deploymentStats(range: $range, filter: $filter) {
    share previous { share } byNetwork(first: 1) { share } byProject { share }
  }
  metrics(
    measures: [SHARE], range: $range, filter: $filter, groupBy: [PROJECT], interval: DAY,
    compare: PREVIOUS_PERIOD
  ) { columns { values totals total previousTotals previousTotal } }
  single: metrics(measures: [SHARE], range: $range, filter: $filter) { columns { values total } }
}"""
DAY = {"calendar": {"unit": "DAY"}}


@pytest.mark.parametrize(
    ("filter", "now", "before"),
    [
        ({"templates": ["template-02"]}, 1 / 6, 1 / 3),
        ({"networks": ["metis"], "projects": ["shop"]}, 1 / 6, 1),
        ({"projects": ["shop"]}, 3 / 6, 1),
        ({"projects": ["shop", "blog"]}, 1, 1),
        ({"networks": []}, 0, 0),
        ({}, 1, 1),
    ],
)
async def test_share_is_of_the_same_whole_everywhere(
    platform: Platform, filter: dict[str, list[str]], now: float, before: float
) -> None:
    data = await platform.ask(SHARES, range=DAY, filter=filter)
    found = data["deploymentStats"]
    assert found["share"] == pytest.approx(now)
    assert found["previous"]["share"] == pytest.approx(before)
    for groups in ("byNetwork", "byProject"):
        assert sum(group["share"] for group in found[groups]) == pytest.approx(now)
    (column,) = data["metrics"]["columns"]
    assert column["total"] == sum(column["totals"]) == pytest.approx(now)
    assert sum(sum(values) for values in column["values"]) == pytest.approx(now)
    assert column["previousTotal"] == pytest.approx(before)
    (single,) = data["single"]["columns"]
    assert single["values"] == [[single["total"]]] == [[pytest.approx(now)]]


async def test_share_of_an_environment_is_of_its_project_everywhere(platform: Platform) -> None:
    document = """query($range: TimeRange) { project(slug: "shop") { environments { name
        deploymentStats(range: $range) { share previous { share } byNetwork { share } } } } }"""
    data = await platform.ask(document, range=DAY)
    found = {one["name"]: one["deploymentStats"] for one in data["project"]["environments"]}
    assert found["staging"]["share"] == pytest.approx(1 / 3)
    assert found["production"]["previous"]["share"] == 1
    for figures in found.values():
        shares = [group["share"] for group in figures["byNetwork"]]
        assert sum(shares) == pytest.approx(figures["share"])


async def test_groups_beyond_the_first_are_one_row(platform: Platform) -> None:
    found = await table(
        platform,
        measures=["ATTEMPTS"],
        groupBy=["PROJECT", "ENVIRONMENT"],
        compare="PREVIOUS_WEEK",
        first=1,
    )
    assert found["groups"] == [
        {
            "isOthers": False,
            "keys": [
                {"dimension": "PROJECT", "kind": "NAMED", "name": "shop"},
                {"dimension": "ENVIRONMENT", "kind": "NAMED", "name": "production"},
            ],
        },
        {"isOthers": True, "keys": []},
    ]
    assert found["groupCount"] == 4
    assert found["columns"][0]["totals"] == [5, 4]
    assert found["columns"][0]["previousTotals"] == [0, None]


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"measures": []}, InvalidInput),
        ({"measures": ["ATTEMPTS"] * 31}, LimitExceeded),
        ({"measures": ["ATTEMPTS"], "groupBy": ["NETWORK", "NETWORK"]}, InvalidInput),
        ({"measures": ["ATTEMPTS"], "first": 1001}, LimitExceeded),
    ],
)
async def test_senseless_tables_are_refused(
    platform: Platform, variables: dict[str, Any], kind: type[Exception]
) -> None:
    assert isinstance(await platform.refused(TABLE, **variables), kind)
