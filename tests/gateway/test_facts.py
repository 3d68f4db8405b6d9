"""Builds, invocations and API calls, from their events over HTTP to their records and figures."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.gateway.test_flow import Gateway, ago, started

HOURS = 6
PHASES = ["clone", "install", "build", "optimize", "upload"]


@pytest.fixture
async def gateway(database_url: str, redis_url: str) -> AsyncIterator[Gateway]:
    async with started(database_url, redis_url) as gateway:
        yield gateway


async def send(gateway: Gateway, events: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(events), 1_000):
        batch = [{"project": gateway.project, **event} for event in events[start : start + 1_000]]
        answer = await gateway.client.post("/v1/events", json=batch)
        statuses = {result["status"] for result in answer.json()["results"]}
        assert statuses == {"accepted"}, answer.text[:500]


INVOCATION = """query($p: [String!]!) {
  runningInvocations(filter: {projects: $p}) { externalId startedAt function { name running } }
  functionStats(filter: {projects: $p}) { invocations errors }
  functionInvocations(filter: {projects: $p}) { nodes {
    externalId function { name } status startedAt occurredAt durationMs error } }
}"""
RECORD = """mutation($input: InvocationEventInput!) {
  recordInvocation(input: $input) { result { status } userErrors { message } } }"""


async def test_start_and_end_of_an_invocation_become_one(gateway: Gateway) -> None:
    """R22."""
    now = datetime.now(UTC).replace(microsecond=0)
    told = {"project": gateway.project, "function": "resize", "invocation": "i-1"}
    start = now - timedelta(seconds=30)
    for _ in range(2):  # a repeated start is one start
        given = {**told, "type": "STARTED", "time": start.isoformat()}
        payload = await gateway.ask(RECORD, input=given)
        assert payload["recordInvocation"]["userErrors"] == []
    found = await gateway.ask(INVOCATION)
    at = "%Y-%m-%dT%H:%M:%SZ"
    assert found == {
        "runningInvocations": [
            {
                "externalId": "i-1",
                "startedAt": start.strftime(at),
                "function": {"name": "resize", "running": 1},
            }
        ],
        "functionStats": {"invocations": 0, "errors": 0},
        "functionInvocations": {"nodes": []},
    }
    end = {"status": "error", "durationMs": 30_000, "error": "out of memory"}
    await send(gateway, [{**told, "type": "function.completed", "time": now.isoformat(), **end}])
    assert await gateway.ask(INVOCATION) == {
        "runningInvocations": [],
        "functionStats": {"invocations": 1, "errors": 1},
        "functionInvocations": {
            "nodes": [
                {
                    "externalId": "i-1",
                    "function": {"name": "resize"},
                    "status": "FAILED",
                    "startedAt": start.strftime(at),
                    "occurredAt": now.strftime(at),
                    "durationMs": 30_000,
                    "error": "out of memory",
                }
            ]
        },
    }


BUILD = """query($p: [String!]!) { builds(filter: {projects: $p}) { nodes {
  externalId status createdAt startedAt finishedAt updatedAt durationMs framework
  assetCount totalBytes cpuMs memoryBytes deployment { externalId } phases { name status } } } }"""


async def test_a_build_shows_its_phases_and_what_it_used(gateway: Gateway) -> None:
    """R23, R26, R36: in the words of the sources, the phases in any order."""
    start = ago(hours=1).replace(microsecond=0)
    await gateway.send("d-1", "started", start)
    build = {"build_id": "b-1", "deployment_id": "d-1", "framework": "next"}
    times = [(start + timedelta(seconds=20 * number)).isoformat() for number in range(6)]
    phases = [
        {"type": "build.phase", "build_id": "b-1", "phase": name, "startedAt": begun, "time": ended}
        for name, begun, ended in zip(PHASES, times, times[1:], strict=False)
    ]
    used = {"asset_count": 42, "total_size_bytes": 5_000_000_000}
    used |= {"cpu_ms": 61_000, "memory_bytes": 3_000_000_000}
    ended = {"type": "build.completed", "status": "success", "time": times[-1], **used}
    await send(
        gateway,
        [*reversed(phases), {**build, "type": "build.started", "time": times[0]}, build | ended],
    )
    (found,) = (await gateway.ask(BUILD))["builds"]["nodes"]
    at = "%Y-%m-%dT%H:%M:%SZ"
    assert found == {
        "externalId": "b-1",
        "status": "SUCCEEDED",
        "createdAt": start.strftime(at),
        "startedAt": start.strftime(at),
        "finishedAt": (start + timedelta(seconds=100)).strftime(at),
        "updatedAt": (start + timedelta(seconds=100)).strftime(at),
        "durationMs": 100_000,
        "framework": "next",
        "assetCount": 42,
        "totalBytes": 5_000_000_000,
        "cpuMs": 61_000,
        "memoryBytes": 3_000_000_000,
        "deployment": {"externalId": "d-1"},
        "phases": [{"name": name, "status": "SUCCEEDED"} for name in PHASES],
    }


DEPLOYMENT = """query($p: [String!]!) { deployments(filter: {projects: $p}) { nodes {
  deploymentId externalId status createdAt startedAt finishedAt updatedAt durationMs } } }"""


async def test_a_deployment_shows_its_record(gateway: Gateway) -> None:
    """R34."""
    start = ago(hours=2).replace(microsecond=0)
    id = await gateway.send("d-1", "started", start)
    await gateway.send("d-1", "success", start + timedelta(minutes=5), duration_ms=250_000)
    await gateway.send("d-1", "rolled_back", start + timedelta(minutes=30))
    at = "%Y-%m-%dT%H:%M:%SZ"
    assert (await gateway.ask(DEPLOYMENT))["deployments"]["nodes"] == [
        {
            "deploymentId": id,
            "externalId": "d-1",
            "status": "ROLLED_BACK",
            "createdAt": start.strftime(at),
            "startedAt": start.strftime(at),
            "finishedAt": (start + timedelta(minutes=5)).strftime(at),
            "updatedAt": (start + timedelta(minutes=30)).strftime(at),
            "durationMs": 250_000,
        }
    ]


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of functions within whole hours, more than percentiles are computed of exactly."""

    end: datetime
    rows: list[tuple[str, datetime, float, bool]] = field(default_factory=list)

    @classmethod
    def made_up(cls, chance: random.Random, number: int) -> Runs:
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        runs = cls(end)
        for _ in range(number):
            name = chance.choice(["resize", "resize", "send", "sum"])
            at = end - timedelta(seconds=chance.uniform(1, HOURS * 3600))
            duration_ms = round(chance.lognormvariate(4 if name == "send" else 6, 0.9), 3)
            runs.rows.append((name, at, duration_ms, chance.random() < 0.1))
        return runs

    def of(self, name: str) -> Runs:
        return Runs(self.end, [row for row in self.rows if row[0] == name])

    def events(self) -> list[dict[str, Any]]:
        return [
            {
                "type": "function.completed",
                "function": name,
                "time": at.isoformat(),
                "durationMs": duration_ms,
                "status": "error" if failed else "success",
            }
            for name, at, duration_ms, failed in self.rows
        ]

    def percentile(self, percent: int) -> float:
        """By nearest rank, as numpy's method `inverted_cdf`."""
        durations = sorted(row[2] for row in self.rows)
        return durations[-(-len(durations) * percent // 100) - 1]

    def check(self, figures: dict[str, Any], bound: float) -> None:
        number, failed = len(self.rows), sum(row[3] for row in self.rows)
        assert (figures["invocations"], figures["errors"]) == (number, failed)
        assert figures["errorRate"] == pytest.approx(failed / number)
        assert figures["invocationsPerHour"] == pytest.approx(number / HOURS)
        average = sum(row[2] for row in self.rows) / number
        assert figures["averageDurationMs"] == pytest.approx(average)
        for percent in (50, 95, 99):
            expected = pytest.approx(self.percentile(percent), rel=bound)
            assert figures[f"durationP{percent}Ms"] == expected


FIGURES = """query($p: [String!]!, $range: TimeRange) {
  measures(fact: FUNCTION) { measure errorBound }
  functionStats(filter: {projects: $p}, range: $range) {
    ...Measured byFunction { name ...Measured } freshness { source } }
  functions(filter: {projects: $p}) { nodes {
    id name project { slug } firstCalledAt lastCalledAt functionStats(range: $range) { ...Measured }
  } }
}
fragment Measured on FunctionFigures {
  invocations errors errorRate invocationsPerHour averageDurationMs
  durationP50Ms durationP95Ms durationP99Ms }"""


async def test_figures_of_functions_agree_with_all_their_durations(gateway: Gateway) -> None:
    """R35, R99, E5: the same in total, by function, and as a function's record."""
    runs = Runs.made_up(random.Random(99), 4_000)
    await send(gateway, runs.events())
    start = runs.end - timedelta(hours=HOURS)
    span = {"between": {"start": start.isoformat(), "end": runs.end.isoformat()}}
    found = await gateway.ask(FIGURES, range=span)
    bounds = {each["measure"]: each["errorBound"] for each in found["measures"]}
    bound = bounds["FUNCTION_DURATION_P95_MS"]
    assert 0 < bound < 0.1
    assert found["functionStats"]["freshness"]["source"] == "ROLLUP"
    runs.check(found["functionStats"], bound)
    groups = {group["name"]: group for group in found["functionStats"]["byFunction"]}
    functions = {node["name"]: node for node in found["functions"]["nodes"]}
    assert groups.keys() == functions.keys() == {"resize", "send", "sum"}
    for name, node in functions.items():
        of_name = runs.of(name)
        of_name.check(groups[name], bound)
        of_name.check(node["functionStats"], bound)
        times = sorted(at for _, at, _, _ in of_name.rows)
        seen = [datetime.fromisoformat(node[each]) for each in ("firstCalledAt", "lastCalledAt")]
        assert seen == [times[0], times[-1]]
        assert node["project"] == {"slug": gateway.project}


BUILDS = """query($p: [String!]!, $range: TimeRange) {
  buildStats(filter: {projects: $p}, range: $range) {
    attempts succeeded failed successRate averageDurationMs byFramework { name attempts share } }
}"""


def outcomes(chance: random.Random, number: int) -> Iterable[tuple[str, str, int]]:
    for _ in range(number):
        outcome = chance.choices(["succeeded", "failed", "cancelled"], [8, 3, 1])[0]
        yield chance.choice(["next", "astro", "vite"]), outcome, chance.randint(1_000, 900_000)


@pytest.mark.parametrize("seed", range(3))
async def test_figures_of_builds_agree_with_all_of_them(gateway: Gateway, seed: int) -> None:
    """R100."""
    chance = random.Random(seed)
    builds = list(outcomes(chance, 60))
    at = ago(hours=3).isoformat()
    await send(
        gateway,
        [
            {
                "type": f"build.{outcome}",
                "build": f"b-{number}",
                "framework": framework,
                "durationMs": duration_ms,
                "time": at,
            }
            for number, (framework, outcome, duration_ms) in enumerate(builds)
        ],
    )
    found = (await gateway.ask(BUILDS, range={"last": "PT12H"}))["buildStats"]
    succeeded, failed = (
        sum(outcome == each for _, outcome, _ in builds) for each in ("succeeded", "failed")
    )
    finished = len(builds)
    assert (found["attempts"], found["succeeded"], found["failed"]) == (60, succeeded, failed)
    assert found["successRate"] == pytest.approx(succeeded / finished)
    average = sum(duration for _, _, duration in builds) / finished
    assert found["averageDurationMs"] == pytest.approx(average)
    shares = {group["name"]: group["share"] for group in found["byFramework"]}
    for name, share in shares.items():
        assert share == pytest.approx(sum(each == name for each, _, _ in builds) / finished)
    assert sum(shares.values()) == pytest.approx(1)


TABLE = """query($measures: [Measure!]!, $p: [String!]!, $range: TimeRange, $interval: Interval) {
  metrics(
    measures: $measures, filter: {projects: $p}, range: $range, interval: $interval
  ) { columns { values } } }"""


@pytest.mark.parametrize(
    ("measures", "range", "interval", "last"),
    [
        (["DEPLOYMENT_SUCCESS_RATE"], {"calendar": {"unit": "DAY", "count": 3}}, "DAY", 0.5),
        (["FUNCTION_INVOCATIONS"], {"calendar": {"unit": "WEEK", "count": 2}}, "WEEK", 1),
        (["BUILD_ATTEMPTS"], {"calendar": {"unit": "MONTH", "count": 2}}, "MONTH", 1),
    ],
)
async def test_figures_are_told_by_day_week_and_month(
    gateway: Gateway, measures: list[str], range: dict[str, Any], interval: str, last: float
) -> None:
    """R29, R105."""
    now = datetime.now(UTC)
    await gateway.send("d-1", "success", now)
    await gateway.send("d-2", "failure", now)
    sent = [{"type": "function.completed", "function": "f"}, {"type": "build.failed", "build": "b"}]
    await send(gateway, [{**event, "time": now.isoformat()} for event in sent])
    table = (await gateway.ask(TABLE, measures=measures, range=range, interval=interval))["metrics"]
    ((values,),) = (column["values"] for column in table["columns"])
    assert values[-1] == last
    assert sum(values) == last
