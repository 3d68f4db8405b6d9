"""The demo in a real database: the queries of docs/demo.md show its incidents."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest

import ingest.demo
from access.viewers import Role, Viewer
from analytics.run import Analytics
from ingest.bulk import Target
from ingest.demo.cast import ACTIONS, COST_SHARES, FEATURES, PROJECTS, RESOURCES
from ingest.demo.drafts import UNFIT_PROJECTS, UNFIT_TRIES
from ingest.demo.errors import NEW_ERRORS, SPIKE
from ingest.demo.history import DEPLOYMENTS, history
from ingest.demo.story import Period, Story
from ingest.intake import Intake
from resolvers.context import Services
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.facts import FACTS
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import recount_day
from tests.ingest.demo.made import Event, of_type, time_of
from tests.ingest.demo.planted import Planted, planted
from tests.schema.platform import ADMIN, Platform
from tests.servers import Databases

NOW = datetime.now(UTC)
STORY = Story.at(NOW)
DAY = timedelta(days=1)
PAGE = Path(__file__).parents[3] / "docs" / "demo.md"
QUERIES = {
    query.split()[1]: query
    for query in re.findall(r"```graphql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
}


@pytest.fixture(scope="module")
def demo_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def lines(demo_url: str) -> list[str]:
    """Loads the demo; returns the lines it showed."""
    lines: list[str] = []
    await ingest.demo.load(Target(demo_url, NOW, DEFAULT), say=lines.append)
    return lines


@pytest.fixture(scope="module")
def made() -> list[Event]:
    """The events of the demo."""
    return history(NOW, DEPLOYMENTS)


@pytest.fixture(scope="module")
async def platform(demo_url: str, lines: list[str]) -> AsyncIterator[Platform]:
    database = await Database.open(demo_url, pool_size=2)
    dictionaries = Dictionaries(database)
    analytics = Analytics(database, None, DEFAULT, lambda: NOW)
    intake = Intake(database, dictionaries, lambda: NOW)
    yield Platform(Services(database, dictionaries, analytics, intake, b"key", lambda: NOW))
    await database.close()


async def answer_of(platform: Platform, name: str) -> dict[str, Any]:
    return await platform.ask(QUERIES[name], ADMIN)


def start(point: dict[str, Any]) -> datetime:
    """The start of a bucket, which the schema gives as a time."""
    return moment(point["start"])


def moment(at: datetime | str) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


async def test_progress_is_shown(lines: list[str]) -> None:
    assert len(lines) == 5
    assert re.fullmatch(r"\d+ invented deployments, \d+ events in [\d.]+ s", lines[-1])


async def test_every_day_equals_its_recount(platform: Platform) -> None:
    floors = DEFAULT.floors(NOW)
    async with platform.services.database.connection() as connection:
        for days in (0, 3, 9, 20, 59):
            day = (NOW - days * DAY).date()
            assert not await recount_day(connection, FACTS["deployment"], day, floors)


async def test_outage_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "Outage")
    series = answer["network"]["deploymentStats"]["series"]
    during = [point for point in series if start(point) in STORY.outage]
    apart = [point for point in series if start(point) not in STORY.outage]
    assert len(during) == 4
    assert min(point["attempts"] for point in during) >= 5
    assert 0.35 < rate(during) < 0.65
    assert rate(apart) < 0.15
    errors = answer["deployments"]["nodes"]
    assert len(errors) == 5


def rate(points: list[dict[str, Any]]) -> float:
    attempts = sum(point["attempts"] for point in points)
    return float(sum(point["failed"] for point in points) / attempts)


async def test_network_is_down_now(platform: Platform) -> None:
    answer = await answer_of(platform, "DownNow")
    stats = answer["network"]["deploymentStats"]
    assert stats["failed"] > 9
    assert stats["failureRate"] > 0.8
    found = answer["errors"]["nodes"]
    assert {error["project"]["slug"] for error in found} == {
        "dex-router",
        "liquidity-bot",
        "lending-app",
    }


async def test_slow_week_is_visible(platform: Platform) -> None:
    table = (await answer_of(platform, "SlowWeek"))["metrics"]
    slow = [start(bucket) in STORY.slow_week for bucket in table["buckets"]]
    assert sum(slow) == 7
    for measure in ("DEPLOYMENT_DURATION_P50_MS", "BUILD_DURATION_P50_MS"):
        by_name = values_by_group(table, measure)
        assert 2 < pace(by_name["nextjs"], slow) < 3.2
        assert 0.8 < pace(by_name["react"], slow) < 1.25


def values_by_group(table: dict[str, Any], measure: str) -> dict[str, list[float | None]]:
    """The values of a measure in each bucket, by the name of the group."""
    names = [group["keys"][0]["name"] for group in table["groups"]]
    (column,) = [each for each in table["columns"] if each["measure"] == measure]
    return dict(zip(names, column["values"], strict=True))


def pace(values: list[float | None], slow: list[bool]) -> float:
    """By how much the slow days are slower than the others."""
    known = [(value, late) for value, late in zip(values, slow, strict=True) if value is not None]
    late = median(value for value, is_slow in known if is_slow)
    return late / median(value for value, is_slow in known if not is_slow)


async def test_silent_project_is_visible(platform: Platform) -> None:
    project = (await answer_of(platform, "Silent"))["project"]
    series = project["deploymentStats"]["series"]
    before = [point["attempts"] for point in series if start(point) < STORY.stopped_at]
    after = [point["attempts"] for point in series if start(point) >= STORY.stopped_at]
    assert sum(before) > 50
    assert len(after) == 19
    assert sum(after) == 0


async def test_rising_template_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "Rising")
    series = answer["template"]["deploymentStats"]["series"]
    before = [point["attempts"] for point in series if start(point) < STORY.rising_since]
    since = [point["attempts"] for point in series if start(point) >= STORY.rising_since]
    assert sum(before) == 0
    assert sum(since[-8:-1]) > 2 * sum(since[:7]) > 0
    top = [group["name"] for group in answer["deploymentStats"]["byTemplate"]]
    assert "open-webui" in top


async def test_bad_release_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "RolledBack")
    series = answer["project"]["deploymentStats"]["series"]
    by_day = {start(point): point["rolledBack"] for point in series}
    bad_day = STORY.bad_release.start.replace(hour=0)
    assert by_day[bad_day] >= 6
    assert sum(by_day.values()) - by_day[bad_day] <= 6
    assert all(node["rolledBackToId"] for node in answer["deployments"]["nodes"])


async def test_slow_phase_is_visible(platform: Platform) -> None:
    table = (await answer_of(platform, "SlowPhase"))["metrics"]
    by_phase = values_by_group(table, "BUILD_PHASE_DURATION_P95_MS")
    assert by_phase.keys() == {"clone", "install", "build", "optimize", "upload"}
    slow = [start(bucket) >= STORY.slow_phase_since for bucket in table["buckets"]]
    assert 3 < pace(by_phase.pop("install"), slow) < 5
    assert all(0.7 < pace(values, slow) < 1.4 for values in by_phase.values())


async def test_faulty_release_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "FaultyRelease")
    series = answer["functionStats"]["series"]
    during = [point for point in series if start(point) in STORY.faulty_release]
    apart = [point for point in series if start(point) not in STORY.faulty_release]
    assert len(during) == 2
    assert all(0.2 < point["errorRate"] < 0.6 for point in during)
    calls = sum(point["invocations"] for point in apart)
    assert calls > 100
    assert sum(point["errors"] for point in apart) / calls < 0.05
    usual = median(point["durationP50Ms"] for point in apart if point["invocations"])
    assert all(point["durationP50Ms"] > 2.5 * usual for point in during)
    (release,) = answer["deployments"]["nodes"]
    assert release["rolledBackToId"]
    for name, at in (("finishedAt", "start"), ("rolledBackAt", "end")):
        planned = getattr(STORY.faulty_release, at)
        assert abs(moment(release[name]) - planned) < timedelta(seconds=30)


async def test_broken_hour_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "BrokenHour")
    series = answer["apiStats"]["series"]
    (during,) = [point for point in series if start(point) in STORY.broken_hour]
    apart = [point for point in series if start(point) not in STORY.broken_hour]
    assert during["calls"] >= 100
    assert 0.4 < during["serverErrorRate"] < 0.8
    assert sum(point["serverErrors"] for point in apart) <= 8


async def test_new_error_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "NewError")
    during, apart = occurrences(answer["errorStats"]["series"], STORY.faulty_release)
    assert (during, apart) == (NEW_ERRORS, 0)


def occurrences(series: list[dict[str, Any]], period: Period) -> tuple[int, int]:
    """Those within a period, and all others."""
    inside = [point["occurrences"] for point in series if start(point) in period]
    return sum(inside), sum(point["occurrences"] for point in series) - sum(inside)


async def test_template_that_one_network_cannot_run_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "UnfitTemplate")
    stats, tries = answer["errorStats"], UNFIT_PROJECTS * UNFIT_TRIES
    (network,) = answer["template"]["deploymentStats"]["byNetwork"]
    assert (network["name"], network["attempts"], network["failed"]) == ("metis", tries, tries)
    failed = stats["byErrorType"][0]
    assert (failed["name"], failed["occurrences"]) == ("DeploymentFailed", tries)
    assert len(stats["byProject"]) >= 6


async def test_spike_of_an_error_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "Spike")
    during, apart = occurrences(answer["errorStats"]["series"], STORY.broken_hour)
    assert during >= SPIKE
    assert apart <= 20


async def test_causes_name_what_was_planted(platform: Platform) -> None:
    answer = await platform.ask(
        """{
          errors(filter: {projects: ["storefront"], errorTypes: ["TypeError"]}, first: 50) {
            nodes { title suspects { deployments {
              suspicion beganWithRelease pValue compareUrl deployment { status verdict { outcome } }
            } } spread { projects } }
          }
          failureSignatures(range: {last: "P14D"}, first: 50) { title causes { kind name } }
        }""",
        ADMIN,
    )
    (new,) = [each for each in answer["errors"]["nodes"] if "reading 'total'" in each["title"]]
    suspects = new["suspects"]["deployments"]
    assert suspects[0]["suspicion"] == "SUSPECT"
    assert suspects[0]["deployment"] == {"status": "ROLLED_BACK", "verdict": {"outcome": "FAIL"}}
    assert [each["suspicion"] for each in suspects].count("SUSPECT") == 1
    assert new["spread"] is None
    causes = {
        each["title"]: {cause["kind"]: cause["name"] for cause in each["causes"]}
        for each in answer["failureSignatures"]
    }
    (unfit,) = [causes[title] for title in causes if "no manifest for linux/arm64" in title]
    assert unfit["TEMPLATE"] == "uptime-kuma"
    (outage,) = [causes[title] for title in causes if "RPC endpoint of hyperion" in title]
    assert outage == {"NETWORK": "hyperion"}


async def test_error_that_came_back_is_visible(platform: Platform, made: list[Event]) -> None:
    incident = planted(made, NOW)["returned"]
    again = min(time_of(event) for event in occurrences_of(made, incident, incident.period))
    (error,) = (await answer_of(platform, "Returned"))["errors"]["nodes"]
    assert (error["status"], error["regressions"]) == ("OPEN", 1)
    assert moment(error["decidedAt"]) == STORY.resolved_at
    assert (moment(error["regressedAt"]), error["regressedBy"]) == (
        again,
        {"externalId": incident.deployment},
    )
    assert version(error["resolvedIn"]) < version(error["regressedRelease"])
    assert error["suspects"]["change"] == "REGRESSED"
    first = error["suspects"]["deployments"][0]
    assert (first["deployment"], first["suspicion"]) == (error["regressedBy"], "SUSPECT")


def version(release: str) -> list[int]:
    return [int(number) for number in release.rpartition("@")[2].split(".")]


def occurrences_of(events: list[Event], incident: Planted, period: Period) -> list[Event]:
    """The errors of an incident's type in its project within a period."""
    return [
        event
        for event in of_type(events, "error.occurred")
        if event["project"] == incident.project and time_of(event) in period
        if event["payload"]["exception"]["values"][0]["type"] == incident.type
    ]


