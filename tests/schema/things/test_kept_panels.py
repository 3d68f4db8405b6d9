"""Panels kept in the page of a project: kept, ordered, removed, and what the catalogue lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from access.viewers import Role, Viewer
from storage.errors import Forbidden
from storage.kept_panels import PANELS_AT_MOST, NewPanel, add
from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, NOW, RIVAL, Platform
from tests.servers import Databases

KEEP = """mutation($input: KeepPanelInput!) { keepPanel(input: $input) {
  panel { id title measure groupBy filter { dimension names } problem keptBy }
  userErrors { field message } } }"""
REMOVE = """mutation($input: RemovePanelInput!) { removePanel(input: $input) {
  removed userErrors { field message } } }"""
RENAME = """mutation($input: RenamePanelInput!) { renamePanel(input: $input) {
  panel { id title keptBy measure } userErrors { field message } } }"""
ORDER = """mutation($input: OrderPanelsInput!) { orderPanels(input: $input) {
  panels { title } userErrors { field message } } }"""
LIST = """query($slug: String!) { project(slug: $slug) { panels {
  id title measure groupBy filter { dimension names } problem keptBy } } }"""
KEEPER = Viewer("keeper", frozenset({Role.MAINTAINER}), frozenset())


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, since it writes."""
    async with opened(url) as platform:
        yield platform


@pytest.fixture
async def slug(platform: Platform) -> str:
    """A project without panels."""
    slug = f"p-{uuid4().hex[:8]}"
    await platform.ask(
        f'mutation {{ upsertProject(input: {{slug: "{slug}"}}) {{ __typename }} }}', ADMIN
    )
    return slug


def keeper(slug: str) -> Viewer:
    return replace(KEEPER, project_slugs=frozenset({slug}))


async def keep(platform: Platform, slug: str, title: str = "A", **more: Any) -> dict[str, Any]:
    given = {"project": slug, "title": title, "measure": "DEPLOYMENT_ATTEMPTS", **more}
    payload: dict[str, Any] = (await platform.ask(KEEP, keeper(slug), input=given))["keepPanel"]
    return payload


async def listed(platform: Platform, slug: str) -> list[Any]:
    found: list[Any] = (await platform.ask(LIST, keeper(slug), slug=slug))["project"]["panels"]
    return found


async def store(platform: Platform, slug: str, question: Any) -> None:
    """A panel as another version of the gateway left it."""
    async with platform.services.database.transaction() as connection:
        found = "select project_id from projects where slug = $1"
        project_id = await connection.fetchval(found, slug)
        assert await add(connection, project_id, NewPanel(uuid4(), "old", question, "ada", NOW))


async def test_panels_are_kept_ordered_and_removed(platform: Platform, slug: str) -> None:
    made = await keep(
        platform, slug, "  By network ", groupBy=["NETWORK"], filter={"templates": ["blog"]}
    )
    panel = made["panel"]
    assert made["userErrors"] == []
    assert panel == {
        "id": panel["id"],
        "title": "By network",
        "measure": "DEPLOYMENT_ATTEMPTS",
        "groupBy": ["NETWORK"],
        "filter": [{"dimension": "TEMPLATE", "names": ["blog"]}],
        "problem": None,
        "keptBy": "keeper",
    }
    second = (await keep(platform, slug, "Second"))["panel"]
    assert [each["title"] for each in await listed(platform, slug)] == ["By network", "Second"]
    assert (await listed(platform, slug))[0] == panel
    given = {"project": slug, "panels": [second["id"], panel["id"]]}
    done = (await platform.ask(ORDER, keeper(slug), input=given))["orderPanels"]
    assert [each["title"] for each in done["panels"]] == ["Second", "By network"]
    gone = {"project": slug, "id": second["id"]}
    removed = [(await platform.ask(REMOVE, keeper(slug), input=gone))["removePanel"] for _ in "12"]
    assert [each["removed"] for each in removed] == [True, False]
    assert [each["title"] for each in await listed(platform, slug)] == ["By network"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"title": "nul\0"}, "title"),
        ({"groupBy": ["FUNCTION"]}, "groupBy"),
        ({"groupBy": ["NETWORK", "NETWORK"]}, "groupBy"),
        ({"filter": {"functions": ["a"]}}, "filter"),
        ({"filter": {"projects": ["other"]}}, "filter"),
        ({"filter": {"templates": ["x"] * 101}}, "filter"),
        ({"filter": {"templates": ["x" * 300]}}, "filter"),
    ],
)
async def test_what_cannot_be_kept_names_its_field(
    platform: Platform, slug: str, given: dict[str, Any], field: str
) -> None:
    payload = await keep(platform, slug, **given)
    assert payload["panel"] is None
    assert {error["field"][1] for error in payload["userErrors"]} == {field}
    assert await listed(platform, slug) == []


