"""Statistics: equal to counts by hand, and loaded together."""

from datetime import timedelta
from typing import Any

import pytest

from analytics.measures import MEASURES
from storage.errors import InvalidInput, LimitExceeded, NotFound
from tests.schema.platform import ADA, ADMIN, NOBODY, NOW, RIVAL, TODAY, Platform

YESTERDAY = TODAY - timedelta(days=1)
SPAN = {"between": {"start": YESTERDAY.isoformat(), "end": NOW.isoformat()}}


async def stats(platform: Platform, fields: str, **variables: Any) -> dict[str, Any]:
    document = f"""query(
        $range: TimeRange, $filter: DeploymentStatsFilter, $zone: TimeZone! = "UTC"
    ) {{ deploymentStats(range: $range, filter: $filter, timeZone: $zone) {{ {fields} }} }}"""
    data = await platform.ask(document, **{"range": SPAN, **variables})
    found: dict[str, Any] = data["deploymentStats"]
    return found


async def test_daily_figures_of_a_network_equal_the_hand_count(platform: Platform) -> None:
    """R2, R3, R5: metis had 3 attempts yesterday and 3 today."""
    found = await stats(
        platform,
        "series(interval: DAY) { start attempts succeeded failed rolledBack }",
        filter={"networks": ["metis"]},
    )
    rows = [tuple(point.values()) for point in found["series"]]
    day = "%Y-%m-%dT00:00:00Z"
    assert rows == [(YESTERDAY.strftime(day), 3, 1, 1, 1), (TODAY.strftime(day), 3, 1, 0, 0)]


async def test_the_day_is_midnight_to_midnight_of_the_zone(platform: Platform) -> None:
    """R3: midnight in Bogota is five o'clock UTC, when blog-3 was created."""
    found = await stats(platform, "series(interval: DAY) { attempts }", zone="America/Bogota")
    assert [point["attempts"] for point in found["series"]] == [3, 5, 1]


async def test_rates_divide_what_their_formulas_say(platform: Platform) -> None:
    """R4, R97, E2."""
    found = await stats(
        platform,
        """attempts succeeded failed cancelled rolledBack inProgress finished successRate
        successRateOfAttempts failureRate rollbackRate averageDurationMs""",
    )
    assert found == {
        "attempts": 9,
        "succeeded": 5,
        "failed": 1,
        "cancelled": 1,
        "rolledBack": 1,
        "inProgress": 1,
        "finished": 8,
        "successRate": 5 / 8,
        "successRateOfAttempts": 5 / 9,
        "failureRate": 1 / 8,
        "rollbackRate": 1 / 8,
        "averageDurationMs": 60_000,
    }


async def test_an_empty_range_is_zeros_and_no_error(platform: Platform) -> None:
    """R4, R16."""
    document = """{ deploymentStats { attempts successRate share averageDurationMs activeProjects
        durationP95Ms durationMs(percentile: 0.5) byNetwork { name } } }"""
    assert (await platform.ask(document, NOBODY))["deploymentStats"] == {
        "attempts": 0,
        "successRate": 0,
        "share": 0,
        "averageDurationMs": None,
        "activeProjects": 0,
        "durationP95Ms": None,
        "durationMs": None,
        "byNetwork": [],
    }


async def test_network_split_has_counts_and_fractions(platform: Platform) -> None:
    """R14, R16."""
    found = await stats(
        platform, "attempts byNetwork { kind name attempts share activeProjects network { title } }"
    )
    rows = {row["name"]: row for row in found["byNetwork"]}
    assert {name: row["attempts"] for name, row in rows.items()} == {
        "metis": 6,
        "hyperion": 2,
        None: 1,
    }
    assert rows[None]["kind"] == "UNKNOWN"
    assert sum(row["share"] for row in found["byNetwork"]) == pytest.approx(1)
    assert rows["metis"]["activeProjects"] == 2
    assert rows["hyperion"]["network"] == {"title": "Hyperion"}


async def test_groups_beyond_the_first_are_one(platform: Platform) -> None:
    found = await stats(platform, "byTemplate(first: 1) { kind name attempts activeProjects }")
    first, others = found["byTemplate"]
    assert first == {"kind": "NONE", "name": None, "attempts": 4, "activeProjects": 2}
    assert others == {"kind": "OTHERS", "name": None, "attempts": 5, "activeProjects": None}


