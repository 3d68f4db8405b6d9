"""Measures function invocations: figures and a list beside their SQL, intake, disk and memory."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

import asyncpg
import orjson

from benchmarks.asking import CACHES_OFF, Speed, asked
from benchmarks.client import wait_until_ready
from benchmarks.effort import Effort
from benchmarks.floor import floor
from benchmarks.ingest import (
    BATCH_CONNECTIONS,
    EVENTS_PER_BATCH,
    WARM_UP_SECONDS,
    Measured,
    post,
)
from benchmarks.measure import memory_mb
from benchmarks.misses import Beside, beside_floor
from benchmarks.population import ENVIRONMENTS, PROJECT_SLUGS, drawn_rank, places
from benchmarks.questions import Draws, Question, Variables
from benchmarks.schedule import Schedule
from benchmarks.stage import RANGE_DAYS, Stage

# More than are taken in while it is measured, so that the events can be made before.
PREPARED_PER_SECOND = 25_000

_STATS = """
query Functions($filter: FunctionFilter, $range: TimeRange) {
  functionStats(filter: $filter, range: $range) {
    invocations errors errorRate coldStartRate averageDurationMs durationP95Ms
    freshness { asOf source complete }
  }
}"""

_BY_FUNCTION = """
query ByFunction($filter: FunctionFilter, $range: TimeRange) {
  functionStats(filter: $filter, range: $range) {
    invocations
    byFunction(first: 10) { name invocations errorRate durationP95Ms }
  }
}"""

_NEWEST = """
query Newest($filter: FunctionFilter, $range: TimeRange) {
  functionInvocations(filter: $filter, range: $range, first: 50) {
    edges {
      node {
        id occurredAt status durationMs coldStart memoryBytes error runtime region
        project { id slug name }
        function { id name }
        environment { id name }
      }
    }
  }
}"""


def _of_project(draws: Draws) -> Variables:
    return {"filter": {"projects": [draws.project()]}, "range": draws.range(RANGE_DAYS)}


def _of_function(draws: Draws) -> Variables:
    project = draws.project()
    place = draws.pick(*places(PROJECT_SLUGS.index(project) + 1))
    names = {"projects": [project], "functions": [place.function]}
    return {"filter": names, "range": draws.open_range()}


QUESTIONS = (
    Question("figures of a project over 30 days", _STATS, _of_project),
    Question("the same by function, the first ten", _BY_FUNCTION, _of_project),
    Question("the 50 newest of one function", _NEWEST, _of_function),
)


@dataclass(frozen=True, slots=True)
class Read:
    """The times of a question with caches off beside its SQL, and its speed under load."""

    question: Question
    floor: Beside
    load: Speed

    @property
    def goal_ms(self) -> float:
        return self.question.goal.milliseconds(self.floor.other.median_ms)


@dataclass(frozen=True, slots=True)
class Invocations:
    """The figures of questions, of intake, of an event on disk, and of the gateway's memory."""

    read: list[Read]
    intake: Measured
    event_bytes: float
    memory_mb: float


async def invocations(stage: Stage, effort: Effort) -> Invocations:
    """Measures the questions on what was seeded, then takes in events for some seconds."""
    read = await _read(stage, effort)
    prepared = _prepared(datetime.now(UTC), WARM_UP_SECONDS + effort.ingest_seconds)
    senders = [prepared] * BATCH_CONNECTIONS
    before_bytes = await _stored_bytes(stage)
    with asked(stage) as gateway:
        await wait_until_ready(gateway.port)
        warm_up = await post(gateway, senders, Schedule(WARM_UP_SECONDS, None))
        intake = await post(gateway, senders, Schedule(effort.ingest_seconds, None))
        taken_mb = memory_mb(gateway.child.pid)
    grown_bytes = await _stored_bytes(stage) - before_bytes
    event_bytes = grown_bytes / (warm_up.rate.events + intake.rate.events)
    print(f"invocations: {intake.rate.per_second:,.0f} events/s", flush=True)
    return Invocations(read, intake, event_bytes, taken_mb)


async def _read(stage: Stage, effort: Effort) -> list[Read]:
    results = []
    with asked(stage, **CACHES_OFF) as gateway:
        asker = await gateway.connect()
        async with floor(stage.url) as sql:
            for question in QUESTIONS:
                beside = await beside_floor(question, asker, sql, effort.rounds)
                load = await gateway.load_question(question, effort.load_seconds)
                results.append(Read(question, beside, load))
                print(f"invocations: {question.name}: {beside.own.median_ms:.2f} ms", flush=True)
        await asker.close()
    return results


async def _stored_bytes(stage: Stage) -> int:
    """The size of all invocations with their indexes."""
    connection = await asyncpg.connect(stage.url)
    size: int = await connection.fetchval(
        "select sum(pg_total_relation_size(inhrelid))::bigint from pg_inherits"
        " where inhparent = 'invocations'::regclass"
    )
    await connection.close()
    return size


def _prepared(now: datetime, seconds: float) -> Iterator[bytes]:
    """Full batches of invocations that completed one after another until now. They are made
    before, so that making them takes no processor time from what is measured."""
    generator = random.Random(1)
    events = int(PREPARED_PER_SECOND * seconds) // EVENTS_PER_BATCH * EVENTS_PER_BATCH
    step = timedelta(seconds=1) / PREPARED_PER_SECOND
    times = (now - number * step for number in range(events, 0, -1))
    return iter(
        [
            orjson.dumps([_completed(generator, at) for at in islice(times, EVENTS_PER_BATCH)])
            for _ in range(events // EVENTS_PER_BATCH)
        ]
    )


def _completed(generator: random.Random, at: datetime) -> dict[str, object]:
    """The event of an invocation: 2 % fail, 5 % are cold starts."""
    rank = drawn_rank(generator)
    used = places(rank)
    place = used[int(generator.random() ** 2 * len(used))]
    event: dict[str, object] = {
        "type": "function.completed",
        "time": at.isoformat(),
        "project": PROJECT_SLUGS[rank - 1],
        "environment": generator.choice(ENVIRONMENTS),
        "function": place.function,
        "runtime": place.runtime,
        "region": place.region,
        "invocation": str(UUID(int=generator.getrandbits(128), version=4)),
        "durationMs": round(generator.lognormvariate(4.1, 1.0), 3),
        "memoryBytes": 134_217_728,
    }
    if generator.random() < 0.02:
        event |= {"status": "error", "error": "Error: timed out"}
    if generator.random() < 0.05:
        event |= {"coldStart": True, "initMs": 250}
    return event
