"""What happens around the boundary of each preset that watches a measure, minute by minute.

All presets are evaluated together, each in a project of its own, by the real evaluator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from alerts.presets import PRESETS
from alerts.rules import Watch
from tests.alerts.engine import Engine

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# The evaluator looks each minute at first, and later each fifth.
CLOSE, END = 40, 160
# When the boundary is reached, when it is passed, and when all is well again.
REACHED, PASSED, WELL = 2, 6, 20

Event = dict[str, Any]
Make = Callable[[], Event]


@dataclass(frozen=True)
class Case:
    """Events by the minute in which they happen; those of hosts are sent each minute."""

    preset: str
    events: Mapping[int, Iterable[Event]] = field(default_factory=dict)
    gauge: tuple[str, float, float] | None = None  # a metric, its boundary, a value beyond
    passed: int = PASSED

    @property
    def watch(self) -> Watch:
        trigger = PRESETS[self.preset].trigger
        assert isinstance(trigger, Watch)
        return trigger

    @property
    def fires(self) -> int:
        """The minute at whose start it fires: it is evaluated after what happened in a minute."""
        return self.passed + 1 + self.watch.for_seconds // 60

    def at(self, minute: int) -> Iterator[Event]:
        yield from self.events.get(minute, ())
        if self.gauge is not None and minute >= 0:
            metric, boundary, beyond = self.gauge
            value = beyond if self.passed <= minute < WELL else boundary
            yield {"type": "metric.sample", "metric": metric, "value": value, **HOST}


HOST = {"labels": {"host": "web-1"}}


def times(count: int, make: Make) -> list[Event]:
    return [make() for _ in range(count)]


def ended(kind: str, type_: str, **fields: Any) -> Event:
    return {"type": f"{kind}.{type_}", kind: str(uuid4()), **fields}


def failed_deployment() -> Event:
    return ended("deployment", "failed")


def deployment() -> Event:
    return ended("deployment", "succeeded")


def build(seconds: float) -> Event:
    return ended("build", "succeeded", durationMs=seconds * 1_000)


def call(status: int = 200, milliseconds: float = 10) -> Event:
    fields = {"endpoint": "/orders", "method": "GET", "status": status}
    return {"type": "api.call", "id": str(uuid4()), "durationMs": milliseconds, **fields}


def invocation(milliseconds: float = 10, **more: Any) -> Event:
    fields = {"function": "checkout", "invocation": str(uuid4()), "durationMs": milliseconds}
    return {"type": "function.completed", **fields, **more}


def failed_invocation() -> Event:
    return invocation(status="error", error="x")


def error() -> Event:
    return {"type": "error.occurred", "id": str(uuid4()), "errorType": "KeyError", "message": "x"}


def rate(preset: str, bad: Make, good: Make, fewest: int, more: int) -> Case:
    """Of a hundred trials so many are bad as the bound allows, then so many that chance does not.

    With one bad one fewer it is not beyond chance.
    """
    return Case(
        preset,
        {
            REACHED: [*times(fewest, bad), *times(100 - fewest, good)],
            REACHED + 1: times(more - 1, bad),
            PASSED: times(1, bad),
            WELL: times(3_000, good),
        },
    )


CASES = (
    rate("deployment_failure_rate", failed_deployment, deployment, 10, 10),
    rate("function_error_rate", failed_invocation, invocation, 5, 7),
    Case(
        "deployment_failures",
        {REACHED: times(5, deployment), PASSED: times(1, failed_deployment)},
    ),
    Case(
        "build_slow",
        {
            -2 * 24 * 60: times(10, partial(build, 100)),
            REACHED: times(10, partial(build, 150)),
            PASSED: times(11, partial(build, 150.1)),
            WELL: times(50, partial(build, 100)),
        },
    ),
    Case(
        "function_slow",
        {
            REACHED: times(10, partial(invocation, 500)),
            PASSED: times(1, partial(invocation, 500.1)),
            WELL: times(1, partial(invocation, 100)),
        },
    ),
    Case(
        "api_slow",
        {
            REACHED: times(10, partial(call, 200, 500)),
            PASSED: times(1, partial(call, 200, 500.1)),
            WELL: times(10, call),
        },
    ),
    Case("error_count", {REACHED: times(100, error), PASSED: times(1, error)}),
    Case(
        "error_spike",
        {-90: times(10, error), REACHED: times(20, error), PASSED: times(1, error)},
    ),
    Case("memory_high", gauge=("system_memory_usage_percent", 90, 90.1)),
    Case("cpu_critical", gauge=("system_cpu_busy_percent", 95, 95.1)),
    Case("memory_critical", gauge=("system_memory_usage_percent", 95, 95.1)),
    Case("cpu_warning", gauge=("system_cpu_busy_percent", 80, 80.1)),
    Case("memory_warning", gauge=("system_memory_usage_percent", 85, 85.1)),
)


def _api_errors(preset: str, bound: int, beyond: int) -> Case:
    """A hundred calls each minute, of which as many fail as the bound allows, or too many."""
    events = {}
    for minute in range(CLOSE):
        bad = beyond if PASSED <= minute < WELL else bound
        events[minute] = [*times(bad, partial(call, 503)), *times(100 - bad, call)]
    return Case(preset, events)


ALL = (*CASES, _api_errors("api_errors_critical", 15, 100), _api_errors("api_errors", 5, 60))


async def play(engine: Engine) -> datetime:
    """Plays all cases; returns the start of minute 0."""
    start = engine.now
    for case in ALL:
        rule = PRESETS[case.preset].rule()
        await engine.rule(case.preset, rule.trigger, name=case.preset, severity=rule.severity)
    for case in ALL:
        for minute in sorted(minute for minute in case.events if minute < 0):
            await _record(engine, case, start + minute * MINUTE, minute)
    await engine.tick(timedelta())
    for minute in range(END):
        for case in ALL:
            await _record(engine, case, start + minute * MINUTE, minute)
        if minute < CLOSE or minute % 5 == 4:
            engine.now = start + minute * MINUTE
            await engine.tick(MINUTE)
    return start


async def _record(engine: Engine, case: Case, at: datetime, minute: int) -> None:
    when = (at + MINUTE / 2).isoformat()
    events = [{**each, "time": when, "project": case.preset} for each in case.at(minute)]
    await engine.record(events)
