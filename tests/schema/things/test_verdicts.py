"""Verdicts on deployments: planted faults are found, and nothing is found where none is."""

import random
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from access.viewers import Viewer
from ingest.normaliser import TimeWindow
from tests.schema.conftest import opened
from tests.schema.platform import ADMIN, RIVAL, TODAY, Platform, event
from tests.servers import Databases

DAYS = 7
HOUR = timedelta(hours=1)
# All deployments finish here, inside an hour, and others before them.
FINISHED = TODAY + 9 * HOUR + timedelta(minutes=10)
EARLIER = FINISHED - 30 * HOUR

NO_ONE = "00000000-0000-4000-8000-000000000000"
VERDICT = """
query ($id: ID!, $window: Duration) {
  deploymentVerdict(id: $id, window: $window) {
    outcome message range { start end }
    comparisons {
      subject outcome reason message days expected pValue detectable thresholdMs
      after { events exposure rate } baseline { events exposure rate }
    }
  }
}
"""


class Traffic:
    """The traffic of one project in one hour of each day, with a fault after a deployment."""

    def __init__(
        self, project: str, worse: str = "", *, since: int = 0, days: int = DAYS, seconds: int = 10
    ) -> None:
        self.project, self.worse, self.days, self.seconds = project, worse, days, seconds
        self.since = FINISHED + timedelta(minutes=since)
        self.chance = random.Random(project)

    def events(self) -> Iterator[dict[str, Any]]:
        yield from self.deployment()
        for day in range(self.days + 1):
            at = FINISHED.replace(minute=0) - timedelta(days=day)
            end = at + HOUR
            for hour in range(1, 24):
                for _ in range(self.chance.randrange(9)):
                    earlier = at - hour * HOUR + self.chance.random() * HOUR
                    yield self.told("error.occurred", earlier, errorType="KeyError", message="x")
            while (at := at + timedelta(seconds=self.chance.expovariate(1 / self.seconds))) < end:
                yield from self.moment(at, late=at >= self.since)

    def deployment(self) -> Iterator[dict[str, Any]]:
        more = {"environment": "production"}
        for name, at in ((f"{self.project}-0", EARLIER), (f"{self.project}-1", FINISHED)):
            yield event("started", self.project, name, at - timedelta(minutes=2), **more)
            yield event("succeeded", self.project, name, at, **more)

    def moment(self, at: datetime, *, late: bool) -> Iterator[dict[str, Any]]:
        worse = self.worse if late else ""
        slow, failed = worse == "latency", worse == "api" and self.chance.random() < 0.5
        yield self.told(
            "api.called",
            at,
            endpoint="/carts",
            method="GET",
            status=503 if failed or self.chance.random() < 0.005 else 200,
            durationMs=self.chance.expovariate(1 / (400 if slow else 80)),
        )
        if self.project in {"quiet", "crashing"}:
            status = "error" if worse == "function" else "success"
            yield self.told("function.invoked", at, function="pay", status=status, durationMs=5)
        if self.chance.random() < (0.5 if worse == "errors" else 0.02):
            yield self.told("error.occurred", at, errorType="ValueError", message="no cart")

    def told(self, kind: str, at: datetime, **fields: Any) -> dict[str, Any]:
        identity = f"{self.project}-{self.chance.getrandbits(64)}"
        told = {"type": kind, "project": self.project, "time": at.isoformat(), "id": identity}
        return told | {"environment": "production"} | fields


PROJECTS = (
    Traffic("quiet", seconds=5),
    Traffic("broken", "errors"),
    Traffic("ill", "errors", since=-10),
    Traffic("failing", "api"),
    Traffic("slow", "latency"),
    Traffic("crashing", "function"),
    Traffic("young", "errors", days=2),
)


@pytest.fixture(scope="module")
def verdicts_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def world(verdicts_url: str) -> AsyncIterator[Platform]:
    async with opened(verdicts_url) as platform:
        for traffic in PROJECTS:
            sent = list(traffic.events())
            for start in range(0, len(sent), 10_000):
                some = sent[start : start + 10_000]
                results = await platform.services.intake.record(some, ADMIN, TimeWindow(None, None))
                assert {result.status for result in results} == {"accepted"}, results[0]
        yield platform


async def verdict(world: Platform, project: str, viewer: Viewer = ADMIN, **more: Any) -> Any:
    document = '{ project(slug: "%s") { latestDeployments(first: 9) { id externalId } } }'
    found = await world.ask(document % project, ADMIN)
    name = more.pop("name", f"{project}-1")
    (id,) = [
        each["id"] for each in found["project"]["latestDeployments"] if each["externalId"] == name
    ]
    return (await world.ask(VERDICT, viewer, id=id, **more))["deploymentVerdict"]


