"""Deployments: one, a page, their links and their history."""

from datetime import timedelta
from typing import Any

import pytest
from graphql import get_named_type, is_leaf_type, is_object_type

from access.viewers import Viewer
from schema import schema
from schema.internals import core
from storage.errors import InvalidInput, LimitExceeded, NotFound
from storage.queries import facts as queries
from tests.schema.platform import ADA, ADMIN, TODAY, Platform

LIST = """query($filter: DeploymentFilter, $statuses: [DeploymentStatus!], $search: String,
    $range: TimeRange, $orderBy: DeploymentOrder, $first: Int, $last: Int) {
  deployments(filter: $filter, statuses: $statuses, search: $search, range: $range,
      orderBy: $orderBy, first: $first, last: $last) {
    nodes { externalId } totalCount isEstimate
  }
}"""
WEEK = {"last": "P9D"}


async def names(platform: Platform, **variables: Any) -> list[str]:
    data = await platform.ask(LIST, **variables)
    return [node["externalId"] for node in data["deployments"]["nodes"]]


async def test_recorded_attempt_shows_its_five_fields(platform: Platform) -> None:
    """R1."""
    data = await platform.ask(
        """{ deployments(search: "shop-1", range: {last: "P9D"}) { nodes {
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
        """{ deployments(search: "shop-2", range: {last: "P9D"}) { nodes {
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
    *(f"statusEvents {{ {name} }}" for name in plain_fields("DeploymentEvent")),
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
        """{ deployments(search: "shop-6", range: {last: "P9D"}) { nodes {
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
        """{ deployments(search: "shop-3", range: {last: "P9D"}) { nodes {
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


def since(hours: int) -> dict[str, Any]:
    """From the beginning of today plus these hours, for a day."""
    start = TODAY + timedelta(hours=hours)
    end = start + timedelta(days=1)
    return {"between": {"start": start.isoformat(), "end": end.isoformat()}}


ARGUMENTS: list[tuple[dict[str, Any], set[str]]] = [
    ({"statuses": ["FAILED"]}, {"shop-2"}),
    ({"statuses": ["FAILED", "CANCELLED"]}, {"shop-2", "blog-1"}),
    ({"statuses": []}, set()),
    ({"statuses": ["QUEUED"]}, set()),
    ({"filter": {"projects": ["blog"]}}, {"blog-1", "blog-2", "blog-3"}),
    ({"filter": {"networks": ["hyperion"]}}, {"shop-4", "blog-3"}),
    ({"filter": {"networks": ["hyperion", "other"]}}, {"shop-4", "shop-6", "blog-3"}),
    ({"filter": {"templates": ["other"]}}, {"shop-6"}),
    ({"filter": {"templates": []}}, set()),
    ({"filter": {"environments": ["staging"]}}, {"shop-5", "blog-1"}),
    ({"filter": {"environments": ["unheard of"]}}, set()),
    ({"filter": {"frameworks": ["astro"], "projects": ["shop"]}}, set()),
    ({"filter": {"frameworks": ["astro", "unused"]}, "statuses": ["SUCCEEDED"]}, {"blog-2"}),
    ({"filter": {"projects": ["blog"]}, "range": since(0)}, {"blog-1", "blog-2", "blog-3"}),
    ({"filter": {"projects": ["blog"]}, "range": since(1)}, {"blog-2", "blog-3"}),
    ({"range": since(-24)}, {"shop-1", "shop-2", "shop-3"}),
    ({"search": "EXIT", "range": WEEK}, {"shop-2"}),
    ({"search": "p-3", "range": WEEK}, {"shop-3"}),
    ({"search": "%", "range": WEEK}, set()),
    ({"search": "", "statuses": ["CANCELLED"]}, {"blog-1"}),
]


@pytest.mark.parametrize(("arguments", "wanted"), ARGUMENTS)
async def test_arguments_list_what_they_say(
    platform: Platform, arguments: dict[str, Any], wanted: set[str]
) -> None:
    data = await platform.ask(LIST, **arguments)
    assert {node["externalId"] for node in data["deployments"]["nodes"]} == wanted
    assert data["deployments"]["totalCount"] == len(wanted)
    assert data["deployments"]["isEstimate"] is False


@pytest.mark.parametrize("viewer", [ADA, ADMIN])
@pytest.mark.parametrize("field", ["environments", "networks", "templates", "frameworks"])
async def test_a_list_holds_the_rows_that_its_figures_count(
    platform: Platform, viewer: Viewer, field: str
) -> None:
    document = f"""query($names: [String!], $range: TimeRange) {{
        deployments(filter: {{{field}: $names}}, range: $range) {{ totalCount }}
        deploymentStats(filter: {{{field}: $names}}, range: $range) {{ attempts }} }}"""
    names = {
        "environments": ["production", "staging"],
        "networks": ["metis", "other"],
        "templates": ["template-01", "other"],
        "frameworks": ["next", "astro"],
    }[field]
    for chosen in (names, names[1:], names[:1]):
        data = await platform.ask(document, viewer, names=chosen, range=WEEK)
        assert data["deployments"]["totalCount"] == data["deploymentStats"]["attempts"] > 0


@pytest.mark.parametrize(
    ("field", "name"), [("projects", "rival"), ("networks", "metsi"), ("templates", "x")]
)
async def test_an_unknown_name_is_not_found(platform: Platform, field: str, name: str) -> None:
    error = await platform.refused(LIST, filter={field: [name]})
    assert isinstance(error, NotFound)


async def test_newest_come_first_unless_asked_otherwise(platform: Platform) -> None:
    shop = {"projects": ["shop"]}
    newest = [f"shop-{number}" for number in (6, 5, 4, 3, 2, 1)]
    assert await names(platform, filter=shop) == newest
    assert await names(platform, filter=shop, orderBy={"direction": "ASC"}) == newest[::-1]
    assert await names(platform, filter=shop, last=2) == ["shop-2", "shop-1"]


async def test_order_by_finish_leaves_unfinished_out(platform: Platform) -> None:
    order = {"field": "FINISHED_AT", "direction": "ASC"}
    found = await names(platform, filter={"projects": ["shop"]}, orderBy=order)
    assert found == ["shop-1", "shop-2", "shop-3", "shop-4", "shop-6"]


@pytest.mark.parametrize(
    "variables",
    [
        {"search": "x"},
        {"search": "x", "range": {"last": "P94D"}},
        {"orderBy": {"field": "DURATION_MS"}},
        {"orderBy": {"field": "STATUS"}, "range": {"last": "P1Y"}},
    ],
)
async def test_what_no_index_answers_needs_a_bounded_range(
    platform: Platform, variables: dict[str, Any]
) -> None:
    error = await platform.refused(LIST, **variables)
    assert isinstance(error, InvalidInput)
    assert error.path == "range"


@pytest.mark.parametrize(
    ("field", "count"), [("DURATION_MS", 8), ("STATUS", 9), ("UPDATED_AT", 9), ("FINISHED_AT", 8)]
)
async def test_order_by_other_columns_within_a_range(
    platform: Platform, field: str, count: int
) -> None:
    found = [
        await names(platform, range=WEEK, orderBy={"field": field, "direction": direction})
        for direction in ("ASC", "DESC")
    ]
    assert found[0] == found[1][::-1]
    assert len(found[0]) == count


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({"first": 101}, LimitExceeded),
        ({"last": 101}, LimitExceeded),
        ({"first": -1}, InvalidInput),
        ({"first": 1, "last": 1}, InvalidInput),
        ({"filter": {"environments": ["x"] * 101}}, LimitExceeded),
        ({"search": "x" * 201, "range": WEEK}, LimitExceeded),
        ({"search": "\0", "range": WEEK}, InvalidInput),
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
        "networks_by_name",
    ]


async def test_plain_page_is_one_statement(platform: Platform) -> None:
    await platform.ask("{ deployments { nodes { id status actor } } }")
    assert platform.statements == ["deployments_find"]


async def test_selections_share_statements_but_for_what_may_be_long(platform: Platform) -> None:
    """Each statement is compiled, planned and kept on every connection."""
    await platform.ask("{ deployments { nodes { id } } }")
    known = queries._find.cache_info().misses
    await platform.ask(
        "{ deployments { nodes { status framework networkName rolledBackAt rolledBackToId } } }"
    )
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
