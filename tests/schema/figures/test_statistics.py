"""Statistics: equal to counts by hand, and loaded together."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from graphql import ExecutionResult, execute, parse

from analytics.measures import measures_of
from gateway.graphql.execution.compiled import compiled_executor
from gateway.graphql.execution.counting import CountingExecutor
from resolvers.context import Context
from schema import schema
from schema.internals import core
from storage.errors import InvalidInput, LimitExceeded, NotFound
from tests.schema.platform import ADA, ADMIN, NOBODY, NOW, RIVAL, TODAY, Platform

YESTERDAY = TODAY - timedelta(days=1)
SPAN = {"between": {"start": YESTERDAY.isoformat(), "end": NOW.isoformat()}}


async def stats(platform: Platform, fields: str, **variables: Any) -> dict[str, Any]:
    document = f"""query(
        $range: TimeRange, $filter: DeploymentFilter, $zone: TimeZone! = "UTC"
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
        """attempts queued succeeded failed cancelled rolledBack inProgress successRate
        failureRate rollbackRate averageDurationMs""",
    )
    assert found == {
        "attempts": 9,
        "succeeded": 5,
        "failed": 1,
        "cancelled": 1,
        "rolledBack": 1,
        "queued": 0,
        "inProgress": 1,
        "successRate": 5 / 8,
        "failureRate": 1 / 8,
        "rollbackRate": 1 / 8,
        "averageDurationMs": 60_000,
    }


