"""Records samples of the host as events of one project, more often while it is busy.

Of the processes on a host, the one that holds its lease records them.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from gateway.config.settings import Settings
from gateway.observability.host import Figure, Host
from gateway.observability.recorder import Record, Recorder
from gateway.observability.telemetry import Telemetry
from storage.background import running
from storage.connections.database import Database
from storage.errors import GatewayError
from storage.keeping.leases import lease

log = structlog.get_logger(component="host_samples")

MAX_WAITING = 1_000
SHORTEST_SECONDS, BASE_SECONDS, LONGEST_SECONDS = 5.0, 10.0, 30.0
# What is watched, by the metric of a share in percent.
_SHARES: dict[str, dict[str, str]] = {
    "system_cpu_busy_percent": {},
    "system_memory_usage_percent": {},
}
# A share at which a host is busy, and a change of one.
BUSY_PERCENT = 80.0
CHANGED_PERCENT = 10.0
# Each quiet sample lengthens the pause, from the base on.
_LONGER = 1.5
# Reading may take this share of the time of one core.
MOST_OF_A_CORE = 0.01


@dataclass(slots=True)
class Pace:
    """How long to wait for the next sample: shorter where CPU or memory are short or change.

    It begins with the shortest pause, so that there is a sample soon.
    """

    seconds: float = SHORTEST_SECONDS
    _before: Mapping[str, float] | None = None

    def after(self, figures: Sequence[Figure], took_seconds: float) -> float:
        """The pause after these figures, whose reading took so long."""
        shares = {
            each.metric: each.value for each in figures if each.labels == _SHARES.get(each.metric)
        }
        before, self._before = self._before or shares, shares
        changes = [abs(share - before.get(name, share)) for name, share in shares.items()]
        if (
            max(shares.values(), default=0.0) >= BUSY_PERCENT
            or max(changes, default=0.0) >= CHANGED_PERCENT
        ):
            self.seconds = SHORTEST_SECONDS
        else:
            self.seconds = max(self.seconds * _LONGER, BASE_SECONDS)
        least = max(SHORTEST_SECONDS, took_seconds / MOST_OF_A_CORE)
        self.seconds = min(max(self.seconds, least), LONGEST_SECONDS)
        return self.seconds


class HostSamples:
    """Reads the host and queues its figures; `claim` says whether this process is to do so."""

    def __init__(
        self,
        name: str,
        host: Host,
        claim: Callable[[], Awaitable[bool]],
        recorder: Recorder,
        clock: Callable[[], datetime],
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._name = name
        self._host = host
        self._claim = claim
        self._recorder = recorder
        self._clock = clock
        self._stopwatch = stopwatch
        self._pace = Pace()

    async def follow(self) -> None:
        """Samples for ever."""
        pause_seconds = SHORTEST_SECONDS
        while True:
            await asyncio.sleep(pause_seconds)
            pause_seconds = await self.step()

    async def step(self) -> float:
        """Samples once, if this process is to do so; returns the seconds until the next time."""
        try:
            return await self._sample()
        except (GatewayError, OSError) as error:
            log.warning("host_not_sampled", reason=str(error))
        except Exception:
            log.exception("host_not_sampled")
        return LONGEST_SECONDS

    async def _sample(self) -> float:
        # In threads: a file system that does not answer must not stop the requests.
        if not await self._claim():
            # The process that holds the lease records what is added meanwhile.
            await asyncio.to_thread(self._host.skip)
            return LONGEST_SECONDS
        began = self._stopwatch()
        figures = await asyncio.to_thread(self._host.read)
        took_seconds = self._stopwatch() - began
        at = self._clock().isoformat()
        for figure in figures:
            labels = {"host": self._name, **figure.labels}
            fields = {"metric": figure.metric, "value": figure.value, "labels": labels}
            self._recorder.add({"time": at, **fields})
        return self._pace.after(figures, took_seconds)


@asynccontextmanager
async def sampling_host(
    settings: Settings,
    record: Record,
    database: Database,
    clock: Callable[[], datetime],
    telemetry: Telemetry,
) -> AsyncIterator[None]:
    """Samples the host inside the block, if the settings name a project for it."""
    if (slug := settings.host_samples_slug) is None:
        yield
        return
    name = socket.gethostname()[:100].replace(",", "-")
    common = {"type": "metric.sample", "project": slug, "environment": settings.environment}
    recorder = Recorder(record, clock, common, MAX_WAITING, telemetry.on_host_samples_lost)
    claim = claims(database, name)
    samples = HostSamples(name, Host(), claim, recorder, clock)
    async with recorder.recording(), running(samples.follow(), "host-samples"):
        yield


def claims(database: Database, host: str) -> Callable[[], Awaitable[bool]]:
    """Whether a process is the one that samples the host, by a lease."""
    holder = f"{host}:{secrets.token_hex(4)}"

    async def claim() -> bool:
        async with database.transaction() as connection:
            fence = await lease(connection, f"host:{host}", holder, 2 * LONGEST_SECONDS)
        return fence is not None

    return claim
