"""Filters: names are looked up in one way for figures, tables and lists."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ingest.normaliser import TimeWindow
from resolvers import population
from storage.errors import LimitExceeded, NotFound
from storage.queries.names import find_used
from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, RIVAL, TODAY, Platform, deployment

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


PANELS = """
query($known: [String!]!, $new: [String!]!) {
  new: deploymentStats(filter: {environments: $new}) { attempts }
  both: deploymentStats(filter: {environments: $new, frameworks: $known}) { attempts }
  whole: deploymentStats(filter: {frameworks: $known}) { attempts }
}"""


async def test_a_name_that_comes_while_it_is_asked_for_is_in_all_panels_or_in_none(
    own_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(own_database_url) as platform:
        written = asyncio.Event()
        sent = deployment(
            "shop", "late", TODAY + timedelta(hours=9), environment="new", framework="astro"
        )

        async def then_written(database: Any, *asked: Any) -> dict[str, int]:
            found = await find_used(database, *asked)
            if asked[-1] == ["new"] and not written.is_set():
                await platform.services.intake.record(sent, ADMIN, TimeWindow(None, None))
                written.set()
            await written.wait()
            return found

        monkeypatch.setattr(population, "find_used", then_written)
        counted = await platform.ask(PANELS, known=["astro"], new=["new"])
    assert {name: panel["attempts"] for name, panel in counted.items()} == {
        "new": 1,
        "both": 1,
        "whole": 2,
    }
