"""Of real data with nothing planted, hardly anything is blamed; docs/causes.md has the figures."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from analytics.run import Analytics
from ingest.bulk import Target, record_all
from ingest.intake import Intake
from resolvers.context import Services
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.keeping.windows import DEFAULT
from storage.times import DAY
from tests.schema.platform import ADMIN, Platform
from tests.servers import Databases
from tests.simulations.real_data import Happened, alarms, builds, by_name, deployments
from tests.test_docs import DOCS

PAGE = (DOCS / "causes.md").read_text(encoding="utf-8")
# The builds of each project are moved by whole weeks, so that the last one is of the last week.
END = datetime(2025, 5, 1, tzinfo=UTC)
MONTH, HISTORY = END - 30 * DAY, END - 58 * DAY


def test_no_window_of_real_data_is_taken_for_a_rise() -> None:
    found = alarms(200)
    for name, of_group in found.items():
        assert f"| {name} | {of_group.total():,} | {of_group[True]} |" in PAGE
    whole = sum(found.values(), Counter[bool]())
    assert (whole.total(), whole[True]) == (4_000, 0)


def events() -> Iterator[dict[str, Any]]:
    """Each project has the builds of one of nine projects and the deployments of one of nine apps.

    A build is an invocation. One that fails is an occurrence of two errors: that of the project,
    and that of its pull request.
    """
    apps = sorted(by_name(deployments()).items(), key=lambda app: -len(app[1]))
    for (project, built), (_, deployed) in zip(by_name(builds()).items(), apps, strict=False):
        weeks = (END - built[-1].at) // (7 * DAY) * 7 * DAY
        for build in built:
            yield from told(project, build._replace(at=build.at + weeks))
        for each in deployed:
            yield {
                "type": "deployment.succeeded",
                "project": project,
                "deployment": f"{each.at.isoformat()}-{each.what}",
                "environment": each.what,
                "time": each.at.isoformat(),
            }


def told(project: str, build: Happened) -> Iterator[dict[str, Any]]:
    common = {"project": project, "time": build.at.isoformat()}
    failed = build.what == "FAILURE"
    status = "error" if failed else "success"
    yield {"type": "function.completed", "function": "build", "status": status, **common}
    for error in ("any", build.pull_request) if failed else ():
        named = {"errorType": "BuildFailed", "message": error, "fingerprint": [error]}
        yield {"type": "error.occurred", **named, **common}


@pytest.fixture(scope="module")
def real_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def world(real_url: str) -> AsyncIterator[Platform]:
    database = await Database.open(real_url, pool_size=4)
    sent = [
        {"id": str(number), **event}
        for number, event in enumerate(events())
        if HISTORY <= datetime.fromisoformat(event["time"]) < END
    ]
    results = await record_all(database, Target(real_url, END, DEFAULT), sent, lambda *_: None)
    assert {result.status for result in results} == {"accepted"}
    dictionaries = Dictionaries(database)
    analytics = Analytics(database, None, DEFAULT, lambda: END)
    intake = Intake(database, dictionaries, lambda: END)
    yield Platform(Services(database, dictionaries, analytics, intake, b"a key", lambda: END))
    await database.close()


async def all_nodes(world: Platform, document: str) -> list[dict[str, Any]]:
    """All nodes of a list, which is the only field of the document."""
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        (page,) = (await world.ask(document, ADMIN, after=after)).values()
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


RANGE = f'range: {{ between: {{ start: "{MONTH.isoformat()}", end: "{END.isoformat()}" }} }}'
PRODUCTION = 'filter: { environments: ["production"] }'


def assert_told(name: str, asked: Collection[Any], blamed: int) -> None:
    """The page has these numbers, and keeps its promise."""
    assert f"| {name} | {len(asked):,} | {blamed} |" in PAGE
    assert blamed <= len(asked) / 100


async def test_no_real_deployment_fails_its_verdict(world: Platform) -> None:
    found = await all_nodes(
        world,
        f"""query ($after: String) {{
          deployments({PRODUCTION}, {RANGE}, first: 50, after: $after) {{
          nodes {{ verdict(window: "PT6H") {{ outcome comparisons {{ subject }} }} }}
          pageInfo {{ hasNextPage endCursor }} }} }}""",
    )
    outcomes = Counter(each["verdict"]["outcome"] for each in found)
    assert_told("verdicts on deployments to production, six hours each", found, outcomes["FAIL"])
    assert sum(len(each["verdict"]["comparisons"]) for each in found) > len(found)


async def test_hardly_any_real_error_has_a_suspect(world: Platform) -> None:
    found = await all_nodes(
        world,
        f"""query ($after: String) {{ errors({RANGE}, first: 5, after: $after) {{
          nodes {{ suspects {{ at deployments {{ suspicion }} }} }}
          pageInfo {{ hasNextPage endCursor }} }} }}""",
    )
    asked = [each["suspects"]["deployments"] for each in found]
    near = [deployments for deployments in asked if deployments]
    named = sum(deployments[0]["suspicion"] == "SUSPECT" for deployments in near)
    assert_told("errors with deployments in the day before", near, named)


async def spikes_at(world: Platform, at: datetime) -> int:
    then = Platform(replace(world.services, clock=lambda: at))
    found = await then.ask("{ errorSpikes(first: 20) { startedAt } }", ADMIN)
    return len(found["errorSpikes"])


async def test_hardly_any_real_error_spikes(world: Platform) -> None:
    failed = {
        (event["project"], event["message"], datetime.fromisoformat(event["time"]).date())
        for event in events()
        if event["type"] == "error.occurred"
        if MONTH <= datetime.fromisoformat(event["time"]) < END
    }
    spikes = sum([await spikes_at(world, MONTH + day * DAY) for day in range(1, 31)])
    assert_told("errors that occurred on a day, one count for each day", failed, spikes)
