"""Query cost: an estimate before execution that grows with what is asked for, told and limited."""

import re
from pathlib import Path
from typing import Any

import pytest
from graphql import get_named_type, is_composite_type, is_list_type
from hypothesis import given
from hypothesis import strategies as st

from access.viewers import Role, Viewer
from analytics import intervals
from gateway.cli import costs_page
from gateway.graphql.documents import cost as costs
from gateway.graphql.documents import sizes
from gateway.graphql.documents.cost import MAX_COST, max_cost
from gateway.graphql.documents.documents import Documents
from schema import schema
from schema.declarations import declarations, declared_type
from schema.enums import CalendarUnit, Interval
from schema.internals import core
from tests.gateway.application import as_role, running, settings_for, somebody

DOCS = Path(__file__).parents[4] / "docs"
DOCUMENTS = Documents(core(schema))


def points(query: str, name: str = "", **variables: Any) -> int:
    return DOCUMENTS.get(query).operations[name].measured.cost(variables).points


LIST = (
    "{ deployments(first: 50) { nodes { id project { slug } statusEvents(first: 3) { type } } } }"
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ viewer { subject } }", 1),
        ("{ __typename }", 0),
        ("{ __schema { types { name } } }", 0),
        (LIST, 5 + 50 * (1 + 1 + 3)),
        (LIST.replace("nodes {", "totalCount nodes {"), 5 + 5 + 50 * 5),
        ("{ deployments { edges { node { id } cursor } pageInfo { endCursor } } }", 5 + 20 * 2 + 1),
        ("{ deployments(last: 7) { nodes { id } } }", 5 + 7),
        ("{ deployments(first: 5000) { nodes { id } } }", 5 + 100),
        ("{ deployments(first: -3) { nodes { id } } }", 5),
        ("{ deploymentStats { attempts successRate } }", 10),
        ("{ deploymentStats { series(interval: DAY) { attempts } } }", 10 + 32),
        ("{ deploymentStats { byTemplate(first: 4) { name template { slug } } } }", 20 + 5 * 2),
        ("{ deploymentStats { previous { attempts } } }", 20),
        ("{ networks { name deploymentStats { attempts } } }", 20 * 11),
        ("{ metrics(measures: [DEPLOYMENT_ATTEMPTS, DEPLOYMENT_FAILED]) { groupCount } }", 11),
        (
            "{ metrics(measures: [DEPLOYMENT_ATTEMPTS, DEPLOYMENT_FAILED], groupBy: [PROJECT], "
            "interval: DAY, first: 9) "
            "{ groupCount } }",
            10 + -(-2 * 10 * 32 // 10),
        ),
        (
            "{ metrics(measures: [DEPLOYMENT_ATTEMPTS, DEPLOYMENT_FAILED], "
            "groupBy: [PROJECT, NETWORK], first: 9) "
            "{ columns { totals } groups { keys { name } } buckets { start } } }",
            10 + 2 + 2 + 10 * (1 + 2) + 1,
        ),
        (
            "{ metrics(measures: [DEPLOYMENT_ATTEMPTS], compare: PREVIOUS_PERIOD) { groupCount } }",
            10 + 10 + 1,
        ),
        ("{ logLines(first: 30) { nodes { level } } }", 5 + 30),
        ('{ logLines(first: 30, search: "cart") { nodes { level } } }', 5 + 20 + 30),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        (
            '{ a: viewer { subject } ...F } fragment F on Query { project(slug: "x") { slug } }',
            2,
        ),
    ],
)
def test_estimate_follows_the_documented_weights(query: str, expected: int) -> None:
    assert points(query) == expected


def test_sizes_come_from_variables_and_their_defaults() -> None:
    query = "query A($n: Int = 7) { deployments(first: $n) { nodes { id } } }"
    assert points(query, "A") == 5 + 7
    assert points(query, "A", n=30) == 5 + 30
    assert points(query, "A", n=None) == 5 + 20
    wrong: list[Any] = ["x", True, [], {}, 1e300, -5, 2**80]
    for nonsense in wrong:
        assert 5 <= points(query, "A", n=nonsense) <= 105
    query = "query B($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert points(query, "B", ids=["a"] * 40) == 40
    query = "query C($i: Interval!) { deploymentStats { series(interval: $i) { attempts } } }"
    assert points(query, "C", i="HOUR") == 10 + 30 * 24 + 2
    assert points(query, "C", i=5) == points(query, "C", i="AUTO") == 10 + 30 + 2
    query = "query D($f: Int, $l: Int) { deployments(first: $f, last: $l) { nodes { id } } }"
    assert points(query, "D", f=None, l=70) == 5 + 70
    assert points(query, "D", f=3) == 5 + 3
    assert points(query, "D") == 5 + 20


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"last": "PT6H"}, 8),
        ({"last": "P7D"}, 170),
        ({"last": "P1M"}, 746),
        ({"last": "P9Y"}, 800),
        ({"between": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}}, 26),
        ({"calendar": {"unit": "DAY", "offset": -1}}, 26),
        ({"calendar": {"unit": "ERA"}}, 722),
        ({"last": "soon"}, 722),
        ({"between": {"start": 5}}, 722),
        ({"between": {"start": "2026-01-01T00:00:00", "end": "2026-01-02T00:00:00Z"}}, 722),
        (["P7D"], 722),
        (None, 722),
    ],
)
def test_series_has_the_points_of_its_range(span: Any, expected: int) -> None:
    query = """query S($r: TimeRange) {
      deploymentStats(range: $r) { ...F } }
      fragment F on DeploymentStats { series(interval: HOUR) { attempts } }"""
    assert points(query, "S", r=span) == 10 + expected