async def test_template_usage_is_sorted_limited_and_adds_up(platform: Platform) -> None:
    """R7, R8, R17."""
    document = """query($range: TimeRange, $first: Int) { networks { name
        templateUsage(range: $range, first: $first) {
            slug usage successes successRate adoptionRate template { name }
            freshness { complete } } } }"""
    data = await platform.ask(document, range=SPAN, first=None)
    usage = {network["name"]: network["templateUsage"] for network in data["networks"]}
    assert [(row["slug"], row["usage"], row["successes"]) for row in usage["metis"]] == [
        ("template-01", 2, 1),
        ("template-02", 1, 0),
    ]
    assert usage["metis"][0]["adoptionRate"] == pytest.approx(2 / 3)
    assert usage["hyperion"][0]["template"] == {"name": "Template 2"}
    assert usage["metis"] != usage["hyperion"]
    for rows in usage.values():
        assert sum(row["adoptionRate"] for row in rows) == pytest.approx(1)
    data = await platform.ask(document, range=SPAN, first=1)
    assert [len(network["templateUsage"]) for network in data["networks"]] == [1, 1]


async def test_known_things_carry_their_own_figures(platform: Platform) -> None:
    """R15, R29, R30."""
    data = await platform.ask(
        """query($range: TimeRange) {
        network(name: "METIS") { deploymentStats(range: $range) { attempts share activeProjects } }
        template(slug: "template-01") { deploymentStats(range: $range) { attempts share } }
        project(slug: "shop") {
            deploymentStats(range: $range) { attempts share }
            environments { name deploymentStats(range: $range) { attempts share } }
        }
        viewer { deploymentStats(range: $range) { attempts share } }
        }""",
        range=SPAN,
    )
    assert data == {
        "network": {
            "deploymentStats": {
                "attempts": 6,
                "share": pytest.approx(6 / 9),
                "activeProjects": 2,
            }
        },
        "template": {"deploymentStats": {"attempts": 2, "share": pytest.approx(2 / 9)}},
        "project": {
            "deploymentStats": {"attempts": 6, "share": pytest.approx(6 / 9)},
            "environments": [
                {
                    "name": "production",
                    "deploymentStats": {"attempts": 5, "share": pytest.approx(5 / 6)},
                },
                {
                    "name": "staging",
                    "deploymentStats": {"attempts": 1, "share": pytest.approx(1 / 6)},
                },
            ],
        },
        "viewer": {"deploymentStats": {"attempts": 9, "share": 1}},
    }


async def test_previous_is_as_much_time_before(platform: Platform) -> None:
    today = {"between": {"start": TODAY.isoformat(), "end": NOW.isoformat()}}
    found = await stats(
        platform,
        "attempts previous { attempts range { start end } freshness { source } }",
        range=today,
    )
    assert found["attempts"] == 6
    # Twelve hours before today's midnight nothing was deployed.
    assert found["previous"]["attempts"] == 0
    assert found["previous"]["range"]["end"] == TODAY.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_calendar_days_can_be_named_or_counted_back(platform: Platform) -> None:
    fields = "attempts previous(compare: PREVIOUS_PERIOD) { attempts }"
    today = await stats(platform, fields, range={"calendar": {"unit": "DAY"}})
    assert (today["attempts"], today["previous"]["attempts"]) == (6, 3)
    back = await stats(platform, fields, range={"calendar": {"unit": "DAY", "offset": -1}})
    named = {"calendar": {"unit": "DAY", "date": YESTERDAY.date().isoformat()}}
    assert back == await stats(platform, fields, range=named)
    assert back["attempts"] == 3


async def test_day_after_one_that_a_zone_skipped_has_a_previous_day(platform: Platform) -> None:
    found = await stats(
        platform,
        "previous { range { start end } }",
        range={"calendar": {"unit": "DAY", "date": "2011-12-31"}},
        zone="Pacific/Apia",
    )
    before = {"start": "2011-12-29T10:00:00Z", "end": "2011-12-30T10:00:00Z"}
    assert found["previous"]["range"] == before


async def test_percentiles_of_the_field_and_the_measure_agree(platform: Platform) -> None:
    found = await stats(
        platform, "durationP95Ms p95: durationMs(percentile: 0.95) p0: durationMs(percentile: 0)"
    )
    assert found["durationP95Ms"] == found["p95"] == pytest.approx(60_000, rel=0.1)