async def test_an_empty_range_is_zeros_and_no_error(platform: Platform) -> None:
    """R4, R16."""
    document = """{ deploymentStats { attempts successRate averageDurationMs activeProjects
        durationP95Ms durationMs(percentile: 0.5) byNetwork { name } } }"""
    assert (await platform.ask(document, NOBODY))["deploymentStats"] == {
        "attempts": 0,
        "successRate": 0,
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


async def test_templates_of_networks_are_sorted_limited_and_add_up(platform: Platform) -> None:
    """R7, R8, R17."""
    document = """query($range: TimeRange, $first: Int) { networks { name
        deploymentStats(range: $range) { byTemplate(first: $first) {
            kind name attempts succeeded successRate share template { name } } } } }"""
    data = await platform.ask(document, range=SPAN, first=None)
    groups = {each["name"]: each["deploymentStats"]["byTemplate"] for each in data["networks"]}
    assert [(row["name"], row["attempts"], row["succeeded"]) for row in groups["metis"]] == [
        (None, 3, 1),
        ("template-01", 2, 1),
        ("template-02", 1, 0),
    ]
    assert groups["metis"][1]["share"] == pytest.approx(2 / 6)
    assert groups["hyperion"][1]["template"] == {"name": "Template 2"}
    for rows in groups.values():
        assert sum(row["share"] for row in rows) == pytest.approx(1)
    data = await platform.ask(document, range=SPAN, first=1)
    kinds = [
        [row["kind"] for row in one["deploymentStats"]["byTemplate"]] for one in data["networks"]
    ]
    assert kinds == [["NONE", "OTHERS"], ["NONE", "OTHERS"]]


async def test_known_things_carry_their_own_figures(platform: Platform) -> None:
    """R15, R29, R30."""
    data = await platform.ask(
        """query($range: TimeRange) {
        network(name: "METIS") { deploymentStats(range: $range) { attempts activeProjects } }
        template(slug: "template-01") { deploymentStats(range: $range) { attempts } }
        project(slug: "shop") {
            deploymentStats(range: $range) { attempts }
            environments { name deploymentStats(range: $range) { attempts } }
        }
        viewer { deploymentStats(range: $range) { attempts } }
        }""",
        range=SPAN,
    )
    assert data == {
        "network": {"deploymentStats": {"attempts": 6, "activeProjects": 2}},
        "template": {"deploymentStats": {"attempts": 2}},
        "project": {
            "deploymentStats": {"attempts": 6},
            "environments": [
                {"name": "production", "deploymentStats": {"attempts": 5}},
                {"name": "staging", "deploymentStats": {"attempts": 1}},
            ],
        },
        "viewer": {"deploymentStats": {"attempts": 9}},
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
    back = await stats(platform, fields, range={"calendar": {"unit": "DAY", "offset": -1}})
    named = {"calendar": {"unit": "DAY", "date": YESTERDAY.date().isoformat()}}
    assert back == await stats(platform, fields, range=named)
    assert back["attempts"] == 3
    both = await stats(platform, "attempts", range={"calendar": {"unit": "DAY", "count": 2}})
    assert both["attempts"] == 9


async def test_running_day_is_compared_with_the_same_part_of_the_day_before(
    platform: Platform,
) -> None:
    """It is noon: of yesterday, the attempts after noon count only in the whole day."""
    fields = """attempts previous { attempts range { start end } }
        whole: previous(compareWhole: true) { attempts range { end } }"""
    today = await stats(platform, fields, range={"calendar": {"unit": "DAY"}})
    noon = NOW - timedelta(days=1)
    assert (today["attempts"], today["previous"]["attempts"]) == (6, 3)
    assert today["previous"]["range"]["end"] == noon.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert today["whole"]["range"]["end"] == TODAY.strftime("%Y-%m-%dT%H:%M:%SZ")


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


async def test_every_headline_measure_is_a_field(platform: Platform) -> None:
    catalogue = await platform.ask("{ measures(fact: DEPLOYMENT) { measure field } }")
    assert len(catalogue["measures"]) == len(measures_of("deployment"))
    given = [one["field"] for one in catalogue["measures"] if one["field"]]
    fields = " ".join(set(given) - {"share"})
    data = await platform.ask(
        f"""query($range: TimeRange) {{ deploymentStats(range: $range) {{
            ...All previous {{ ...All }} series {{ ...All }} byNetwork {{ share ...All }} }} }}
        fragment All on DeploymentFigures {{ __typename {fields} }}""",
        range=SPAN,
    )
    found = data["deploymentStats"]
    assert found["attempts"] == 9
    assert found["previous"]["__typename"] == "DeploymentTotals"
    assert found["byNetwork"][0]["__typename"] == "DeploymentGroup"
    assert found["series"][0]["__typename"] == "DeploymentPoint"


async def test_each_group_has_the_series_of_its_own_filter(platform: Platform) -> None:
    series = "series(interval: DAY) { start attempts successRate activeProjects }"
    found = await stats(platform, f"byNetwork(first: 2) {{ name attempts share {series} }}")
    for group in found["byNetwork"][:2]:
        alone = await stats(platform, f"attempts {series}", filter={"networks": [group["name"]]})
        assert (group["attempts"], group["series"]) == (alone["attempts"], alone["series"])
    others = found["byNetwork"][2]
    assert [point["attempts"] for point in others["series"]] == [0, 1]
    assert {point["activeProjects"] for point in others["series"]} == {None}


async def test_counts_by_status_add_up_to_the_attempts(platform: Platform) -> None:
    found = await stats(platform, "attempts inProgress byStatus { status count }")
    counts = {row["status"]: row["count"] for row in found["byStatus"]}
    assert counts == {
        "QUEUED": 0,
        "IN_PROGRESS": 1,
        "SUCCEEDED": 5,
        "FAILED": 1,
        "CANCELLED": 1,
        "ROLLED_BACK": 1,
    }
    assert found["inProgress"] == 1
    assert sum(counts.values()) == found["attempts"]


async def test_distribution_counts_each_duration_once(platform: Platform) -> None:
    """All seven that finished and whose start is known took a minute."""
    found = await stats(platform, "distribution { fromMs toMs count } durationP50Ms")
    (only,) = found["distribution"]
    assert only["count"] == 8
    assert only["fromMs"] <= found["durationP50Ms"] <= only["toMs"]


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"filter": {"networks": ["metiss"]}}, NotFound),
        ({"filter": {"templates": ["nothing"]}}, NotFound),
        ({"filter": {"projects": ["nothing"]}}, NotFound),
        ({"filter": {"environments": ["x"] * 101}}, LimitExceeded),
        ({"range": {"between": {"start": NOW.isoformat(), "end": NOW.isoformat()}}}, InvalidInput),
        ({"range": {"last": "P90Y"}}, InvalidInput),
    ],
)
async def test_senseless_questions_are_refused(
    platform: Platform, variables: dict[str, Any], kind: type[Exception]
) -> None:
    document = """query($range: TimeRange, $filter: DeploymentFilter) {
        deploymentStats(range: $range, filter: $filter) { attempts } }"""
    assert isinstance(await platform.refused(document, **variables), kind)