def test_range_may_be_written_out_with_a_variable_inside() -> None:
    query = """query S($last: Duration!) { deploymentStats(range: {last: $last}) {
      series(interval: DAY) { attempts } } }"""
    assert points(query, "S", last="P7D") == 10 + 9
    literal = query.replace("($last: Duration!)", "").replace("$last", '"P7D"')
    assert points(literal, "S") == 10 + 9


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_larger_pages_never_cost_less(first: int, more: int, inner: int) -> None:
    query = """query P($a: Int, $b: Int) {
      projects(first: $a) { nodes { slug latestDeployments(first: $b) { id } } } }"""
    small = points(query, "P", a=first, b=inner)
    assert small <= points(query, "P", a=min(100, first + more), b=inner)
    assert small <= points(query, "P", a=first, b=min(100, inner + more))
    # Never less than the objects such an answer holds.
    assert small >= first * (1 + inner)


def test_nested_spreads_are_measured_once_and_stay_within_the_document_limits() -> None:
    fragments = "".join(
        f"fragment F{n} on Project {{ latestDeployments(first: 2) "
        f"{{ project {{ ...F{n + 1} }} }} }}"
        for n in range(4)
    )
    query = f'{{ project(slug: "x") {{ ...F0 }} }} {fragments} fragment F4 on Project {{ slug }}'
    assert points(query) == 1 + 5 + 2 * (2 + 5 + 2 * (2 + 5 + 2 * (2 + 5 + 2 * 2)))


def test_fragment_spread_twice_in_one_place_is_measured_once() -> None:
    """Measured for each spread, this kilobyte would take longer than anybody lives."""
    doubling = "".join(f"fragment F{n} on Viewer {{ ...F{n + 1} ...F{n + 1} }} " for n in range(48))
    last = "fragment F48 on Viewer { projects { totalCount } }"
    assert points(f"{{ viewer {{ ...F0 }} }} {doubling} {last}") == 1 + 5 + 5


def test_every_list_of_objects_has_a_size() -> None:
    for field in declarations(schema):
        inner = getattr(field.definition.type, "of_type", field.definition.type)
        if is_list_type(inner) and is_composite_type(get_named_type(inner)):
            shape = declared_type(get_named_type(inner)).shape
            use = costs._FieldUse(field.definition, field.rules, shape, {})
            assert use.items(None), f"{field.parent.name}.{field.name}"


def test_every_interval_has_a_length_and_every_role_a_limit() -> None:
    assert {*sizes.INTERVAL_DAYS, intervals.Interval.AUTO} == set(intervals.Interval)
    assert {interval.name for interval in Interval} == set(intervals.Interval.__members__)
    assert set(sizes.CALENDAR_DAYS) == {unit.name for unit in CalendarUnit}
    assert set(MAX_COST) == set(Role)
    both = Viewer("x", frozenset({Role.INGEST, Role.ADMIN}), frozenset())
    assert max_cost(both) == MAX_COST[Role.ADMIN]
    assert max_cost(Viewer("x", frozenset(), frozenset())) == 0


DEAR = """{ projects(first: 100) { nodes { latestDeployments(first: 100) {
  id statusEvents(first: 50) { type } } } } viewer { subject } }"""


async def ask(client: Any, query: str, **extensions: Any) -> Any:
    body = {"query": query, "extensions": extensions}
    return (await client.post("/graphql", json=body)).json()


async def test_dear_query_is_refused_with_what_makes_it_dear(
    database_url: str, redis_url: str
) -> None:
    headers = as_role(Role.VIEWER)
    async with running(settings_for(database_url, redis_url), None, **headers) as client:
        (error,) = (await ask(client, DEAR))["errors"]
        assert error["extensions"]["code"] == "COST_EXCEEDED"
        assert error["extensions"]["cost"]["limit"] == MAX_COST[Role.VIEWER]
        assert error["extensions"]["cost"]["estimate"] > MAX_COST[Role.VIEWER]
        assert "projects" in error["message"]


async def test_cost_is_told_on_request_and_by_a_dry_run(database_url: str, redis_url: str) -> None:
    settings = settings_for(
        database_url, redis_url, rate_limit_enabled=True, rate_limit_window=86_400
    )
    async with running(settings, None, **somebody(Role.ADMIN)) as client:
        query = "{ networks { name } }"
        told = await ask(client, query, cost=True)
        assert told["data"]["networks"]
        cost = told["extensions"]["cost"]
        assert (cost["estimate"], cost["byField"]) == (20, {"networks": 20})
        again = await ask(client, query, cost=True)
        assert cost["remaining"] - again["extensions"]["cost"]["remaining"] in (19, 20)
        dry = await ask(client, query, cost={"dryRun": True})
        assert dry["data"] is None
        assert dry["extensions"]["cost"]["estimate"] == 20
        assert "extensions" not in await ask(client, query)


def test_the_page_of_costs_is_current() -> None:
    text = (DOCS / "costs.md").read_text(encoding="utf-8")
    assert text == costs_page.page(schema), "run `make schema`"


def test_documentation_states_every_size_and_limit() -> None:
    page = (DOCS / "limits.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    words = dict(row[:2] for row in rows)
    assert words["any other list"] == f"as declared, else {costs.ASSUMED_ITEMS}"
    assert f"{sizes.PARTIAL} more for its ends" in words["`series`"]
    most = intervals.AUTO_POINTS + sizes.PARTIAL
    assert (
        f"for `AUTO` in those of the interval that it chooses, at most {most}" in words["`series`"]
    )
    limits = {role: int(row[1].replace(",", "")) for row in rows for role in _roles(row[0])}
    assert limits == MAX_COST


def _roles(cell: str) -> list[Role]:
    return [Role(name) for name in re.findall("`(.*?)`", cell) if name in set(Role)]
