"""Deployments: one, a page, their links and their history."""

from datetime import timedelta
from typing import Any

import pytest
from graphql import get_named_type, is_leaf_type, is_object_type

from schema import schema
from schema.internals import core
from storage.errors import InvalidInput, LimitExceeded
from storage.queries import deployments as queries
from tests.schema.platform import ADA, ADMIN, TODAY, Platform

LIST = """query($filter: DeploymentFilter, $orderBy: DeploymentOrder, $first: Int, $last: Int) {
  deployments(filter: $filter, orderBy: $orderBy, first: $first, last: $last) {
    nodes { externalId } totalCount isEstimate
  }
}"""


async def names(platform: Platform, **variables: Any) -> list[str]:
    data = await platform.ask(LIST, **variables)
    return [node["externalId"] for node in data["deployments"]["nodes"]]


async def test_recorded_attempt_shows_its_five_fields(platform: Platform) -> None:
    """R1."""
    data = await platform.ask(
        """{ deployments(filter: {externalId: {eq: "shop-1"}}) { nodes {
            id deploymentId externalId status createdAt networkName templateSlug
        } } }"""
    )
    (found,) = data["deployments"]["nodes"]
    wanted = {
        "externalId": "shop-1",
        "status": "SUCCEEDED",
        "createdAt": (TODAY - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "networkName": "metis",
        "templateSlug": "template-01",
    }
    assert wanted.items() <= found.items()
    for id in (found["id"], found["deploymentId"], found["deploymentId"].replace("-", "").upper()):
        one = await platform.ask("query($id: ID!) { deployment(id: $id) { externalId } }", id=id)
        assert one == {"deployment": {"externalId": "shop-1"}}


async def test_links_lead_to_what_the_names_mean(platform: Platform) -> None:
    data = await platform.ask(
        """{ deployments(filter: {externalId: {eq: "shop-2"}}) { nodes {
            project { slug name } environment { name } network { name title } template { name }
            framework error durationMs actor startedAt finishedAt
        } } }"""
    )
    (found,) = data["deployments"]["nodes"]
    assert found["project"] == {"slug": "shop", "name": "shop"}
    assert found["environment"] == {"name": "production"}
    assert found["network"] == {"name": "metis", "title": "Metis"}
    assert found["template"] == {"name": "Template 1"}
    assert (found["framework"], found["error"], found["actor"]) == ("next", "exit code 1", "ci")
    assert found["durationMs"] == 60_000


def plain_fields(name: str) -> list[str]:
    """The fields of a type that are one value, or a list of values."""
    kind = core(schema).type_map[name]
    assert is_object_type(kind)
    return [each for each, field in kind.fields.items() if is_leaf_type(get_named_type(field.type))]


ALONE = [
    *plain_fields("Deployment"),
    *(f"template {{ {name} }}" for name in plain_fields("Template")),
    *(f"project {{ {name} }}" for name in plain_fields("Project")),
    *(f"network {{ {name} }}" for name in plain_fields("Network")),
    *(f"environment {{ {name} }}" for name in plain_fields("Environment")),
    *(f"statusEvents {{ {name} }}" for name in plain_fields("StatusEvent")),
]


@pytest.mark.parametrize("selected", ALONE)
async def test_what_a_list_says_alone_is_what_the_node_says(
    platform: Platform, selected: str
) -> None:
    """A list reads what is selected, a node all there is."""
    listed = f"{{ deployments(orderBy: {{field: FINISHED_AT}}) {{ nodes {{ {selected} }} }} }}"
    data = await platform.ask(listed)
    ids = await platform.ask("{ deployments(orderBy: {field: FINISHED_AT}) { nodes { id } } }")
    single = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Deployment {{ {selected} }} }} }}"
    one_by_one = await platform.ask(
        single, ids=[node["id"] for node in ids["deployments"]["nodes"]]
    )
    assert data["deployments"]["nodes"] == one_by_one["nodes"]
    assert len(one_by_one["nodes"]) > 5


async def test_unknown_network_keeps_the_name_as_sent(platform: Platform) -> None:
    data = await platform.ask(
        """{ deployments(filter: {externalId: {eq: "shop-6"}}) { nodes {
            networkName network { name } templateSlug template { slug }
        } } }"""
    )
    assert data["deployments"]["nodes"] == [
        {
            "networkName": "nowhere",
            "network": None,
            "templateSlug": "unheard-of",
            "template": None,
        }
    ]


