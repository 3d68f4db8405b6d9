"""Filters: names are looked up in one way for figures, tables and lists."""

from typing import Any

import pytest

from storage.errors import LimitExceeded, NotFound
from tests.schema.platform import ADA, ADMIN, RIVAL, Platform

FIELDS = {
    "deploymentStats": ("DeploymentFilter", "attempts"),
    "metrics(measures: [DEPLOYMENT_ATTEMPTS])": ("MetricFilter", "columns { total }"),
    "deployments": ("DeploymentFilter", "totalCount"),
}


def document(field: str) -> str:
    filter, selected = FIELDS[field]
    name, _, more = field.partition("(")
    arguments = f"({more.removesuffix(')')} filter: $filter)" if more else "(filter: $filter)"
    return f"query($filter: {filter}!) {{ {name}{arguments} {{ {selected} }} }}"


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("filter", "message"),
    [
        ({"networks": ["metiss"]}, "No network is called 'metiss'. Did you mean 'metis'?"),
        ({"networks": ["metis", "x"]}, "No network is called 'x'."),
        (
            {"templates": ["Template-2"]},
            "No template is called 'template-2'. Did you mean 'template-12'?",
        ),
        ({"projects": ["shopp"]}, "No project is called 'shopp'. Did you mean 'shop'?"),
    ],
)
async def test_unknown_name_is_refused_with_a_similar_one(
    platform: Platform, field: str, filter: dict[str, list[str]], message: str
) -> None:
    error = await platform.refused(document(field), ADA, filter=filter)
    assert isinstance(error, NotFound)
    assert (error.message, error.path) == (message, next(iter(filter)))


async def test_only_visible_projects_are_suggested(platform: Platform) -> None:
    asked = document("deploymentStats"), {"projects": ["rivals"]}
    messages = [
        (await platform.refused(asked[0], viewer, filter=asked[1])).message
        for viewer in (ADA, RIVAL, ADMIN)
    ]
    assert messages[0] == "No project is called 'rivals'."
    assert messages[1] == messages[2] == f"{messages[0]} Did you mean 'rival'?"


async def test_a_long_name_is_cut(platform: Platform) -> None:
    error = await platform.refused(document("deploymentStats"), filter={"networks": ["x" * 5000]})
    assert len(error.message) < 200


@pytest.mark.parametrize(
    ("filter", "attempts"),
    [
        ({"networks": ["METIS"]}, 6),
        ({"networks": ["metis", "other"]}, 7),
        ({"templates": ["other"]}, 1),
        ({"environments": ["staging", "nowhere"]}, 2),
        ({"environments": ["Staging"]}, 0),
        ({"environments": ["other"]}, 0),
        ({"environments": ["rivals-own"]}, 0),
        ({"frameworks": ["astro"], "projects": ["blog"]}, 1),
        ({"frameworks": []}, 0),
        ({"projects": []}, 0),
    ],
)
async def test_names_select_what_they_name(
    platform: Platform, filter: dict[str, list[str]], attempts: int
) -> None:
    found: list[Any] = [await platform.ask(document(field), filter=filter) for field in FIELDS]
    assert found[0] == {"deploymentStats": {"attempts": attempts}}
    assert found[1] == {"metrics": {"columns": [{"total": attempts}]}}
    assert found[2] == {"deployments": {"totalCount": attempts}}


async def test_too_many_names_are_refused(platform: Platform) -> None:
    filter = {"environments": ["x"] * 101}
    for field in FIELDS:
        error = await platform.refused(document(field), filter=filter)
        assert isinstance(error, LimitExceeded)
        assert error.path == "environments"