def failed(found: Any) -> dict[str, str]:
    """The reason of each comparison that did not pass, though it had enough data."""
    return {
        each["subject"]: each["reason"]
        for each in found["comparisons"]
        if each["reason"] not in {"NOT_WORSE", "TOO_FEW_EVENTS"}
    }


async def test_nothing_planted_passes(world: Platform) -> None:
    found = await verdict(world, "quiet")
    assert found["outcome"] == "PASS", found["message"]
    assert len(found["comparisons"]) == 4
    assert found["range"]["start"] == FINISHED.isoformat().replace("+00:00", "Z")
    assert all(each["days"] == 7 for each in found["comparisons"])


@pytest.mark.parametrize(
    ("project", "subject"),
    [
        ("broken", "ERRORS"),
        ("failing", "API_ERRORS"),
        ("slow", "API_LATENCY"),
        ("crashing", "FUNCTION_FAILURES"),
    ],
)
async def test_planted_fault_is_found(world: Platform, project: str, subject: str) -> None:
    found = await verdict(world, project)
    assert found["outcome"] == "FAIL"
    assert failed(found) == {subject: "WORSE"}
    (worse,) = [each for each in found["comparisons"] if each["subject"] == subject]
    assert worse["pValue"] <= 0.01
    events = worse["after"]["events"]
    assert events >= worse["detectable"] > worse["expected"]
    assert f"{events:,}" in found["message"]


async def test_fault_before_the_deployment_is_not_its_own(world: Platform) -> None:
    found = await verdict(world, "ill")
    assert found["outcome"] == "INCONCLUSIVE"
    assert failed(found) == {"ERRORS": "WORSE_BEFORE"}


async def test_too_few_days_are_inconclusive(world: Platform) -> None:
    found = await verdict(world, "young")
    assert found["outcome"] == "INCONCLUSIVE"
    assert set(failed(found).values()) == {"TOO_FEW_DAYS"}


async def test_counts_are_those_of_the_statistics(world: Platform) -> None:
    found = await verdict(world, "broken")
    (errors,) = [each for each in found["comparisons"] if each["subject"] == "ERRORS"]
    stats = await world.ask(
        'query ($range: TimeRange) { errorStats(range: $range, filter: {projects: ["broken"]})'
        " { occurrences } }",
        ADMIN,
        range={"between": found["range"]},
    )
    assert errors["after"]["events"] == stats["errorStats"]["occurrences"]


async def test_window_that_has_not_passed_is_pending(world: Platform) -> None:
    found = await verdict(world, "quiet", window="PT3H")
    assert found["outcome"] == "PENDING"
    assert found["comparisons"] == []
    assert found["message"] == "The verdict is due in 10 minutes."


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("shop-2", "FAIL"), ("shop-3", "FAIL"), ("shop-5", "PENDING"), ("blog-1", "INCONCLUSIVE")],
)
async def test_status_may_decide(world: Platform, name: str, outcome: str) -> None:
    found = await verdict(world, name.partition("-")[0], name=name)
    assert (found["outcome"], found["comparisons"]) == (outcome, [])


async def test_deployment_without_any_data_is_inconclusive(world: Platform) -> None:
    found = await verdict(world, "rival", name="rival-2")
    assert found["outcome"] == "INCONCLUSIVE"
    assert found["message"] == "There are no errors, invocations or API calls to compare."


async def test_window_may_be_a_day_from_any_minute_on(world: Platform) -> None:
    found = await verdict(world, "quiet", name="quiet-0", window="P1D")
    assert found["outcome"] == "PASS", found["message"]
    assert all(each["days"] >= 5 for each in found["comparisons"])
    (errors,) = [each for each in found["comparisons"] if each["subject"] == "ERRORS"]
    assert errors["baseline"]["exposure"] == 24 * errors["days"]


@pytest.mark.parametrize("window", ["PT1M", "P2D", "P1M"])
async def test_window_has_limits(world: Platform, window: str) -> None:
    error = await world.refused(VERDICT, ADMIN, id=NO_ONE, window=window)
    assert "5 minutes to 24 hours" in error.message


async def test_other_tenants_deployment_is_not_there(world: Platform) -> None:
    assert await verdict(world, "quiet", RIVAL) is None
