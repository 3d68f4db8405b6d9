"""Timing and processor time: medians of many rounds, each side in turn with its floor."""

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

Round = Callable[[], Awaitable[object]]

TICKS_PER_SECOND = 100


async def alternate(rounds: int, *sides: Round) -> list[float]:
    """The median milliseconds of each side; taking turns, so that noise meets all alike."""
    for side in sides:
        await side()
        await side()
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, times in zip(sides, taken, strict=True):
            began = time.perf_counter()
            await side()
            times.append(1_000 * (time.perf_counter() - began))
    return [statistics.median(times) for times in taken]


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds of a gateway, and of the servers behind it."""

    gateway: float = 0.0
    postgres: float = 0.0
    redis: float = 0.0

    def __sub__(self, before: "Usage") -> "Usage":
        return Usage(
            self.gateway - before.gateway,
            self.postgres - before.postgres,
            self.redis - before.redis,
        )

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.gateway + other.gateway,
            self.postgres + other.postgres,
            self.redis + other.redis,
        )


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    own, _ = _times(pid)
    return own


def family_cpu_seconds(pid: int) -> float:
    """That of a process, of all below it, and of those that have ended: Postgres is many."""
    own, ended = _times(pid)
    return own + ended + sum(map(family_cpu_seconds, _children(pid)))


def _times(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    user, system, ended_user, ended_system = (int(each) for each in fields[11:15])
    return (user + system) / TICKS_PER_SECOND, (ended_user + ended_system) / TICKS_PER_SECOND


def _children(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in listing.read_text(encoding="ascii").split()]


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1_024
