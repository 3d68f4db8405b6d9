"""Bounds of work that hold on every machine: steps are counted, CPU time is compared in one run."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Work = Callable[[], object]

# What else the machine does can only slow work down, so the best of several runs counts.
RUNS = 8


class TooManyStepsError(AssertionError):
    """Work went on after the last step it may take."""


def assert_done_within(steps: int, work: Work) -> None:
    """Runs work that may take so many steps of Python: lines, calls and returns.

    Their number is the same on every machine, and endless work ends in a failure at once.
    """
    done = 0

    def count(_frame: FrameType, _event: str, _argument: Any) -> Any:
        nonlocal done
        done += 1
        if done > steps:
            raise TooManyStepsError(f"more than {steps} steps")
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)


def assert_within_times(most: float, make: Callable[[], Work], plain: Work) -> None:
    """Runs work that may take at most so many times the CPU time of plain work beside it.

    `make` prepares the work of each run, with contents of its own where answers are remembered.
    """
    took = beside = float("inf")
    for _ in range(RUNS):
        beside = min(beside, _cpu_seconds(plain))
        took = min(took, _cpu_seconds(make()))
        if took <= most * beside:
            return
    raise AssertionError(f"{took:.4f} s of CPU are {took / beside:.1f} times {beside:.4f} s")


def _cpu_seconds(work: Work) -> float:
    """The CPU time of this thread alone; the collector would walk through the whole process."""
    with without_collector():
        started = time.thread_time()
        work()
        return time.thread_time() - started


@contextmanager
def without_collector() -> Iterator[None]:
    """No garbage is looked for meanwhile: not while time is measured or many objects are made."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
