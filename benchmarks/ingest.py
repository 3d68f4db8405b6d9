"""Measures ingest over HTTP: batches of a thousand events, and single events."""

import asyncio
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import orjson

from benchmarks.asking import Asked, asked
from benchmarks.client import Client, wait_until_ready
from benchmarks.effort import Effort
from benchmarks.measure import memory_mb, percentile
from benchmarks.population import ENVIRONMENTS, drawn_rank, pairs
from benchmarks.schedule import Schedule
from benchmarks.stage import Stage

EVENTS_PER_BATCH = 1_000
BATCH_CONNECTIONS = 4
WARM_UP_SECONDS = 3.0
SINGLE_CONNECTIONS = 16
PACE_PER_SECOND = 300.0
_NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Rate:
    """The result of a load."""

    events: int
    seconds: float
    latencies_ms: list[float]

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    def percentile_ms(self, fraction: float) -> float:
        return percentile(self.latencies_ms, fraction)

    @property
    def median_ms(self) -> float:
        return statistics.median(self.latencies_ms)


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of a load, with the processor time of one event."""

    rate: Rate
    gateway_cpu_us: float
    postgres_cpu_us: float


@dataclass(frozen=True, slots=True)
class Ingest:
    """Full batches, single events at a steady rate and as fast as possible; memory afterwards."""

    full: Measured
    paced: Measured
    single: Measured
    memory_mb: float


async def ingest(stage: Stage, effort: Effort) -> Ingest:
    """Runs all loads, one after another."""
    seconds = effort.ingest_seconds
    with asked(stage) as gateway:
        await wait_until_ready(gateway.port)
        await post(gateway, batches(BATCH_CONNECTIONS), Schedule(WARM_UP_SECONDS, None))
        full = await post(gateway, batches(BATCH_CONNECTIONS), Schedule(seconds, None))
        await asyncio.sleep(1)  # lets Postgres finish what the batches left it to write
        single_events = batches(SINGLE_CONNECTIONS, 1)
        paced = await post(gateway, single_events, Schedule(seconds, PACE_PER_SECOND), 1)
        single = await post(gateway, single_events, Schedule(seconds / 2, None), 1)
        print(f"ingest: {full.rate.per_second:,.0f} events/s", flush=True)
        return Ingest(full, paced, single, memory_mb(gateway.child.pid))


def batches(connections: int, size: int = EVENTS_PER_BATCH) -> list[Iterator[bytes]]:
    """For each connection endless requests with events of deployments."""
    return [_requests(random.Random(seed), size) for seed in range(connections)]


async def post(
    gateway: Asked,
    senders: Sequence[Iterator[bytes]],
    schedule: Schedule,
    size: int = EVENTS_PER_BATCH,
) -> Measured:
    """Posts requests with `size` events from as many connections as there are senders: each when
    it is due, until the end of the schedule or of the requests."""
    before = gateway.usage()
    sent = await asyncio.gather(*(_send(gateway, each, schedule, size) for each in senders))
    latencies = [each for some in sent for each in some]
    rate = Rate(len(latencies) * size, time.perf_counter() - schedule.began, latencies)
    used, each_us = gateway.usage() - before, 1e6 / rate.events
    return Measured(rate, used.gateway * each_us, used.postgres * each_us)


async def _send(
    gateway: Asked, requests: Iterator[bytes], schedule: Schedule, size: int
) -> list[float]:
    client = await Client.connect(gateway.port)
    latencies = []
    for body in requests:
        if (due := await schedule.due()) is None:
            break
        response = await client.post("/v1/events", body, gateway.stage.headers)
        latencies.append(1_000 * (time.perf_counter() - due))
        if response.status != 200 or response.body.count(b'"accepted"') != size:
            raise RuntimeError(f"not accepted: {response.status} {response.body[:300]!r}")
    await client.close()
    return latencies


def _requests(generator: random.Random, size: int) -> Iterator[bytes]:
    while True:
        yield orjson.dumps(_events(generator, size))


def _events(generator: random.Random, size: int) -> list[dict[str, object]]:
    """Endless events of deployments, three each: queued, started, and an end."""
    events: list[dict[str, object]] = []
    now = datetime.now(UTC)
    while len(events) < size:
        created = now - timedelta(seconds=generator.uniform(0, 6 * 3_600))
        events += deployment(generator, drawn_rank(generator), created)
    return events[:size]


def deployment(
    generator: random.Random, project: int, created: datetime
) -> list[dict[str, object]]:
    """The events of one deployment of a project, with one of the project's own combinations."""
    took = timedelta(seconds=generator.lognormvariate(4.8, 0.8))
    ended = "failed" if generator.random() < 0.04 else "succeeded"
    pair = generator.choice(pairs(project))
    common = {
        "project": f"project-{project}",
        "deployment": f"ingested-{next(_NUMBERS)}-{generator.getrandbits(48)}",
        "environment": generator.choice(ENVIRONMENTS),
        "network": pair.network,
        "template": pair.template,
        "framework": pair.framework,
        "actor": "ci",
    }
    moments = (("queued", timedelta()), ("started", timedelta(seconds=5)), (ended, took))
    return [
        {
            **common,
            "id": f"{common['deployment']}-{kind}",
            "type": f"deployment.{kind}",
            "time": (created + after).isoformat(),
        }
        for kind, after in moments
    ]
