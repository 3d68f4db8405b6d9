"""Measures a flood: thousands of alerts that fire at once, each channel being told of some.

One receiver takes requests and never answers; the others must not wait for it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import orjson

from alerts.evidence import EVIDENCE, Evidence, Subject
from alerts.rules import EventKind, OnEvent
from alerts.states import Outcome
from benchmarks.alert_latency import receiving, until, worker
from benchmarks.alert_rules import store
from benchmarks.measure import Times, memory_mb
from benchmarks.stage import Stage
from gateway.embedded.processes import running

CHANNELS, RULES_EACH = 200, 25
PATIENCE_SECONDS = 600.0
# Nothing happens while it is measured, so the worker itself makes nothing of these rules.
_TRIGGER = OnEvent(EventKind.DEPLOYMENT_FAILED)


@dataclass(frozen=True, slots=True)
class Flood:
    """How long after their commit the alerts arrived at all channels but the dead one."""

    times: Times
    memory_mb: float  # of the worker at most

    @property
    def per_second(self) -> float:
        """Messages within a second, until the last one."""
        return len(self.times.milliseconds) / (max(self.times.milliseconds) / 1_000)


async def alert_flood(stage: Stage) -> Flood:
    """Lets 25 rules of each of 200 projects fire in one transaction, and waits for all messages."""
    rules = [
        (project, f"flood {project}/{number}", _TRIGGER, (f"flood {project}",))
        for project in range(1, CHANNELS + 1)
        for number in range(RULES_EACH)
    ]
    wanted = {name for project, name, *_ in rules if project != 1}
    await store(stage.url, rules)
    async with receiving() as (receiver, port), _dead() as dead_port:
        await _add_channels(stage.url, port, dead_port)
        with running(worker(stage, port, dead_port)) as child:
            await asyncio.sleep(5)  # it has started
            committed = await _fire(stage.url)
            await until(lambda: wanted <= receiver.rules.keys(), PATIENCE_SECONDS)
            most_mb = memory_mb(child.pid, "VmHWM:")
    times = Times([1_000 * (receiver.rules[name] - committed) for name in wanted])
    print(f"alerts: a flood took {max(times.milliseconds) / 1_000:.1f} s", flush=True)
    return Flood(times, most_mb)


@asynccontextmanager
async def _dead() -> AsyncIterator[int]:
    """The port of a server that reads and never answers."""

    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _add_channels(url: str, port: int, dead_port: int) -> None:
    """One for each project; that of the first is dead."""
    connection = await asyncpg.connect(url)
    for project in range(1, CHANNELS + 1):
        address = f"http://127.0.0.1:{dead_port if project == 1 else port}/flood"
        settings = orjson.dumps({"url": address}).decode()
        await connection.execute(_CHANNEL, uuid4(), f"flood {project}", settings)
    await connection.close()


async def _fire(url: str) -> float:
    """Lets all rules fire; returns when that was committed."""
    now = datetime.now(UTC)
    subject = Subject("Deployment", str(uuid4()), "A deployment that failed")
    evidence = Evidence(now, Outcome.BREACH, subject=subject)
    connection = await asyncpg.connect(url)
    await connection.execute(_FIRE, now, EVIDENCE.dump_json(evidence).decode())
    await connection.close()
    return time.perf_counter()


_CHANNEL = """
insert into alert_channels values ($1, null, $2, 'webhook', true, $3,
  '{"secret": "a secret of some length"}', 1000, now(), 'benchmark', now(), 'benchmark')
"""

_FIRE = """
with fired as (
  insert into alert_events (event_id, rule_id, instance, project_id, episode_id, transition, at,
    revision, severity, labels, evidence)
  select gen_random_uuid(), rule_id, '', project_id, gen_random_uuid(), 'firing', $1, 1, 'warning',
    '{}', $2::jsonb
  from alert_rules where name like 'flood %'
  returning *),
instances as (
  insert into alert_instances (rule_id, instance, project_id, labels, phase, since, clear_since,
    health, firings, flapping, episode_id, evidence)
  select rule_id, instance, project_id, labels, 2, at, at, 0, '[]', false, episode_id, evidence
  from fired)
insert into alert_outbox (event_id, queued_at) select event_id, at from fired
"""
