"""Measures time, processor time and memory; two sides are timed in turn, in one run."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Round = Callable[[int], Awaitable[object]]

TICKS_PER_SECOND = 100


# Rounds before the measurement: connections open, statements are prepared.
WARM_UP_ROUNDS = 10


def percentile(values: Sequence[float], fraction: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Times:
    """The milliseconds of each round of one side."""

    milliseconds: list[float]

    @property
    def median_ms(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p95_ms(self) -> float:
        return percentile(self.milliseconds, 0.95)


async def timed(work: Awaitable[object]) -> float:
    """Awaits the work and returns the milliseconds it took."""
    began = time.perf_counter()
    await work
    return 1_000 * (time.perf_counter() - began)


async def in_turn(rounds: int, one: Round, other: Round) -> tuple[Times, Times]:
    """Times two sides that take turns, so that noise meets both alike. Each is given the number
    of its round, from 0 up to `rounds` and those of the warm-up; who goes first alternates."""
    taken: tuple[list[float], list[float]] = [], []
    for number in range(WARM_UP_ROUNDS + rounds):
        sides = ((one, taken[0]), (other, taken[1]))
        for side, times in sides if number % 2 else reversed(sides):
            taken_ms = await timed(side(number))
            if number >= WARM_UP_ROUNDS:
                times.append(taken_ms)
    return Times(taken[0]), Times(taken[1])


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds of a gateway and of the servers behind it."""

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
    """User and system time of a process and all its descendants, ended ones too."""
    own, ended = _times(pid)
    return own + ended + sum(map(family_cpu_seconds, _children(pid)))


def _times(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    user, system, ended_user, ended_system = (int(each) for each in fields[11:15])
    return (user + system) / TICKS_PER_SECOND, (ended_user + ended_system) / TICKS_PER_SECOND


def _children(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in listing.read_text(encoding="ascii").split()]


def memory_mb(pid: int, field: str = "VmRSS:") -> float:
    """Resident memory of a process, in MB: now, or with VmHWM the most it had."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith(field))
    return int(line.split()[1]) / 1_024


def private_memory_mb(pid: int) -> float:
    """The memory of a process that it shares with no other process, in MB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        private = [line for line in file if line.startswith(("Private_Clean:", "Private_Dirty:"))]
    return sum(int(line.split()[1]) for line in private) / 1_024
