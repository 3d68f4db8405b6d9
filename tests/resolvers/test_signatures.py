"""The same failure in many projects: its spread shows no small number, and admins see its cause."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from access.viewers import Role, Viewer
from ingest.normaliser import TimeWindow
from resolvers import signatures
from resolvers.context import Context
from resolvers.signatures import PlaceCount, Spread
from tests.schema.conftest import opened
from tests.schema.platform import ADMIN, NOW, Platform, event
from tests.servers import Databases

HOUR = timedelta(hours=1)
MIDNIGHT = (NOW - 10 * HOUR).replace(hour=0, minute=0, second=0, microsecond=0)
PROJECTS = 40
RANGE = {"last": "P7D"}

SIGNATURES = """
query ($range: TimeRange, $first: Int! = 10) {
  failureSignatures(range: $range, first: $first) {
    title occurrences projectCount firstAt
    projects { slug }
    networks { name projects } templates { name projects }
    causes { kind name projects share usualShare pValue }
  }
}
"""


def slug(number: int) -> str:
    return f"p{number:02}"


def network(number: int) -> str:
    return "hyperion" if number % 4 == 0 else "metis"


def events() -> Iterator[dict[str, Any]]:
    """Forty projects deploy; every failure occurs in some of them."""
    for number in range(PROJECTS):
        where = {"environment": "production", "network": network(number)}
        template = f"template-{number % 5 + 1:02}"
        where["template"] = template
        yield event("succeeded", slug(number), f"d{number}", NOW - 30 * HOUR, **where)
        failures = {
            "everywhere": number < 20,
            "of the network": network(number) == "hyperion",
            "of the template": template == "template-03",
            "of four": number < 4,
            "of five": number < 5,
            f"of {slug(number)}": True,
        }
        for message, occurs in failures.items():
            if occurs:
                yield occurrence(number, message, **where)
        if template == "template-03":
            failed = {"error": "the template cannot be built", **where}
            yield event("failed", slug(number), f"f{number}", NOW - 20 * HOUR, **failed)


def occurrence(number: int, message: str, **where: Any) -> dict[str, Any]:
    return {
        "type": "error.occurred",
        "project": slug(number),
        "time": (NOW - 10 * HOUR + number * timedelta(minutes=1)).isoformat(),
        "id": f"{number}-{message}",
        "errorType": message.title().replace(" ", ""),
        "message": message,
        "fingerprint": [message],
        **where,
    }


@pytest.fixture(scope="module")
def signatures_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def world(signatures_url: str) -> AsyncIterator[Platform]:
    async with opened(signatures_url) as platform:
        results = await platform.services.intake.record(
            list(events()), ADMIN, TimeWindow(None, None)
        )
        assert {result.status for result in results} == {"accepted"}, results
        yield platform


async def spread(world: Platform, project: str, message: str, *others: str) -> Spread | None:
    """What the owner of the project, and of others, sees."""
    async with world.services.database.connection() as connection:
        row = await connection.fetchrow(
            "select project_id, error_id from errors join projects using (project_id) "
            "where slug = $1 and title like $2",
            project,
            f"%: {message}",
        )
    viewer = Viewer("v", frozenset({Role.VIEWER}), frozenset({project, *others}))
    context = await Context.create(world.services, viewer, "request-1")
    try:
        error: Any = SimpleNamespace(key=(row["project_id"], row["error_id"]))
        return await signatures.spread(context, error)
    finally:
        context.release()


async def test_spread_counts_the_projects_of_a_failure(world: Platform) -> None:
    found = await spread(world, "p07", "everywhere")
    assert found is not None
    assert (found.projects, found.since) == (20, MIDNIGHT)
    assert found.networks == [PlaceCount("metis", 15), PlaceCount("hyperion", 5)]


async def test_spread_shows_no_small_number(world: Platform) -> None:
    assert await spread(world, "p00", "of four") is None
    assert await spread(world, "p09", "of p09") is None
    five = await spread(world, "p00", "of five")
    assert five is not None
    # Four of the five are on metis, one is on hyperion, and each has a template of its own.
    assert (five.projects, five.networks, five.templates) == (5, [], [])


async def test_own_projects_do_not_make_up_the_least_number(world: Platform) -> None:
    assert await spread(world, "p00", "of five", "p01", "p02", "p03") is None
    assert await spread(world, "p00", "everywhere", "p01", "p02", "p03") is not None


async def test_spread_of_a_merged_error_is_that_of_one_signature(world: Platform) -> None:
    async with world.services.database.transaction() as connection:
        await connection.execute(
            "update error_fingerprints as known set error_id = wide.error_id "
            "from errors as narrow, errors as wide, projects "
            "where projects.slug = 'p01' and wide.project_id = projects.project_id "
            "and narrow.project_id = projects.project_id and wide.title like '%: of five' "
            "and narrow.title like '%: everywhere' and known.project_id = narrow.project_id "
            "and known.error_id = narrow.error_id"
        )
    found = await spread(world, "p01", "of five")
    assert found is not None
    assert found.projects == 20


async def test_failures_are_ranked_by_projects(world: Platform) -> None:
    found = (await world.ask(SIGNATURES, ADMIN, range=RANGE))["failureSignatures"]
    counts = [each["projectCount"] for each in found]
    assert counts == sorted(counts, reverse=True)
    assert found[0]["title"] == "Everywhere: everywhere"
    assert (counts[0], found[0]["occurrences"], len(found[0]["projects"])) == (20, 20, 20)


async def test_network_and_template_explain_their_failures(world: Platform) -> None:
    found = (await world.ask(SIGNATURES, ADMIN, range=RANGE, first=50))["failureSignatures"]
    causes = {each["title"]: [(c["kind"], c["name"]) for c in each["causes"]] for each in found}
    assert causes["OfTheNetwork: of the network"] == [("NETWORK", "hyperion")]
    assert causes["OfTheTemplate: of the template"] == [("TEMPLATE", "template-03")]
    assert causes["Everywhere: everywhere"] == []
    failed = [title for title in causes if "the template cannot be built" in title]
    assert [causes[title] for title in failed] == [[("TEMPLATE", "template-03")]]


async def test_evidence_is_shown(world: Platform) -> None:
    found = (await world.ask(SIGNATURES, ADMIN, range=RANGE, first=50))["failureSignatures"]
    (of_network,) = [each for each in found if each["title"].startswith("OfTheNetwork")]
    (cause,) = of_network["causes"]
    assert (cause["projects"], cause["share"]) == (10, 1.0)
    assert cause["usualShare"] == pytest.approx(0.25, abs=0.02)  # other projects deploy too
    assert cause["pValue"] <= 0.01
    assert of_network["networks"] == [{"name": "hyperion", "projects": 10}]


async def test_only_admins_see_the_projects(world: Platform) -> None:
    viewer = Viewer("v", frozenset({Role.VIEWER, Role.MAINTAINER}), frozenset({"p00"}))
    error = await world.refused(SIGNATURES, viewer, range=RANGE)
    assert error.code == "FORBIDDEN"
