"""One network, template or project: told in the same words whether or not its parts are asked."""

import asyncio

import pytest

from access.viewers import Viewer
from tests.schema.platform import ADA, ADMIN, RIVAL, Platform

OF_NETWORKS = "id name title chainId createdAt"
OF_TEMPLATES = "id slug name description category tags createdAt"
OF_PROJECTS = "id slug name createdAt"
FIGURES = "deploymentStats { attempts }"


@pytest.mark.parametrize(
    ("call", "plain"),
    [
        ('network(name: "metis")', OF_NETWORKS),
        ('network(name: "METIS")', OF_NETWORKS),
        ('template(slug: "template-01")', OF_TEMPLATES),
        ('project(slug: "shop")', OF_PROJECTS),
    ],
)
async def test_parts_change_nothing_of_the_rest(platform: Platform, call: str, plain: str) -> None:
    ((_, alone),) = (await platform.ask(f"{{ {call} {{ {plain} }} }}")).items()
    ((_, whole),) = (await platform.ask(f"{{ {call} {{ {plain} {FIGURES} }} }}")).items()
    assert whole.pop("deploymentStats")["attempts"] > 0
    assert whole == alone
    assert None not in {alone["id"], alone["createdAt"]}


@pytest.mark.parametrize(
    ("call", "row"),
    [
        ('network(name: "metis")', ("networks_by_name", "title")),
        ('template(slug: "template-01")', ("templates_by_slug", "name")),
        ('project(slug: "shop")', ("projects_by_slug", "name")),
    ],
)
async def test_row_is_read_only_for_what_it_holds(
    platform: Platform, call: str, row: tuple[str, str]
) -> None:
    statement, column = row
    await platform.ask(f"{{ {call} {{ {FIGURES} }} }}")  # the dictionary knows it from now on
    platform.statements.clear()
    await platform.ask(f"{{ {call} {{ id {FIGURES} }} }}")
    assert len(platform.statements) == 1
    assert platform.statements[0].startswith("deployment_slice")
    platform.statements.clear()
    await platform.ask(f"{{ {call} {{ {column} createdAt {FIGURES} }} }}")
    assert platform.statements.count(statement) == 1
    assert len(platform.statements) == 2


@pytest.mark.parametrize("viewer", [ADA, RIVAL, ADMIN])
@pytest.mark.parametrize(
    "call",
    [
        'network(name: "nowhere")',
        'network(name: "other")',
        'template(slug: "nothing")',
        'template(slug: "other")',
        'project(slug: "nobodys")',
    ],
)
async def test_what_is_not_there_has_no_parts(
    platform: Platform, viewer: Viewer, call: str
) -> None:
    for fields in ("id", f"id {FIGURES}"):
        ((_, found),) = (await platform.ask(f"{{ {call} {{ {fields} }} }}", viewer)).items()
        assert found is None


async def test_another_tenants_project_is_never_looked_up(platform: Platform) -> None:
    document = f'{{ project(slug: "rival") {{ id {FIGURES} }} }}'
    assert (await platform.ask(document, RIVAL))["project"] is not None
    platform.statements.clear()
    assert (await platform.ask(document, ADA))["project"] is None
    assert platform.statements == []


async def test_wrong_id_among_others_is_refused_before_any_is_loaded(platform: Platform) -> None:
    (found,) = (await platform.ask('{ project(slug: "shop") { id } }')).values()
    document = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Project { name createdAt } } }"
    before = asyncio.all_tasks()
    refused = await platform.refused(document, ids=[found["id"], "no id"])
    assert "is not a global id" in refused.message
    assert asyncio.all_tasks() == before  # nothing goes on after the answer
    assert platform.statements == []
