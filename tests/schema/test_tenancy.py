"""Tenancy: whatever is asked, another tenant's data is answered like data that never existed."""

import base64
import json
from uuid import uuid4

import pytest

from storage.errors import Forbidden, InvalidInput, NotFound
from tests.schema.platform import ADA, ADMIN, BUILDER, NOBODY, RIVAL, Platform

EVERYTHING = """{
  viewer { projects { nodes { slug } totalCount } deploymentStats { attempts activeProjects } }
  projects { nodes { slug latestDeployments { externalId } environments { name } } totalCount }
  deployments(first: 100) { nodes { externalId project { slug } environment { name } } totalCount }
  deploymentStats {
    attempts activeProjects series { attempts } byNetwork { name attempts }
    byEnvironment { name } byFramework { name } byTemplate { name } byProject { name }
    previous { attempts }
  }
  metrics(
    measures: [DEPLOYMENT_ATTEMPTS, DEPLOYMENT_ACTIVE_PROJECTS], groupBy: [PROJECT, ENVIRONMENT]
  ) {
    groups { keys { name } } columns { total totals values }
  }
  networks { name deploymentStats { attempts byTemplate { name attempts } } }
  templates { nodes { slug deploymentStats { attempts } } }
}"""


async def test_no_root_query_shows_the_other_tenant(platform: Platform) -> None:
    text = json.dumps(await platform.ask(EVERYTHING, ADA))
    assert "shop-1" in text
    assert "rival" not in text
    text = json.dumps(await platform.ask(EVERYTHING, RIVAL))
    assert "rival-1" in text
    for hidden in ("shop", "blog", "staging", "astro"):
        assert f'"{hidden}' not in text


async def test_totals_are_each_tenants_own(platform: Platform) -> None:
    document = "{ deploymentStats { attempts activeProjects } deployments { totalCount } }"
    for viewer, attempts, projects in ((ADA, 9, 2), (RIVAL, 7, 1), (ADMIN, 16, 3), (NOBODY, 0, 0)):
        data = await platform.ask(document, viewer)
        stats = {"attempts": attempts, "activeProjects": projects}
        assert data == {"deploymentStats": stats, "deployments": {"totalCount": attempts}}


async def ids_of(platform: Platform) -> dict[str, str]:
    data = await platform.ask(
        """{ deployments(first: 1) { nodes { id deploymentId project { id }
        environment { id } } } }""",
        RIVAL,
    )
    (found,) = data["deployments"]["nodes"]
    return {
        "Deployment": found["id"],
        "UUID": found["deploymentId"],
        "Project": found["project"]["id"],
        "Environment": found["environment"]["id"],
    }


def made_up(id: str) -> str:
    """The same kind of id for something that never existed."""
    text = base64.urlsafe_b64decode(id + "==").decode()
    kind, *parts = text.split(":")
    if kind == "Deployment":
        parts[-1] = str(uuid4())
    else:
        parts[-1] = "999999"
    return base64.urlsafe_b64encode(":".join([kind, *parts]).encode()).decode().rstrip("=")


NODE = "query($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } }"
ONE = "query($id: ID!) { deployment(id: $id) { id status } }"


@pytest.mark.parametrize("kind", ["Deployment", "Project", "Environment"])
async def test_other_tenants_ids_are_like_ids_of_nothing(platform: Platform, kind: str) -> None:
    id = (await ids_of(platform))[kind]
    own = await platform.ask(NODE, RIVAL, id=id)
    assert own == {"node": {"__typename": kind, "id": id}, "nodes": [{"id": id}]}
    nothing = {"node": None, "nodes": [None]}
    for viewer in (ADA, NOBODY):
        assert await platform.ask(NODE, viewer, id=id) == nothing
        seen = len(platform.statements)
        assert await platform.ask(NODE, viewer, id=made_up(id)) == nothing
        assert len(platform.statements) == seen
    assert await platform.ask(NODE, ADMIN, id=id) == own


async def test_other_tenants_deployment_is_null(platform: Platform) -> None:
    ids = await ids_of(platform)
    for id in (ids["Deployment"], ids["UUID"], made_up(ids["Deployment"]), str(uuid4())):
        assert await platform.ask(ONE, ADA, id=id) == {"deployment": None}
    assert (await platform.ask(ONE, RIVAL, id=ids["UUID"]))["deployment"]["id"] == ids["Deployment"]
    assert (await platform.ask(ONE, ADMIN, id=ids["UUID"]))["deployment"]["id"] == ids["Deployment"]


