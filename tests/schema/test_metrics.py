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