SPREAD = """{ errors(filter: {projects: ["%s"], errorTypes: ["DeploymentFailed"]}, first: 50) {
  nodes { title spread { projects since networks { name projects } templates { name projects } } }
} }"""


@pytest.mark.parametrize("name", ["outage", "unfit"])
async def test_spread_names_the_network_and_template_and_no_tenant(
    platform: Platform, made: list[Event], name: str
) -> None:
    incident = planted(made, NOW)[name]
    failed = [
        event
        for event in of_type(made, "deployment.failed")
        if event["error"] == incident.message and time_of(event) > NOW - 30 * DAY
    ]
    projects = {event["project"] for event in failed}
    day = min(map(time_of, failed)).replace(hour=0, minute=0, second=0, microsecond=0)
    places = {
        kind: [{"name": value, "projects": len(projects)}] if value else []
        for kind, value in (("networks", incident.network), ("templates", incident.template))
    }
    member = Viewer("member", frozenset({Role.VIEWER}), frozenset({min(projects)}))
    for viewer in (member, ADMIN):
        nodes = (await platform.ask(SPREAD % min(projects), viewer))["errors"]["nodes"]
        (spread,) = [each["spread"] for each in nodes if incident.message in each["title"]]
        assert spread | {"since": moment(spread["since"])} == {
            "projects": len(projects),
            "since": day,
            **places,
        }


