"""Ingest through HTTP: batches of a thousand events, then single events from many connections."""

import asyncio
import random
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import orjson

from benchmarks.client import Client
from benchmarks.seed import PROJECTS, TEMPLATES

EVENTS_PER_BATCH = 1_000
_NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Rate:
    """What a load came to."""

    events: int
    seconds: float
    latencies_ms: list[float]

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    def percentile_ms(self, fraction: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]

    @property
    def median_ms(self) -> float:
        return statistics.median(self.latencies_ms)


async def batches(port: int, headers: dict[str, str], seconds: float, connections: int) -> Rate:
    """Senders that post full batches one after another for some seconds."""
    return await _load(port, headers, seconds, connections, EVENTS_PER_BATCH)


async def singles(port: int, headers: dict[str, str], seconds: float, connections: int) -> Rate:
    """Senders that post one event at a time."""
    return await _load(port, headers, seconds, connections, 1)


async def _load(
    port: int, headers: dict[str, str], seconds: float, connections: int, size: int
) -> Rate:
    began = time.perf_counter()
    until = began + seconds
    senders = [_send(port, headers, until, size, seed) for seed in range(connections)]
    latencies = [each for some in await asyncio.gather(*senders) for each in some]
    return Rate(len(latencies) * size, time.perf_counter() - began, latencies)


async def _send(
    port: int, headers: dict[str, str], until: float, size: int, seed: int
) -> list[float]:
    client = await Client.connect(port)
    generator = random.Random(seed)
    latencies = []
    while time.perf_counter() < until:
        body = orjson.dumps(_events(generator, size))
        began = time.perf_counter()
        response = await client.post("/v1/events", body, headers)
        latencies.append(1_000 * (time.perf_counter() - began))
        if response.status != 200 or response.body.count(b'"accepted"') != size:
            raise RuntimeError(f"not accepted: {response.status} {response.body[:300]!r}")
    await client.close()
    return latencies


def _events(generator: random.Random, size: int) -> list[dict[str, object]]:
    """Deployments of three events each: queued, started, and how they ended."""
    events: list[dict[str, object]] = []
    now = datetime.now(UTC)
    while len(events) < size:
        project = 1 + int(generator.random() ** 2 * PROJECTS)
        created = now - timedelta(seconds=generator.uniform(0, 6 * 3_600))
        took = timedelta(seconds=generator.lognormvariate(4.8, 0.8))
        ended = "failed" if generator.random() < 0.04 else "succeeded"
        common = {
            "project": f"project-{project}",
            "deployment": f"ingested-{next(_NUMBERS)}-{generator.getrandbits(48)}",
            "environment": "production",
            "network": "metis",
            "template": f"template-{1 + project % TEMPLATES}",
            "framework": "next",
            "actor": "ci",
        }
        moments = (("queued", timedelta()), ("started", timedelta(seconds=5)), (ended, took))
        for kind, after in moments:
            events.append(
                {
                    **common,
                    "id": f"{common['deployment']}-{kind}",
                    "type": f"deployment.{kind}",
                    "time": (created + after).isoformat(),
                }
            )
    return events[:size]