async def test_rollback_stands_in_the_history_with_time_and_actor(platform: Platform) -> None:
    """R6."""
    data = await platform.ask(
        """{ deployments(filter: {externalId: {eq: "shop-3"}}) { nodes {
            status finishedAt rolledBackAt
            latest: statusEvents(first: 1) { type status actor occurredAt }
            statusEvents { type }
        } } }"""
    )
    (found,) = data["deployments"]["nodes"]
    rolled_back_at = (TODAY - timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found["status"] == "ROLLED_BACK"
    assert found["rolledBackAt"] == rolled_back_at
    assert found["latest"] == [
        {
            "type": "ROLLED_BACK",
            "status": "ROLLED_BACK",
            "actor": "ada",
            "occurredAt": rolled_back_at,
        }
    ]
    types = [event["type"] for event in found["statusEvents"]]
    assert types == ["ROLLED_BACK", "SUCCEEDED", "STARTED", "QUEUED"]


FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"status": {"eq": "FAILED"}}, {"shop-2"}),
    ({"status": {"in": ["FAILED", "CANCELLED"]}}, {"shop-2", "blog-1"}),
    ({"status": {"notIn": ["SUCCEEDED"]}}, {"shop-2", "shop-3", "shop-5", "blog-1"}),
    ({"project": {"eq": "blog"}}, {"blog-1", "blog-2", "blog-3"}),
    ({"project": {"notIn": ["shop"]}}, {"blog-1", "blog-2", "blog-3"}),
    ({"network": {"in": ["hyperion", "nowhere"]}}, {"shop-4", "shop-6", "blog-3"}),
    ({"environment": {"eq": "staging"}}, {"shop-5", "blog-1"}),
    ({"framework": {"eq": "astro"}}, {"blog-2"}),
    ({"error": {"isNull": False}}, {"shop-2"}),
    ({"finishedAt": {"isNull": True}}, {"shop-5"}),
    ({"createdAt": {"gte": f"{TODAY.isoformat()}"}, "project": {"in": ["blog"]}, "status": {"eq": "SUCCEEDED"}}, {"blog-2", "blog-3"}),  # noqa: E501
    ({"createdAt": {"lt": f"{TODAY.isoformat()}"}}, {"shop-1", "shop-2", "shop-3"}),
    ({"durationMs": {"gt": 60_000}}, set()),
    ({"durationMs": {"gte": 60_000, "lte": 60_000.0}, "template": {"eq": "template-02"}}, {"shop-3", "shop-4"}),  # noqa: E501
    ({"not": {"template": {"eq": "template-01"}}, "project": {"eq": "shop"}}, {"shop-3", "shop-4", "shop-5", "shop-6"}),  # noqa: E501
    ({"or": [{"network": {"eq": "nowhere"}}, {"and": [{"project": {"eq": "blog"}}, {"framework": {"eq": "astro"}}]}]}, {"shop-6", "blog-2"}),  # noqa: E501
    ({"or": []}, set()),
    ({"externalId": {"in": []}}, set()),
    ({"createdAt": {"gte": f"{(TODAY - timedelta(days=30)).isoformat()}"}, "error": {"contains": "EXIT"}}, {"shop-2"}),  # noqa: E501
    ({"createdAt": {"gte": f"{(TODAY - timedelta(days=30)).isoformat()}"}, "error": {"contains": "%"}}, set()),  # noqa: E501
]  # fmt: skip


@pytest.mark.parametrize(("filter", "wanted"), FILTERS)
async def test_filter_lists_what_it_says(
    platform: Platform, filter: dict[str, Any], wanted: set[str]
) -> None:
    data = await platform.ask(LIST, filter=filter)
    assert {node["externalId"] for node in data["deployments"]["nodes"]} == wanted
    assert data["deployments"]["totalCount"] == len(wanted)
    assert data["deployments"]["isEstimate"] is False


async def test_newest_come_first_unless_asked_otherwise(platform: Platform) -> None:
    shop = {"project": {"eq": "shop"}}
    newest = [f"shop-{number}" for number in (6, 5, 4, 3, 2, 1)]
    assert await names(platform, filter=shop) == newest
    assert await names(platform, filter=shop, orderBy={"direction": "ASC"}) == newest[::-1]
    assert await names(platform, filter=shop, last=2) == ["shop-2", "shop-1"]


async def test_order_by_finish_leaves_unfinished_out(platform: Platform) -> None:
    order = {"field": "FINISHED_AT", "direction": "ASC"}
    found = await names(platform, filter={"project": {"eq": "shop"}}, orderBy=order)
    assert found == ["shop-1", "shop-2", "shop-3", "shop-4", "shop-6"]


