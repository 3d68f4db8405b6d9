"""Measures ingest over HTTP: batches of a thousand events, and single events."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, count

import orjson

from benchmarks.client import Client, wait_until_ready
from benchmarks.effort import Effort
from benchmarks.measure import memory_mb, percentile
from benchmarks.processes import gateway
from benchmarks.schedule import Schedule
from benchmarks.seed import ENVIRONMENTS, PROJECT_WEIGHTS, pairs
from benchmarks.stage import Stage

EVENTS_PER_BATCH = 1_000
_NUMBERS = count()


BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 16
PACE_PER_SECOND = 300.0


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
    seconds, headers = effort.ingest_seconds, stage.headers
    with gateway(stage.folder, stage.url, stage.servers.redis.url) as (child, port):
        await wait_until_ready(port)

        async def measured(load: Awaitable[Rate]) -> Measured:
            before = stage.usage(child.pid)
            rate = await load
            used = stage.usage(child.pid) - before
            each_us = 1e6 / rate.events
            return Measured(rate, used.gateway * each_us, used.postgres * each_us)

        await batches(port, headers, 3.0, BATCH_CONNECTIONS)
        full = await measured(batches(port, headers, seconds, BATCH_CONNECTIONS))
        await asyncio.sleep(1)  # lets Postgres finish what the batches left it to write
        paced = await measured(singles(port, headers, seconds, SINGLE_CONNECTIONS, PACE_PER_SECOND))
        single = await measured(singles(port, headers, seconds / 2, SINGLE_CONNECTIONS))
        print(f"ingest: {full.rate.per_second:,.0f} events/s", flush=True)
        return Ingest(full, paced, single, memory_mb(child.pid))


async def batches(port: int, headers: dict[str, str], seconds: float, connections: int) -> Rate:
    """Posts full batches from several connections for some seconds."""
    return await _load(port, headers, Schedule(seconds, None), connections, EVENTS_PER_BATCH)


async def singles(
    port: int,
    headers: dict[str, str],
    seconds: float,
    connections: int,
    per_second: float | None = None,
) -> Rate:
    """Posts single events from several connections: each when it is due, or as fast as possible."""
    return await _load(port, headers, Schedule(seconds, per_second), connections, 1)


async def _load(
    port: int, headers: dict[str, str], schedule: Schedule, connections: int, size: int
) -> Rate:
    senders = [_send(port, headers, schedule, size, seed) for seed in range(connections)]
    latencies = [each for some in await asyncio.gather(*senders) for each in some]
    return Rate(len(latencies) * size, time.perf_counter() - schedule.began, latencies)


async def _send(
    port: int, headers: dict[str, str], schedule: Schedule, size: int, seed: int
) -> list[float]:
    client = await Client.connect(port)
    generator = random.Random(seed)
    latencies = []
    body = orjson.dumps(_events(generator, size))
    while (due := await schedule.due()) is not None:
        response = await client.post("/v1/events", body, headers)
        latencies.append(1_000 * (time.perf_counter() - due))
        if response.status != 200 or response.body.count(b'"accepted"') != size:
            raise RuntimeError(f"not accepted: {response.status} {response.body[:300]!r}")
        body = orjson.dumps(_events(generator, size))
    await client.close()
    return latencies


def _events(generator: random.Random, size: int) -> list[dict[str, object]]:
    """Endless events of deployments, three each: queued, started, and an end."""
    events: list[dict[str, object]] = []
    now = datetime.now(UTC)
    while len(events) < size:
        created = now - timedelta(seconds=generator.uniform(0, 6 * 3_600))
        events += deployment(generator, generator.choices(_RANKS, cum_weights=_UP_TO)[0], created)
    return events[:size]


_RANKS = range(1, len(PROJECT_WEIGHTS) + 1)
_UP_TO = tuple(accumulate(PROJECT_WEIGHTS))


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
