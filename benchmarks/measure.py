"""Timing: medians of many rounds, the gateway and its floor in turn."""

import statistics
import time
from collections.abc import Awaitable, Callable

Round = Callable[[], Awaitable[object]]


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


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        line = next(line for line in file if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1_024