@pytest.mark.parametrize(
    "variables",
    [
        {"filter": {"error": {"contains": "x"}}},
        {"filter": {"or": [{"error": {"contains": "x"}}]}},
        {"orderBy": {"field": "DURATION_MS"}},
        {
            "orderBy": {"field": "DURATION_MS"},
            "filter": {"createdAt": {"gte": "2020-01-01T00:00Z"}},
        },
    ],
)
async def test_what_no_index_answers_needs_a_bounded_range(
    platform: Platform, variables: dict[str, Any]
) -> None:
    error = await platform.refused(LIST, **variables)
    assert isinstance(error, InvalidInput)
    assert "createdAt" in error.message


async def test_order_by_duration_within_a_range(platform: Platform) -> None:
    since = {"createdAt": {"gte": (TODAY - timedelta(days=1)).isoformat()}}
    order = {"field": "DURATION_MS"}
    assert len(await names(platform, filter=since, orderBy=order)) == 8


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"first": 101}, LimitExceeded),
        ({"last": 101}, LimitExceeded),
        ({"first": -1}, InvalidInput),
        ({"first": 1, "last": 1}, InvalidInput),
        ({"filter": {"externalId": {"in": ["x"] * 101}}}, LimitExceeded),
        ({"filter": {"externalId": {"eq": "x" * 201}}}, LimitExceeded),
        ({"filter": {"externalId": {"eq": "\0"}}}, InvalidInput),
        ({"filter": {"or": [{"network": {"eq": "x"}}] * 51}}, LimitExceeded),
        (
            {"filter": {"not": {"not": {"not": {"not": {"not": {"not": {}}}}}}}},
            LimitExceeded,
        ),
    ],
)
async def test_what_is_out_of_bounds_is_refused(
    platform: Platform, variables: dict[str, Any], kind: type[Exception]
) -> None:
    assert isinstance(await platform.refused(LIST, **variables), kind)


async def test_empty_page_has_no_cursors(platform: Platform) -> None:
    data = await platform.ask(
        """{ deployments(first: 0) { nodes { id } pageInfo {
            hasNextPage hasPreviousPage startCursor endCursor } } }"""
    )
    assert data["deployments"]["nodes"] == []
    assert data["deployments"]["pageInfo"]["startCursor"] is None


RICH = """query($first: Int) { deployments(first: $first) { edges { cursor node {
  id status project { slug } template { slug } network { name } environment { name }
  statusEvents(first: 3) { type occurredAt }
} } } }"""


@pytest.mark.parametrize("first", [9, 16])
async def test_page_brings_most_links_along_and_costs_one_statement_per_other_link(
    platform: Platform, first: int
) -> None:
    data = await platform.ask(RICH, ADMIN, first=first)
    assert len(data["deployments"]["edges"]) == first
    assert sorted(platform.statements) == [
        "deployments_find",
        "environments_by_names",
        "networks_by_names",
    ]


async def test_plain_page_is_one_statement(platform: Platform) -> None:
    await platform.ask("{ deployments { nodes { id status actor } } }")
    assert platform.statements == ["deployments_find"]


async def test_selections_share_statements_but_for_what_may_be_long(platform: Platform) -> None:
    """Each statement is compiled, planned and kept on every connection."""
    await platform.ask("{ deployments { nodes { id } } }")
    known = queries._find.cache_info().misses
    await platform.ask("{ deployments { nodes { status framework networkName rolledBackAt } } }")
    assert queries._find.cache_info().misses == known
    await platform.ask("{ deployments { nodes { error } } }")
    await platform.ask("{ deployments { nodes { error actor } } }")
    assert queries._find.cache_info().misses <= known + 1


async def test_links_inside_fragments_are_seen(platform: Platform) -> None:
    data = await platform.ask(
        """{ deployments(first: 1) { ...Page } }
        fragment Page on DeploymentConnection { edges { node { ... on Deployment { ...Row } } } }
        fragment Row on Node { ... on Deployment { project { slug } statusEvents { type } } }"""
    )
    (edge,) = data["deployments"]["edges"]
    assert edge["node"]["project"]["slug"] in ("shop", "blog")
    assert edge["node"]["statusEvents"]


async def test_links_switched_off_by_a_directive_cost_nothing(platform: Platform) -> None:
    await platform.ask(
        """query($with: Boolean!) { deployments { nodes {
            id project @include(if: $with) { slug } network @skip(if: true) { name } } } }""",
        ADA,
        **{"with": False},
    )
    assert platform.statements == ["deployments_find"]


async def test_too_many_status_events_are_refused(platform: Platform) -> None:
    error = await platform.refused("{ deployments { nodes { statusEvents(first: 51) { id } } } }")
    assert isinstance(error, LimitExceeded)
