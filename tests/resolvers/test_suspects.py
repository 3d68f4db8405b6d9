"""Suspect deployments: a planted culprit is named, and none is where there is no reason."""

import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from analytics.suspects import Suspicion
from ingest.normaliser import TimeWindow
from resolvers import suspects as resolvers
from resolvers.context import Context
from resolvers.entities import Links
from resolvers.errors import Error
from resolvers.suspects import Change, Suspects
from tests.schema.conftest import opened
from tests.schema.platform import ADMIN, NOW, Platform, event
from tests.servers import Databases

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DAYS = 10
BEGAN = NOW - 5 * HOUR
WHERE = {"environment": "production", "network": "metis"}


@dataclass
class Story:
    """A project with a deployment a day, other errors all the time, and one that begins."""

    project: str
    gap: timedelta = 4 * MINUTE  # from the latest deployment to the beginning
    per_hour: int = 20
    deployments_a_day: int = 1
    hours_before: list[int] = field(default_factory=list)  # in which the error occurred before
    errors: dict[str, Any] = field(default_factory=dict)
    releases: bool = False

    def events(self) -> Iterator[dict[str, Any]]:
        chance = random.Random(self.project)
        every = timedelta(days=1) / self.deployments_a_day
        for number in range(DAYS * self.deployments_a_day):
            yield self.deployed(number, BEGAN - self.gap - number * every)
        for hour in range(DAYS * 24):
            if chance.random() < 0.2:
                at = BEGAN - hour * HOUR - chance.random() * HOUR
                yield self.occurred(at, "KeyError", release="r1" if self.releases else None)
        for hour in self.hours_before:
            yield self.occurred(BEGAN - hour * HOUR, "NewError", **self.errors)
        for number in range(2 * self.per_hour):
            at = BEGAN + number * (HOUR / self.per_hour)
            yield self.occurred(
                at, "NewError", release="r2" if self.releases else None, **self.errors
            )

    def deployed(self, number: int, at: datetime) -> dict[str, Any]:
        release = {"release": "r2" if number == 0 else "r1"} if self.releases else {}
        repository, commit = "https://github.com/acme/app.git", f"{number:08x}"
        name = f"{self.project}-{number}"
        told = {"repository": repository, "commit": commit, **WHERE, **release}
        return event("succeeded", self.project, name, at, **told)

    def occurred(self, at: datetime, kind: str, **more: Any) -> dict[str, Any]:
        return {
            "type": "error.occurred",
            "project": self.project,
            "time": at.isoformat(),
            "id": f"{self.project}-{kind}-{at.isoformat()}",
            "errorType": kind,
            "message": "it happened",
            **WHERE,
            **{name: value for name, value in more.items() if value is not None},
        }


STORIES = (
    Story("culprit"),
    Story("late", gap=20 * HOUR),
    Story("busy", gap=20 * MINUTE, deployments_a_day=24),
    Story("release", gap=3 * HOUR, releases=True),
    Story("spiky", hours_before=[30, 100, 200]),
    Story("single", per_hour=1),
    Story("elsewhere", errors={"environment": "staging"}),
)


@pytest.fixture(scope="module")
def suspects_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def world(suspects_url: str) -> AsyncIterator[Platform]:
    async with opened(suspects_url) as platform:
        for story in STORIES:
            sent = list(story.events())
            results = await platform.services.intake.record(sent, ADMIN, TimeWindow(None, None))
            assert {result.status for result in results} == {"accepted"}, results
        yield platform


async def suspects(world: Platform, project: str) -> Suspects:
    async with world.services.database.connection() as connection:
        row = await connection.fetchrow(
            "select errors.* from errors join projects using (project_id) "
            "where slug = $1 and error_type = 'NewError'",
            project,
        )
    context = await Context.create(world.services, ADMIN, "request-1")
    try:
        return await resolvers.suspects(context, Error(row), Links())
    finally:
        context.release()


def names(found: Suspects) -> list[str]:
    return [each.deployment.row["external_id"] for each in found.deployments]


def suspicions(found: Suspects) -> list[Suspicion]:
    return [each.suspicion for each in found.deployments]


async def test_deployment_just_before_is_suspect(world: Platform) -> None:
    found = await suspects(world, "culprit")
    assert (found.change, found.at) == (Change.FIRST_SEEN, BEGAN)
    assert (names(found), suspicions(found)) == (["culprit-0"], [Suspicion.SUSPECT])
    (first,) = found.deployments
    assert first.p_value <= 0.01
    assert (first.before.events, first.after.events) == (0, 20)


async def test_commits_between_are_told(world: Platform) -> None:
    (first,) = (await suspects(world, "culprit")).deployments
    assert first.previous is not None
    assert first.previous.row["external_id"] == "culprit-1"
    assert first.compare_url == "https://github.com/acme/app/compare/00000001...00000000"


async def test_deployment_long_before_is_not_suspect(world: Platform) -> None:
    assert suspicions(await suspects(world, "late")) == [Suspicion.INCONCLUSIVE]


async def test_many_deployments_are_inconclusive(world: Platform) -> None:
    found = await suspects(world, "busy")
    assert names(found)[0] == "busy-0"
    assert len(names(found)) == 20
    assert Suspicion.SUSPECT not in suspicions(found)


async def test_new_release_with_the_error_is_suspect(world: Platform) -> None:
    found = await suspects(world, "release")
    assert suspicions(found) == [Suspicion.SUSPECT]
    assert found.deployments[0].began_with_release
    assert found.deployments[0].p_value > 0.01


async def test_rise_of_a_known_error_is_a_spike(world: Platform) -> None:
    found = await suspects(world, "spiky")
    assert (found.change, found.at) == (Change.SPIKE, BEGAN)
    assert suspicions(found) == [Suspicion.SUSPECT]


async def test_few_occurrences_are_inconclusive(world: Platform) -> None:
    assert suspicions(await suspects(world, "single")) == [Suspicion.INCONCLUSIVE]


async def test_deployment_to_another_environment_is_no_candidate(world: Platform) -> None:
    assert names(await suspects(world, "elsewhere")) == []


async def test_suspects_and_spread_are_fields_of_an_error(world: Platform) -> None:
    found = await world.ask(
        """{ errors(filter: {projects: ["culprit"], errorTypes: ["NewError"]}) { nodes {
          spread { projects }
          suspects { change at deployments {
            suspicion pValue beganWithRelease fromCommit compareUrl before { rate } after { events }
            deployment { externalId commit project { slug } } previous { externalId }
          } }
        } } }""",
        ADMIN,
    )
    (error,) = found["errors"]["nodes"]
    assert error["spread"]["projects"] == len(STORIES)
    (suspect,) = error["suspects"]["deployments"]
    assert (suspect["suspicion"], suspect["beganWithRelease"]) == ("SUSPECT", False)
    assert suspect["deployment"] == {
        "externalId": "culprit-0",
        "commit": "00000000",
        "project": {"slug": "culprit"},
    }
