"""A network's day, its last thirty days and its templates, on a history counted by hand."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from access.viewers import Role, Viewer
from ingest.normaliser import TimeWindow
from tests.schema.conftest import opened
from tests.schema.platform import ADMIN, NOW, TODAY, Platform, deployment, event
from tests.servers import Databases

ADA = Viewer("ada", frozenset({Role.VIEWER}), frozenset({"atlas", "borealis", "cygnus"}))
DAY = TODAY - timedelta(days=3)
MOMENT = timedelta(microseconds=1)
TEMPLATES = 12


def attempt(project: str, name: str, at: datetime, kind: str, **more: Any) -> dict[str, Any]:
    """A deployment of which only its end is known."""
    return event(kind, project, name, at, **more)


def edges_of_a_day() -> list[dict[str, Any]]:
    """Metis: four deployments around the two midnights of one day."""
    return [
        *deployment("atlas", "before", DAY - MOMENT),
        *deployment("atlas", "first", DAY),
        *deployment("atlas", "last", DAY + timedelta(days=1) - MOMENT, "failed"),
        *deployment("atlas", "next", DAY + timedelta(days=1)),
    ]


def uses_of_templates() -> list[dict[str, Any]]:
    """Hyperion: template 1 is used 12 times, template 2 eleven times … and template 12 once.

    Each fails once. Template 12 was used most of all, but more than thirty days ago.
    """
    events = []
    for number in range(1, TEMPLATES + 1):
        for use in range(TEMPLATES + 1 - number):
            events.append(
                attempt(
                    "atlas" if use % 2 else "borealis",
                    f"use-{number}-{use}",
                    NOW - timedelta(days=use, hours=number),
                    "succeeded" if use else "failed",
                    network="hyperion",
                    template=f"template-{number:02}",
                )
            )
    return events


def uses_too_old() -> list[dict[str, Any]]:
    at = NOW - timedelta(days=30, minutes=2)
    named = {"network": "hyperion", "template": "template-12"}
    return [attempt("cygnus", f"old-{n}", at, "succeeded", **named) for n in range(20)]


def history() -> list[dict[str, Any]]:
    metis = {"network": "metis", "template": "template-12"}
    recent = attempt("atlas", "only-use", NOW - timedelta(hours=1), "succeeded", **metis)
    return [*edges_of_a_day(), *uses_of_templates(), *uses_too_old(), recent]


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    async with opened(url) as platform:
        for result in await platform.services.intake.record(
            history(), ADMIN, TimeWindow(None, None)
        ):
            assert result.status == "accepted", result
        yield platform


async def ask_network(platform: Platform, name: str, fields: str) -> dict[str, Any]:
    document = f'{{ network(name: "{name}") {{ name {fields} }} }}'
    data = await platform.ask(document, ADA)
    network: dict[str, Any] = data["network"]
    assert network.pop("name") == name
    return network


async def test_day_of_a_network_runs_from_midnight_to_midnight(platform: Platform) -> None:
    """R2, R3, R5: what happens at 00:00:00 is in, what happens at the next 00:00:00 is not."""
    date = DAY.date().isoformat()
    found = await ask_network(
        platform,
        "metis",
        f"""deploymentStats(range: {{calendar: {{unit: DAY, date: "{date}"}}}}) {{
            range {{ start end }} attempts succeeded failed rolledBack successRate }}""",
    )
    next_date = (DAY + timedelta(days=1)).date().isoformat()
    assert found["deploymentStats"] == {
        "range": {"start": f"{date}T00:00:00Z", "end": f"{next_date}T00:00:00Z"},
        "attempts": 2,
        "succeeded": 1,
        "failed": 1,
        "rolledBack": 0,
        "successRate": 0.5,
    }


async def test_figures_are_of_the_last_thirty_days_unless_said_otherwise(
    platform: Platform,
) -> None:
    """R14, R15: cygnus was last active thirty days and two minutes ago."""
    fields = "attempts succeeded failed activeProjects successRate"
    found = await ask_network(
        platform,
        "hyperion",
        f"""deploymentStats {{ {fields} }}
            wider: deploymentStats(range: {{last: "P31D"}}) {{ attempts activeProjects }}""",
    )
    uses = TEMPLATES * (TEMPLATES + 1) // 2
    assert found["deploymentStats"] == {
        "attempts": uses,
        "succeeded": uses - TEMPLATES,
        "failed": TEMPLATES,
        "activeProjects": 2,
        "successRate": pytest.approx((uses - TEMPLATES) / uses),
    }
    assert found["wider"] == {"attempts": uses + 20, "activeProjects": 3}


async def test_ten_most_used_templates_come_in_order(platform: Platform) -> None:
    """R7: twelve were used; the two used least are the others."""
    found = await ask_network(
        platform,
        "hyperion",
        "deploymentStats { byTemplate(first: 10) { kind name attempts succeeded } }",
    )
    *rows, others = found["deploymentStats"]["byTemplate"]
    assert rows == [
        {
            "kind": "NAMED",
            "name": f"template-{number:02}",
            "attempts": 13 - number,
            "succeeded": 12 - number,
        }
        for number in range(1, 11)
    ]
    assert others == {"kind": "OTHERS", "name": None, "attempts": 3, "succeeded": 1}


async def test_networks_have_their_own_most_used_templates(platform: Platform) -> None:
    """R8."""
    fields = "deploymentStats { byTemplate { kind name attempts } }"
    used = {
        name: [
            (row["name"], row["attempts"])
            for row in (await ask_network(platform, name, fields))["deploymentStats"]["byTemplate"]
            if row["kind"] == "NAMED"
        ]
        for name in ("metis", "hyperion")
    }
    assert used["metis"] == [("template-12", 1)]
    assert used["hyperion"][0] == ("template-01", 12)


async def test_adoption_adds_up_and_costs_the_same_for_many_templates(platform: Platform) -> None:
    """R17."""
    fields = """deploymentStats { byTemplate(first: null) {
        name attempts succeeded share template { name } } }"""
    statements, shares = {}, {}
    for name in ("metis", "hyperion"):
        found = await ask_network(platform, name, fields)
        statements[name] = sorted(platform.statements)
        shares[name] = [row["share"] for row in found["deploymentStats"]["byTemplate"]]
    assert len(shares["hyperion"]) == TEMPLATES
    for each in shares.values():
        assert each == sorted(each, reverse=True)
        assert sum(each) == pytest.approx(1)
    assert statements["metis"] == statements["hyperion"]
