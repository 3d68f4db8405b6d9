"""A seeded database, and what it takes to ask it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from benchmarks.measure import Usage, cpu_seconds, family_cpu_seconds
from benchmarks.processes import Servers, token
from benchmarks.seed import seed
from gateway import migrations

RANGE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Stage:
    """A database, the range that questions are about, and an administrator's headers."""

    servers: Servers
    folder: Path
    url: str
    start: datetime
    end: datetime
    headers: dict[str, str]

    def usage(self, gateway_pid: int) -> Usage:
        """Processor time so far."""
        return Usage(
            cpu_seconds(gateway_pid),
            family_cpu_seconds(self.servers.postgres.pid),
            family_cpu_seconds(self.servers.redis.pid),
        )


async def build(
    servers: Servers, folder: Path, name: str, deployments: int, now: datetime
) -> Stage:
    server = await asyncpg.connect(servers.postgres.url("postgres"))
    await server.execute(f"create database {name}")
    await server.close()
    url = servers.postgres.url(name)
    await asyncio.to_thread(migrations.upgrade, url)
    print(f"seeding {deployments:,} deployments ...", flush=True)
    seconds = await seed(url, deployments, now)
    print(f"seeded in {seconds:.0f} s", flush=True)
    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    headers = {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"}
    return Stage(servers, folder, url, end - timedelta(days=RANGE_DAYS), end, headers)