async def test_other_tenants_slugs_are_like_slugs_of_nothing(platform: Platform) -> None:
    document = "query($slug: String!) { project(slug: $slug) { name } }"
    for slug in ("rival", "never-existed"):
        assert await platform.ask(document, ADA, slug=slug) == {"project": None}
    assert await platform.ask(document, RIVAL, slug="rival") == {"project": {"name": "rival"}}


async def test_statistics_of_another_tenants_project_are_not_found(platform: Platform) -> None:
    document = """query($slug: String!) {
        deploymentStats(filter: {projects: [$slug]}) { attempts } }"""
    table = """query($slug: String!) {
        metrics(measures: [DEPLOYMENT_ATTEMPTS], filter: {projects: ["shop", $slug]}) {
            groupCount } }"""
    for asked in (document, table):
        hidden = await platform.refused(asked, ADA, slug="rival")
        absent = await platform.refused(asked, ADA, slug="never-existed")
        assert isinstance(hidden, NotFound)
        assert hidden.message.replace("rival", "x") == absent.message.replace("never-existed", "x")


ARGUMENTS = [
    'filter: {environments: ["rivals-own"]}',
    'filter: {frameworks: ["rivals-framework"]}',
    'search: "rival-1", range: {last: "P90D"}',
]


@pytest.mark.parametrize("arguments", ARGUMENTS)
async def test_no_filter_reaches_another_tenant(platform: Platform, arguments: str) -> None:
    document = f"{{ deployments({arguments}) {{ nodes {{ id }} totalCount }} }}"
    nothing = {"deployments": {"nodes": [], "totalCount": 0}}
    assert await platform.ask(document, ADA) == nothing
    assert (await platform.ask(document, RIVAL))["deployments"]["totalCount"] > 0


async def test_other_tenants_names_look_like_unused_names(platform: Platform) -> None:
    document = """query($e: [String!], $f: [String!]) {
        deploymentStats(filter: {environments: $e, frameworks: $f}) { attempts } }"""
    for names in ({"e": ["rivals-own"]}, {"e": ["unused"]}, {"f": ["rivals-framework"]}):
        assert await platform.ask(document, ADA, **names) == {"deploymentStats": {"attempts": 0}}


ROOTS = [
    "{ node(id: $id) { id } }",
    "{ nodes(ids: [$id]) { id } }",
    '{ network(name: "metis") { name } }',
    "{ networks { name } }",
    '{ template(slug: "template-01") { name } }',
    "{ templates { nodes { slug } } }",
    '{ project(slug: "shop") { name } }',
    "{ projects { nodes { slug } } }",
    '{ deployment(id: "123e4567-e89b-12d3-a456-426614174000") { id } }',
    "{ deployments { nodes { id } } }",
    "{ deploymentStats { attempts } }",
    "{ viewer { deploymentStats { attempts } } }",
    "{ viewer { projects { nodes { slug } } } }",
    "{ metrics(measures: [DEPLOYMENT_ATTEMPTS]) { groupCount } }",
]


@pytest.mark.parametrize("document", ROOTS)
async def test_token_that_only_records_sees_nothing(platform: Platform, document: str) -> None:
    id = (await ids_of(platform))["Project"]
    if "$id" in document:
        error = await platform.refused("query($id: ID!) " + document, BUILDER, id=id)
    else:
        error = await platform.refused(document, BUILDER)
    assert isinstance(error, Forbidden)


@pytest.mark.parametrize(
    "id", ["", "x", "RGVwbG95bWVudA", "VXNlcjox", "ö", "x" * 300, "RGVwbG95bWVudDo", "====", "\0"]
)
async def test_what_is_no_id_is_refused_cleanly(platform: Platform, id: str) -> None:
    result = await platform.execute(NODE, ADA, id=id)
    assert result.errors or result.data == {"node": None, "nodes": [None]}
    for error in result.errors or ():
        assert isinstance(error.original_error, InvalidInput)


NAMING = [
    "query($s: String!) { deploymentStats(filter: {projects: [$s]}) { attempts } }",
    """query($s: String!) {
        metrics(measures: [DEPLOYMENT_ATTEMPTS], filter: {projects: [$s]}) { groupCount } }""",
    "query($s: String!) { deployments(filter: {projects: [$s]}) { totalCount } }",
    "query($s: String!) { project(slug: $s) { name } }",
]


@pytest.mark.parametrize("document", NAMING)
async def test_no_statement_more_tells_which_slugs_exist(platform: Platform, document: str) -> None:
    await platform.execute(document, ADMIN, s="rival")  # now this process knows it
    await platform.execute(document, ADA, s="rival")
    hidden = list(platform.statements)
    await platform.execute(document, ADA, s="never-existed")
    assert platform.statements == hidden