async def test_spike_is_found_and_nothing_else_at_that_time(
    platform: Platform, made: list[Event]
) -> None:
    incident, document = (
        planted(made, NOW)["spike"],
        "{ errorSpikes(first: 20) { error { title project { slug } } startedAt occurrences } }",
    )

    async def spikes(at: datetime) -> list[dict[str, Any]]:
        then = Platform(replace(platform.services, clock=lambda: at))
        found: list[dict[str, Any]] = (await then.ask(document, ADMIN))["errorSpikes"]
        return found

    (spike,) = await spikes(incident.period.end + timedelta(hours=2, minutes=30))
    assert spike["error"]["title"].startswith(incident.type)
    assert spike["error"]["project"] == {"slug": incident.project}
    assert moment(spike["startedAt"]) == incident.period.start
    assert spike["occurrences"] == len(occurrences_of(made, incident, incident.period))
    assert await spikes(STORY.resolved_at) == []


async def test_the_log_says_why_an_endpoint_was_broken(platform: Platform) -> None:
    found = (await answer_of(platform, "Reason"))["logLines"]
    assert found["totalCount"] > 100
    assert all(moment(line["occurredAt"]) in STORY.broken_hour for line in found["nodes"])


async def test_leak_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "Leak")
    hosts = {group["name"]: group for group in answer["sampleStats"]["byLabelSet"]}
    quiet, leaking = hosts["host=node-1"], hosts["host=node-2"]
    assert (quiet["maximum"] < 50, leaking["maximum"] > 85) == (True, True)
    assert leaking["last"] > leaking["minimum"] + 35
    before = [point["average"] for point in leaking["series"] if start(point) < STORY.leaking_since]
    assert max(value for value in before if value is not None) < 50