async def test_figures_say_how_fresh_they_are(platform: Platform) -> None:
    found = await stats(platform, "freshness { asOf source complete approximate }")
    assert found["freshness"]["source"] in ("RAW", "ROLLUP", "MIXED")
    assert found["freshness"]["approximate"] is False


async def test_every_measure_is_a_field(platform: Platform) -> None:
    catalogue = await platform.ask("{ measures { measure field unit formula } }")
    assert len(catalogue["measures"]) == len(MEASURES)
    fields = " ".join(one["field"] for one in catalogue["measures"])
    found = await stats(platform, f"{fields} previous {{ {fields} }} byNetwork {{ {fields} }}")
    assert found["attempts"] == 9


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"filter": {"networks": ["metiss"]}}, InvalidInput),
        ({"filter": {"templates": ["nothing"]}}, InvalidInput),
        ({"filter": {"projects": ["nothing"]}}, NotFound),
        ({"filter": {"environments": ["x"] * 101}}, LimitExceeded),
        ({"range": {"between": {"start": NOW.isoformat(), "end": NOW.isoformat()}}}, InvalidInput),
        ({"range": {"last": "P90Y"}}, InvalidInput),
    ],
)
async def test_senseless_questions_are_refused(
    platform: Platform, variables: dict[str, Any], kind: type[Exception]
) -> None:
    document = """query($range: TimeRange, $filter: DeploymentStatsFilter) {
        deploymentStats(range: $range, filter: $filter) { attempts } }"""
    assert isinstance(await platform.refused(document, **variables), kind)


async def test_a_failing_part_leaves_the_other_parts(platform: Platform) -> None:
    document = """{ deploymentStats(range: {last: "P30D"}) {
        attempts minutes: series(interval: MINUTE) { attempts } byNetwork { name } } }"""
    result = await platform.execute(document)
    assert result.errors
    assert [error.path for error in result.errors] == [["deploymentStats", "minutes"]]
    assert isinstance(result.errors[0].original_error, LimitExceeded)


DASHBOARD = """query($range: TimeRange) {
  deploymentStats(range: $range) {
    attempts successRate durationP95Ms series(interval: DAY) { attempts durationP95Ms }
    byNetwork { name attempts } byTemplate { name attempts } previous { attempts }
  }
}"""


async def test_parts_are_loaded_in_one_go(platform: Platform) -> None:
    asked: list[int] = []
    analytics = platform.services.analytics
    run_each = analytics.run_each

    async def counting(questions: Any, state: Any) -> Any:
        asked.append(len(questions))
        return await run_each(questions, state)

    analytics.run_each = counting  # type: ignore[method-assign]
    try:
        await platform.ask(DASHBOARD, range=SPAN)
    finally:
        analytics.run_each = run_each  # type: ignore[method-assign]
    assert asked == [5]


PARENTS = """query($first: Int, $range: TimeRange) {
  projects(first: $first) { nodes {
    slug
    environments { name }
    latestDeployments(first: 3) { externalId project { slug } statusEvents(first: 2) { type } }
    deploymentStats(range: $range) {
        attempts successRate activeProjects series(interval: DAY) { attempts }
    }
  } }
}"""


async def test_many_projects_cost_as_many_statements_as_few(platform: Platform) -> None:
    costs = []
    for first in (2, 3):
        data = await platform.ask(PARENTS, ADMIN, first=first, range=SPAN)
        assert len(data["projects"]["nodes"]) == first
        costs.append(sorted(platform.statements))
    assert costs[0] == costs[1]
    assert len(costs[0]) <= 8


async def test_many_networks_and_templates_cost_two_statements(platform: Platform) -> None:
    for field in ("networks", "templates(first: 12)"):
        inner = (
            "nodes { deploymentStats { attempts } }"
            if "(" in field
            else "deploymentStats { attempts }"
        )
        await platform.ask(f"{{ {field} {{ {inner} }} }}", ADA)
        assert len(platform.statements) <= 3


async def test_each_tenants_share_is_of_its_own(platform: Platform) -> None:
    document = '{ network(name: "metis") { deploymentStats { attempts share } } }'
    data = await platform.ask(document, RIVAL)
    assert data == {"network": {"deploymentStats": {"attempts": 7, "share": 1}}}
