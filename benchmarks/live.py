"""Measures a thousand WebSocket subscribers to one project: memory, statements, time, delay."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson

from benchmarks.client import Client, wait_until_ready
from benchmarks.effort import Effort
from benchmarks.measure import memory_mb
from benchmarks.metrics import counters
from benchmarks.processes import gateway, token
from benchmarks.stage import Stage

VIEWERS = 20
CONNECTIONS_EACH = 50
PROJECT = "project-1"
# Changes closer together would be sent as one, which is not what is measured here.
PAUSE_SECONDS = 0.3

_FIGURES = """
subscription Figures($range: TimeRange) {
  deploymentStatsChanged(filter: {projects: ["project-1"]}, range: $range) {
    attempts succeeded failed successRate averageDurationMs
  }
}"""
# Answers so large, and so often told to the same connection, that the gateway feels who does not
# read them: the kernel takes in three megabytes by itself.
LARGE_TIMES = 10
_LARGE = """
subscription Large($range: TimeRange) {
  deploymentStatsChanged(filter: {projects: ["project-1"]}, range: $range) {
    attempts series(interval: HOUR) { start attempts succeeded failed cancelled successRate }
  }
}"""


@dataclass(frozen=True, slots=True)
class Told:
    """Seconds from sending each event until the median and the last follower received it."""

    median_seconds: list[float]
    last_seconds: list[float]


@dataclass(frozen=True, slots=True)
class Live:
    """The delays of all followers alone, and beside one who has stopped reading."""

    followers: int
    memory_mb: float
    statements_per_change: float
    gateway_cpu_ms: float
    postgres_cpu_ms: float
    alone: Told
    beside_paused: Told


async def live(stage: Stage, effort: Effort) -> Live:
    """Sends the changes to a second gateway, so that the first one only serves the followers."""
    redis_url = stage.servers.redis.url
    with (
        gateway(stage.folder, stage.url, redis_url, CONNECTIONS_PER_ADDRESS="0") as (child, port),
        gateway(stage.folder, stage.url, redis_url) as (_, taking_in),
    ):
        await wait_until_ready(port)
        await wait_until_ready(taking_in)
        client = await Client.connect(taking_in)
        tokens = [token(f"viewer-{number}") for number in range(VIEWERS)] * CONNECTIONS_EACH
        async with _followers(_job(stage, port, tokens[:1], _FIGURES)):
            before_mb = memory_mb(child.pid)
        async with _followers(_job(stage, port, tokens, _FIGURES)) as followers:
            changes = _Changes(stage, client, followers)
            await changes.tell(2)
            before = stage.usage(child.pid), await _statements(port)
            alone = await changes.tell(effort.changes)
            used, after = stage.usage(child.pid) - before[0], await _statements(port)
            grown_mb = memory_mb(child.pid) - before_mb
            async with _followers(_job(stage, port, tokens[:1], _LARGE, paused=True)):
                beside = await changes.tell(effort.changes)
        await client.close()
    print(f"live: told within {max(alone.last_seconds):.2f} s", flush=True)
    each_ms = 1_000 / effort.changes
    statements = (after - before[1]) / effort.changes
    return Live(
        len(tokens),
        grown_mb,
        statements,
        used.gateway * each_ms,
        used.postgres * each_ms,
        alone,
        beside,
    )


def _job(
    stage: Stage, port: int, tokens: list[str], document: str, *, paused: bool = False
) -> dict[str, Any]:
    ends = {"start": stage.start.isoformat(), "end": (stage.end + timedelta(days=1)).isoformat()}
    subscription = {"query": document, "variables": {"range": {"between": ends}}}
    return {
        "port": port,
        "tokens": tokens,
        "subscription": subscription,
        "times": LARGE_TIMES if paused else 1,
        "paused": paused,
    }


class _Followers:
    """The process of the followers, and the last figure they received."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.attempts = 0

    async def ask(self, line: bytes) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        return await self.hear()

    async def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(120):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the followers' process has ended; its messages are above")
        told: dict[str, Any] = orjson.loads(line)
        return told


@asynccontextmanager
async def _followers(job: dict[str, Any]) -> AsyncIterator[_Followers]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.followers",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        followers = _Followers(process)
        followers.attempts = (await followers.ask(orjson.dumps(job)))["attempts"]
        yield followers
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class _Changes:
    """Changes to the project, one at a time: the next one after all followers received the last."""

    def __init__(self, stage: Stage, client: Client, followers: _Followers) -> None:
        self._stage, self._client, self._followers = stage, client, followers
        self._attempts = followers.attempts

    async def tell(self, changes: int) -> Told:
        told = [await self._tell_one() for _ in range(changes)]
        return Told([median for median, _ in told], [last for _, last in told])

    async def _tell_one(self) -> tuple[float, float]:
        await asyncio.sleep(PAUSE_SECONDS)
        self._attempts += 1
        await self._followers.ask(str(self._attempts).encode())
        sent = time.perf_counter()
        answer = await self._client.post("/v1/events", _event(), self._stage.headers)
        if b'"accepted"' not in answer.body:
            raise RuntimeError(f"not accepted: {answer.status} {answer.body[:300]!r}")
        told = await self._followers.hear()
        return told["median"] - sent, told["last"] - sent


def _event() -> bytes:
    """The event that starts a new deployment."""
    number = uuid4().hex
    return orjson.dumps(
        {
            "type": "deployment.started",
            "project": PROJECT,
            "deployment": f"live-{number}",
            "environment": "production",
            "network": "metis",
            "id": number,
            "time": datetime.now(UTC).isoformat(),
        }
    )


async def _statements(port: int) -> float:
    """How many SQL statements the gateway has run, by its own metrics."""
    return (await counters(port)).sum("gateway_sql_statement_seconds_count")