@pytest.mark.parametrize(
    "panel",
    [
        "series(interval: MINUTE) { attempts }",
        "byTemplate { name series(interval: MINUTE) { attempts } }",
        "durationMs(percentile: 2)",
    ],
)
async def test_a_failing_panel_leaves_the_others(platform: Platform, panel: str) -> None:
    document = f"""{{ deploymentStats(range: {{last: "P30D"}}) {{
        attempts panel: {panel} byNetwork {{ name }} byStatus {{ count }} }} }}"""
    result = await platform.execute(document)
    assert result.errors
    assert [error.path for error in result.errors] == [["deploymentStats", "panel"]]
    assert isinstance(result.errors[0].original_error, LimitExceeded | InvalidInput)
    assert result.data is not None
    found = result.data["deploymentStats"]
    assert found.pop("panel") is None
    assert all(found.values())


async def test_a_failing_root_field_leaves_the_others(platform: Platform) -> None:
    document = """{ viewer { subject } deploymentStats(range: {last: "P90Y"}) { attempts } }"""
    result = await platform.execute(document)
    assert result.data == {"viewer": {"subject": "ada"}, "deploymentStats": None}


DASHBOARD = """query($range: TimeRange) {
  deploymentStats(range: $range) {
    attempts successRate durationP95Ms series(interval: DAY) { attempts durationP95Ms }
    byNetwork { name attempts series(interval: DAY) { attempts } } byTemplate { name attempts }
    previous { attempts } byStatus { count } distribution { count }
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


COMPILED = """query($range: TimeRange, $interval: Interval!) { deploymentStats(range: $range) {
    freshness { asOf source } previous { ...F range { start } } distribution { fromMs count }
    byStatus { status count } series(interval: $interval) { start ...F }
    byNetwork { kind name share network { name title } ...F
        days: series(interval: DAY) { start ...F } series(interval: $interval) { end ...F } }
} } fragment F on DeploymentFigures { attempts successRate averageDurationMs activeProjects }"""


async def test_rows_are_completed_without_graphql_core_and_equal(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables: dict[str, Any] = {"range": SPAN, "interval": "WEEK"}
    wanted = await platform.ask(COMPILED, **variables)
    document, compiled, by_core = parse(COMPILED), compiled_executor(), []
    base: Any = CountingExecutor.__mro__[1]
    complete = base.complete_object_value

    def noting(self: Any, kind: Any, *rest: Any) -> Any:
        by_core.append(kind.name)
        return complete(self, kind, *rest)

    monkeypatch.setattr(base, "complete_object_value", noting)
    for _ in range(3):
        by_core.clear()
        context = await Context.create(platform.services, ADA, "request-1")
        running = execute(
            core(schema),
            document,
            context_value=context,
            variable_values=variables,
            executor_class=compiled,
        )
        result = running if isinstance(running, ExecutionResult) else await running
        context.release()
        found = orjson.loads(orjson.dumps(result.data, option=orjson.OPT_UTC_Z))
        found["deploymentStats"]["freshness"] = wanted["deploymentStats"]["freshness"]
        assert (found, result.errors) == (wanted, None)
    assert by_core == ["DeploymentStats"]


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
    document = "{ deploymentStats { byNetwork { name attempts share } } }"
    data = await platform.ask(document, RIVAL)
    assert data["deploymentStats"]["byNetwork"] == [{"name": "metis", "attempts": 7, "share": 1}]
