"""Keeps tests that hold a bound of time from running beside others, where two processes test."""

import fcntl
from collections.abc import Generator
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs a part of the tests for another one (pytest-xdist)."""
    return hasattr(config, "workerinput")


class Turns:
    """A pytest plugin: a test marked `alone` waits for the others, and lets none begin.

    The processes of a run share locks on two files that are there in any case.
    """

    def __init__(self, gate: Path = Path(__file__), turn: Path = CONFTEST) -> None:
        self._gate, self._turn = gate, turn

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        wanted = fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH
        with self._gate.open() as gate, self._turn.open() as turn:
            fcntl.flock(gate, fcntl.LOCK_EX)  # in order of arrival, or `alone` might never come
            fcntl.flock(turn, wanted)
            fcntl.flock(gate, fcntl.LOCK_UN)
            return (yield)