async def test_usage_features_costs_and_plans_are_visible(platform: Platform) -> None:
    """R139, R172: what users do, by plan, and what that costs."""
    answer = await answer_of(platform, "Business")

    def by(name: str, measure: str, *labels: str) -> Counter[str]:
        """The measure of each value of a label, or of several together."""
        found: Counter[str] = Counter()
        for group in answer[name]["byLabelSet"]:
            given = dict(each.split("=") for each in group["name"].split(","))
            found[",".join(given[label] for label in labels)] += group[measure]
        return found

    assert [name for name, _ in by("activity", "sum", "action").most_common()] == list(ACTIONS)
    assert set(by("features", "sum", "feature")) == set(FEATURES)
    for users in (by("activity", "sum", "plan_type"), by("features", "sum", "user_type")):
        assert users["free"] > users["pro"] > users["enterprise"]
    plans = by("plans", "last", "plan_type")
    assert plans["free"] > plans["pro"] > plans["enterprise"] > 0
    assert answer["costs"]["sum"] == pytest.approx(14 * (182.5 + 41.2 + 23.75), rel=0.15)
    for costs, expected in (
        (by("costs", "sum", "resource_type"), RESOURCES),
        (by("costs", "sum", "plan"), COST_SHARES),
    ):
        assert costs.keys() == expected.keys()
        assert max(costs, key=lambda name: costs[name]) == max(expected, key=expected.__getitem__)


