"""Metrics: a table of columns equal to the statistics."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analytics.run import Analytics
from storage.errors import InvalidInput, LimitExceeded
from storage.keeping.windows import Retention
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
    found = await table(platform, measures=["DEPLOYMENT_ATTEMPTS"])
    assert found["interval"] is None
    assert found["groups"] == [{"isOthers": False, "keys": []}]
    (column,) = found["columns"]
    assert column["values"] == [[9]]
    assert (column["totals"], column["total"]) == ([9], 9)
    assert (column["previousTotals"], column["previousTotal"]) == (None, None)


async def test_columns_by_day_and_network(platform: Platform) -> None:
    found = await table(
        platform,
        measures=["DEPLOYMENT_ATTEMPTS", "DEPLOYMENT_SUCCESS_RATE", "DEPLOYMENT_SHARE"],
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


SHARES = """query($range: TimeRange, $filter: DeploymentFilter, $same: MetricFilter) {
  deploymentStats(range: $range, filter: $filter) {
    attempts previous { attempts }
    byNetwork(first: 1) { attempts share series(interval: DAY) { attempts } }
    byProject { attempts share }
  }
  metrics(
    measures: [DEPLOYMENT_SHARE, DEPLOYMENT_ATTEMPTS], range: $range, filter: $same,
    groupBy: [PROJECT], interval: DAY, compare: PREVIOUS_WEEK, first: 1
  ) { columns { values totals total previousTotals previousTotal } }
}"""


@pytest.mark.parametrize(
    "filter",
    [
        {"templates": ["template-02"]},
        {"networks": ["metis"], "projects": ["shop"]},
        {"projects": ["shop", "blog"]},
        {},
    ],
)
async def test_share_is_of_all_that_the_filter_selects(
    platform: Platform, filter: dict[str, list[str]]
) -> None:
    """In groups and in metrics, over the whole range, each bucket and the earlier range."""
    data = await platform.ask(SHARES, range=SPAN, filter=filter, same=filter)
    found = data["deploymentStats"]
    for groups in (found["byNetwork"], found["byProject"]):
        assert sum(group["share"] for group in groups) == pytest.approx(1)
        for group in groups:
            assert group["share"] == pytest.approx(group["attempts"] / found["attempts"])
    shares, attempts = data["metrics"]["columns"]
    assert (shares["total"], shares["previousTotal"]) == (1, 0)
    assert sum(shares["totals"]) == pytest.approx(1)
    assert shares["totals"] == pytest.approx([n / attempts["total"] for n in attempts["totals"]])
    for share, count in zip(
        zip(*shares["values"], strict=True), zip(*attempts["values"], strict=True), strict=True
    ):
        assert sum(share) == pytest.approx(1 if any(count) else 0)


async def test_share_of_nothing_is_zero(platform: Platform) -> None:
    data = await platform.ask(SHARES, range=SPAN, filter={"networks": []}, same={"networks": []})
    assert data["metrics"]["columns"][0]["total"] == 0
    assert data["deploymentStats"]["byProject"] == []


async def test_groups_beyond_the_first_are_one_row(platform: Platform) -> None:
    found = await table(
        platform,
        measures=["DEPLOYMENT_ATTEMPTS"],
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
    assert found["columns"][0]["previousTotals"] == [0, 0]


@pytest.mark.parametrize("compare", ["PREVIOUS_PERIOD", "PREVIOUS_YEAR"])
async def test_automatic_interval_is_one_that_is_stored(platform: Platform, compare: str) -> None:
    """Hours are kept for 30 days here; the earlier range is one bucket, however old it is."""
    database = platform.services.database
    analytics = Analytics(database, None, Retention(fine_days=30), lambda: NOW)
    of_a_month = Platform(replace(platform.services, analytics=analytics))
    for days, interval in ((29, "HOUR"), (45, "DAY")):
        start = TODAY - timedelta(days=days)
        span = {"start": start.isoformat(), "end": (start + timedelta(days=5)).isoformat()}
        found = await table(
            of_a_month,
            measures=["DEPLOYMENT_ATTEMPTS"],
            range={"between": span},
            interval="AUTO",
            compare=compare,
        )
        assert found["interval"] == interval
        assert found["columns"][0]["previousTotal"] == 0
        series = """query($span: DateTimeRange!) { deploymentStats(range: {between: $span}) {
          series { attempts } byProject { series { attempts } } } }"""
        assert await of_a_month.ask(series, span=span)


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"measures": []}, InvalidInput),
        ({"measures": ["DEPLOYMENT_ATTEMPTS"] * 31}, LimitExceeded),
        ({"measures": ["DEPLOYMENT_ATTEMPTS"], "groupBy": ["NETWORK", "NETWORK"]}, InvalidInput),
        ({"measures": ["DEPLOYMENT_ATTEMPTS"], "first": 1001}, LimitExceeded),
    ],
)
async def test_senseless_tables_are_refused(
    platform: Platform, variables: dict[str, Any], kind: type[Exception]
) -> None:
    assert isinstance(await platform.refused(TABLE, **variables), kind)
