"""Measures what it costs to sample the host: hours of samples, one right after the other."""

import asyncio
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmarks.measure import Times, family_cpu_seconds, timed
from benchmarks.stage import Stage
from gateway.observability.host import Figure, Host
from gateway.observability.host_samples import (
    BASE_SECONDS,
    LONGEST_SECONDS,
    MAX_WAITING,
    SHORTEST_SECONDS,
    HostSamples,
    claims,
)
from gateway.observability.recorder import Recorder
from ingest.intake import Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries

HOUR_SECONDS = 3_600
PAUSES = (BASE_SECONDS, LONGEST_SECONDS)
SAMPLES = sum(int(HOUR_SECONDS / pause) for pause in PAUSES)
_COMMON = {"type": "metric.sample", "project": "sampling", "environment": "benchmark"}
_BYTES = """
select sum(pg_total_relation_size(oid))::bigint from pg_class
where relkind = 'r' and (relname ~ '^samples?_' or relname in ('metrics', 'label_sets'))
"""
# In a process of its own: what it takes to read a host, and nothing else of the gateway.
_MEMORY = f"""
from benchmarks.measure import memory_mb
import os
before = memory_mb(os.getpid())
from gateway.observability.host import Host
host = Host()
for _ in range({SAMPLES}):
    host.read()
print(memory_mb(os.getpid()) - before)
"""


@dataclass(frozen=True, slots=True)
class Sampling:
    """What a sample costs: processor time, the time until it is stored, memory and disk."""

    figures: int
    gateway_seconds: float
    postgres_seconds: float
    rounds: Times
    memory_mb: float
    hour_bytes: dict[float, int]  # by the pause in seconds

    @property
    def share(self) -> float:
        """The part of one core that it takes at the shortest pause."""
        return (self.gateway_seconds + self.postgres_seconds) / SHORTEST_SECONDS


class _Counted(Host):
    """A host that counts the figures of its fullest reading."""

    most_figures = 0

    def read(self) -> list[Figure]:
        found = super().read()
        self.most_figures = max(self.most_figures, len(found))
        return found


async def sampling(stage: Stage) -> Sampling:
    """Stores an hour of samples for each pause, with the code that the gateway runs."""
    print("sampling the host ...", flush=True)
    now, postgres_pid = stage.now - timedelta(hours=len(PAUSES)), stage.servers.postgres.pid

    def clock() -> datetime:
        return now

    database = await Database.open(stage.url)
    intake = Intake(database, Dictionaries(database), clock)
    await intake.start()
    recorder = Recorder(intake.record, clock, _COMMON, MAX_WAITING, lambda _: None)
    host = _Counted(stopwatch=lambda: clock().timestamp())
    samples = HostSamples("host", host, claims(database, "host"), recorder, clock)

    async def sample() -> None:
        await samples.step()
        await recorder.flush()

    async def stored_bytes() -> int:
        async with database.connection() as connection:
            return int(await connection.fetchval(_BYTES))

    await sample()  # makes the project, the names and the partitions
    postgres, own = family_cpu_seconds(postgres_pid), time.process_time()
    rounds, hour_bytes = [], {}
    for pause in PAUSES:
        before = await stored_bytes()
        for _ in range(int(HOUR_SECONDS / pause)):
            now += timedelta(seconds=pause)
            rounds.append(await timed(sample()))
        hour_bytes[pause] = await stored_bytes() - before
    own, postgres = time.process_time() - own, family_cpu_seconds(postgres_pid) - postgres
    await intake.stop()
    await database.close()
    return Sampling(
        host.most_figures,
        own / SAMPLES,
        postgres / SAMPLES,
        Times(rounds),
        await _memory_mb(),
        hour_bytes,
    )


async def _memory_mb() -> float:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _MEMORY, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await child.communicate()
    return float(output)
