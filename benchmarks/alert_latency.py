"""Measures how long after the acceptance of an event its alert arrives at a webhook."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import orjson

from alerts.rules import LITERAL, MINUTE_SECONDS, EventKind, OnEvent, Operator, Threshold, Watch
from benchmarks.alert_rules import store
from benchmarks.client import Client, wait_until_ready
from benchmarks.measure import Times
from benchmarks.population import PROJECTS
from benchmarks.processes import SECRET, free_port, gateway
from benchmarks.stage import Stage
from gateway.embedded.processes import Child, running

PATIENCE_SECONDS = 60.0
# Between two events, so that they meet ticks at all times.
PAUSE_SECONDS = 0.7
ON_EVENT = OnEvent(EventKind.DEPLOYMENT_FAILED)
WINDOWED = Watch(
    "deployments.finishes_failed", 5 * MINUTE_SECONDS, Threshold(Operator.ABOVE, 0), LITERAL
)
_CHANNELS: dict[str, Watch | OnEvent] = {"event": ON_EVENT, "window": WINDOWED}


@dataclass(frozen=True, slots=True)
class Latency:
    """From the acceptance of an event to the arrival of its alert, by kind of rule."""

    on_event: Times
    windowed: Times


@dataclass(slots=True)
class Receiver:
    """When the first message about each project arrived at each path, and about each rule."""

    arrived: dict[tuple[str, str], float] = field(default_factory=dict)
    rules: dict[str, float] = field(default_factory=dict)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().splitlines()
        headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
        message = orjson.loads(await reader.readexactly(int(headers["content-length"])))
        channel = first.split()[1].strip("/")
        for alert in message["alerts"]:
            self.arrived.setdefault((channel, alert["project"]), time.perf_counter())
            self.rules.setdefault(alert["rule"], time.perf_counter())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def times(self, channel: str, accepted: Mapping[str, float]) -> Times:
        """How long each took, once all have arrived."""
        keys = {(channel, project): at for project, at in accepted.items()}
        await until(lambda: keys.keys() <= self.arrived.keys())
        return Times([1_000 * (self.arrived[key] - at) for key, at in keys.items()])


async def alert_latency(stage: Stage, rounds: int) -> Latency:
    """Lets a deployment fail in one project after another, with all rules loaded.

    They are the last projects, which have few events of their own.
    """
    projects = range(PROJECTS - rounds + 1, PROJECTS + 1)
    async with receiving() as (receiver, hook_port):
        await _prepare(stage, projects, hook_port)
        redis_url = stage.servers.redis.url
        with (
            gateway(stage.folder, stage.url, redis_url) as (_, port),
            running(worker(stage, hook_port)),
        ):
            await wait_until_ready(port)
            client = await Client.connect(port)
            await _followed(stage.url)
            accepted = {}
            for project in projects:
                accepted[f"project-{project}"] = await _fail(client, stage, project)
                await asyncio.sleep(PAUSE_SECONDS)
            await client.close()
            on_event, windowed = [await receiver.times(channel, accepted) for channel in _CHANNELS]
    print(f"alerts: told after {on_event.median_ms:.0f} ms, {windowed.median_ms:.0f} ms")
    return Latency(on_event, windowed)


async def until(holds: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.1)


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiver, int]]:
    """A receiver at a port of this machine, for the time of the block."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    try:
        yield receiver, server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _prepare(stage: Stage, projects: range, hook_port: int) -> None:
    connection = await asyncpg.connect(stage.url)
    for channel in _CHANNELS:
        settings = orjson.dumps({"url": f"http://127.0.0.1:{hook_port}/{channel}"}).decode()
        await connection.execute(_CHANNEL, uuid4(), channel, settings)
    await connection.close()
    rules = [
        (project, f"told by {channel}", trigger, (channel,))
        for project in projects
        for channel, trigger in _CHANNELS.items()
    ]
    await store(stage.url, rules)


def worker(stage: Stage, *local_ports: int) -> Child:
    """A worker that may send to these ports of this machine."""
    environment = {
        "GATEWAY_ENV": "production",
        "JWT_SECRET": SECRET,
        "DATABASE_URL": stage.url,
        "REDIS_URL": stage.servers.redis.url,
        "ALERT_LOCAL_HOSTS": ",".join(f"127.0.0.1:{port}" for port in local_ports),
        "PORT": str(free_port()),
    }
    command = [sys.executable, "-m", "gateway", "worker"]
    log = stage.folder / "logs" / f"worker-{local_ports[0]}.log"
    return Child("worker", command, log, environment=environment)


async def _followed(url: str) -> None:
    """Waits until the worker follows the feed and has evaluated all rules once."""
    connection = await asyncpg.connect(url)
    followed = 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while followed < 2:
            await asyncio.sleep(0.2)
            followed = await connection.fetchval(_FOLLOWED)
    await connection.close()


async def _fail(client: Client, stage: Stage, project: int) -> float:
    """Sends a deployment that failed just now; returns when that was acknowledged."""
    event = {
        "type": "deployment.failed",
        "time": datetime.now(UTC).isoformat(),
        "project": f"project-{project}",
        "deployment": str(uuid4()),
    }
    answer = await client.post("/v1/events", orjson.dumps([event]), stage.headers)
    assert answer.status == 200, answer.body
    return time.perf_counter()


_CHANNEL = """
insert into alert_channels values ($1, null, $2, 'webhook', true, $3,
  '{"secret": "a secret of some length"}', 100000, now(), 'benchmark', now(), 'benchmark')
"""

_FOLLOWED = """
select count(*) from alert_ticks where name = 'watch' or position ? 'deployment'
"""