async def test_panel_is_renamed_and_keeps_its_place(platform: Platform, slug: str) -> None:
    one, _two = [(await keep(platform, slug, title))["panel"] for title in ("one", "two")]

    async def renamed(title: str, id: str = one["id"], viewer: Viewer | None = None) -> Any:
        given = {"project": slug, "id": id, "title": title}
        return (await platform.ask(RENAME, viewer or keeper(slug), input=given))["renamePanel"]

    assert (await renamed(" first "))["panel"] == {
        "id": one["id"],
        "title": "first",
        "keptBy": "keeper",
        "measure": "DEPLOYMENT_ATTEMPTS",
    }
    for title, id, field in [
        (" ", one["id"], "title"),
        ("x" * 101, one["id"], "title"),
        ("a", str(uuid4()), "id"),
        ("a", "no id", "id"),
    ]:
        refused = await renamed(title, id)
        assert refused["panel"] is None
        assert refused["userErrors"][0]["field"] == ["input", field]
    rival = replace(RIVAL, roles=frozenset({Role.MAINTAINER}))
    refused = await renamed("theirs", viewer=rival)
    assert refused["userErrors"][0]["field"] == ["input", "project"]
    assert [each["title"] for each in await listed(platform, slug)] == ["first", "two"]


async def test_order_names_each_panel_once(platform: Platform, slug: str) -> None:
    one = (await keep(platform, slug, "one"))["panel"]["id"]
    two = (await keep(platform, slug, "two"))["panel"]["id"]
    for panels in ([one], [one, one], [two, one, str(uuid4())], [one, "no id"]):
        given = {"project": slug, "panels": panels}
        done = (await platform.ask(ORDER, keeper(slug), input=given))["orderPanels"]
        assert done["userErrors"][0]["field"] == ["input", "panels"]
    assert [each["title"] for each in await listed(platform, slug)] == ["one", "two"]


async def test_a_project_keeps_so_many_also_at_once(platform: Platform, slug: str) -> None:
    for _ in range(PANELS_AT_MOST - 2):
        await store(platform, slug, {"measure": "deployments.attempts"})
    made = await asyncio.gather(*(keep(platform, slug, f"p{number}") for number in range(5)))
    assert len([each for each in made if each["panel"]]) == 2
    (refused, *_others) = [each["userErrors"] for each in made if not each["panel"]]
    assert "the most allowed" in refused[0]["message"]
    assert len(await listed(platform, slug)) == PANELS_AT_MOST


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ({"measure": "deployments.gone"}, "There is no measure 'deployments.gone' now."),
        (
            {
                "measure": "deployments.attempts",
                "group_by": ["moon", "network"],
                "filter": {"mars": ["x"]},
            },
            "deployments.attempts has no mars and no moon now.",
        ),
        ([], "There is no measure 'None' now."),
        ({"measure": ["x"], "group_by": 1, "filter": 2}, "There is no measure \"['x']\" now."),
    ],
)
async def test_panel_that_the_catalogue_lost_says_so(
    platform: Platform, slug: str, question: Any, problem: str
) -> None:
    await store(platform, slug, question)
    await keep(platform, slug, "whole")
    old, whole = await listed(platform, slug)
    assert (old["problem"], whole["problem"]) == (problem, None)
    assert old["groupBy"] in ([], ["NETWORK"])


async def test_others_see_and_change_nothing(platform: Platform, slug: str) -> None:
    panel = (await keep(platform, slug))["panel"]
    assert (await platform.ask(LIST, RIVAL, slug=slug))["project"] is None
    rival = replace(RIVAL, roles=frozenset({Role.MAINTAINER}))
    gone = {"project": slug, "id": panel["id"]}
    refused = (await platform.ask(REMOVE, rival, input=gone))["removePanel"]
    assert refused["userErrors"][0]["field"] == ["input", "project"]
    own = f"o-{uuid4().hex[:8]}"
    upsert = f'mutation {{ upsertProject(input: {{slug: "{own}"}}) {{ __typename }} }}'
    await platform.ask(upsert, ADMIN)
    foreign = {"project": own, "id": panel["id"]}
    done = (await platform.ask(REMOVE, keeper(own), input=foreign))["removePanel"]
    assert done["removed"] is False
    assert await listed(platform, slug) == [panel]


async def test_viewers_read_and_do_not_keep(platform: Platform, slug: str) -> None:
    await keep(platform, slug, "seen")
    viewer = replace(ADA, roles=frozenset({Role.VIEWER}), project_slugs=frozenset({slug}))
    found = (await platform.ask(LIST, viewer, slug=slug))["project"]["panels"]
    assert [each["title"] for each in found] == ["seen"]
    given = f'{{project: "{slug}", title: "no", measure: DEPLOYMENT_ATTEMPTS}}'
    refused = await platform.refused(
        f"mutation {{ keepPanel(input: {given}) {{ __typename }} }}", viewer
    )
    assert isinstance(refused, Forbidden)