async def test_doubted_replies_are_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "DoubtedReplies")
    tasks = {group["name"]: group for group in answer["modelStats"]["byTask"]}
    assert tasks["summary"]["acceptanceRate"] > 0.75
    table = answer["metrics"]
    place = [group["keys"][0]["name"] for group in table["groups"]].index("reply")
    rates = dict(
        zip(map(start, table["buckets"]), table["columns"][0]["values"][place], strict=True)
    )
    assert [rates[STORY.doubted_since + day * DAY] < 0.6 for day in (0, 1)] == [True, True]


async def test_certificate_that_expires_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "ExpiringSoonest")
    soonest, *others = answer["certificates"]["nodes"]
    assert (soonest["domain"], soonest["status"]) == ("docs-site.example.org", "ISSUED")
    assert 4 < soonest["daysToExpiry"] < 6
    assert all(each["daysToExpiry"] > 14 for each in others)
    assert answer["certificates"]["totalCount"] == len(PROJECTS) - 1  # of one it was removed
    stats = answer["certificateStats"]
    assert stats["attempts"] == stats["failed"] >= 9


async def test_unfinished_work_is_visible(platform: Platform) -> None:
    answer = await answer_of(platform, "UnderWay")
    statuses = [node["status"] for node in answer["deployments"]["nodes"]]
    assert statuses.count("IN_PROGRESS") >= 6
    assert statuses.count("QUEUED") >= 4
    assert answer["deploymentStats"]["inProgress"] == statuses.count("IN_PROGRESS")
    builds = answer["buildStats"]
    assert (builds["queued"], builds["inProgress"]) == (2, 3)
    assert len(answer["runningInvocations"]) == 5


def test_every_query_of_the_page_is_tested() -> None:
    tested = set(re.findall(r'answer_of\(platform, "(\w+)"\)', Path(__file__).read_text()))
    assert tested == QUERIES.keys()


async def test_every_project_of_the_cast_is_active(platform: Platform) -> None:
    document = '{ deploymentStats(range: { last: "P60D" }) { activeProjects attempts } }'
    stats = (await platform.ask(document, ADMIN))["deploymentStats"]
    assert stats["activeProjects"] == len(PROJECTS)
    assert 8_000 < stats["attempts"] < 12_000


async def test_database_is_empty_until_it_is_loaded(
    own_database_url: str, demo_url: str, lines: list[str]
) -> None:
    assert await ingest.demo.is_empty(Target(own_database_url, NOW, DEFAULT))
    assert not await ingest.demo.is_empty(Target(demo_url, NOW, DEFAULT))


async def test_interrupted_load_has_what_is_newest(own_database_url: str) -> None:
    def interrupt(_line: str) -> None:
        raise asyncio.CancelledError

    target = Target(own_database_url, NOW, DEFAULT)
    with pytest.raises(asyncio.CancelledError):
        await ingest.demo.load(target, deployments=500, say=interrupt)
    database = await Database.open(own_database_url, pool_size=1)
    async with database.connection() as connection:
        newest = await connection.fetchval("select max(created_at) from deployments")
    await database.close()
    assert newest > NOW - timedelta(minutes=5)
