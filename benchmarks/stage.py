"""A seeded database, and the time range and headers of questions to it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from benchmarks.measure import Usage, cpu_seconds, family_cpu_seconds
from benchmarks.population import DAYS
from benchmarks.processes import Servers, token
from benchmarks.seed import seed
from gateway.config import migrations
from storage.facts import FACTS

RANGE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Stage:
    """A database, the time up to which it is filled, and an administrator's headers.

    `start` and `end` are the whole days before that moment that subscribers ask for.
    """

    servers: Servers
    folder: Path
    url: str
    now: datetime
    start: datetime
    end: datetime
    headers: dict[str, str]

    def usage(self, gateway_pid: int) -> Usage:
        """The processor time used so far."""
        return Usage(
            cpu_seconds(gateway_pid),
            family_cpu_seconds(self.servers.postgres.pid),
            family_cpu_seconds(self.servers.redis.pid),
        )


@dataclass(frozen=True, slots=True)
class Volume:
    """The size of a database: the rows of each fact, and the days they spread over."""

    name: str
    rows: Mapping[str, int]
    days: int = DAYS

    def __str__(self) -> str:
        counts = ", ".join(f"{rows:,} {FACTS[fact].noun}" for fact, rows in self.rows.items())
        return f"{counts} over {self.days} days"


async def build(servers: Servers, folder: Path, volume: Volume, now: datetime) -> Stage:
    server = await asyncpg.connect(servers.postgres.url("postgres"))
    await server.execute(f"create database {volume.name}")
    await server.close()
    url = servers.postgres.url(volume.name)
    await asyncio.to_thread(migrations.upgrade, url)
    print(f"seeding {volume} ...", flush=True)
    seconds = await seed(url, volume.rows, now, volume.days)
    print(f"seeded in {seconds:.0f} s", flush=True)
    end = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Stage(
        servers, folder, url, now, end - timedelta(days=RANGE_DAYS), end, headers_of("benchmark")
    )


def headers_of(subject: str) -> dict[str, str]:
    """An administrator's headers."""
    return {"Authorization": f"Bearer {token(subject)}", "Content-Type": "application/json"}
