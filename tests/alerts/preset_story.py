"""What happens around the boundary of each preset, minute by minute.

All presets are evaluated together, each in a project of its own, by the real evaluator, and tell
channels of the kinds that suit them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from typing import Any
from uuid import uuid4

from alerts.presets import PRESETS
from alerts.rules import OnEvent
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
    """Events by the minute in which they happen; those of hosts are sent each minute.

    A time span in an event stands for the time so long after minute 0.
    """

    preset: str
    events: Mapping[int, Iterable[Event]] = field(default_factory=dict)
    gauge: tuple[str, float, float] | None = None  # a metric, its boundary, a value beyond
    passed: int = PASSED

    @property
    def fires(self) -> int:
        """The minute at whose start it fires: it is evaluated after what happened in a minute."""
        trigger = PRESETS[self.preset].trigger
        lasts = 0 if isinstance(trigger, OnEvent) else trigger.for_seconds // 60
        return self.passed + 1 + lasts

    def at(self, minute: int) -> Iterator[Event]:
        yield from self.events.get(minute, ())
        if self.gauge is not None and 0 <= minute < CLOSE:
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


def error(**more: Any) -> Event:
    fields = {"id": str(uuid4()), "errorType": "KeyError", "message": "x"}
    return {"type": "error.occurred", **fields, **more}


def certificate(name: str, lasts: timedelta) -> Event:
    fields = {"certificate": name, "domain": "shop.example.com", "notAfter": lasts}
    return {"type": "certificate.issued", **fields}


def running(type_: str) -> Event:
    return {"type": f"deployment.{type_}", "deployment": "long"}


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


ON_EVENTS = (
    Case("deployment_failed", {REACHED: [deployment()], PASSED: [failed_deployment()]}),
    Case(
        "deployment_slow",
        {
            REACHED: [running("started"), ended("deployment", "succeeded", durationMs=600_000)],
            WELL: [running("succeeded")],
        },
        passed=REACHED + 10,  # half a minute before it has taken ten minutes it is not slow
    ),
    Case("function_failed", {REACHED: [invocation()], PASSED: [failed_invocation()]}),
    Case("error_critical", {REACHED: [error()], PASSED: [error(severity="critical")]}),
    Case(
        "error_new",
        {-90: [error()], REACHED: [error()], PASSED: [error(fingerprint=["another"])]},
    ),
    Case("error_regressed", {-90: [error()], REACHED: [error()], PASSED: [error()]}),
    Case("error_reached", {REACHED: times(99, error), PASSED: [error()]}),
    Case(
        "error_spread",
        {
            REACHED: [error(project="spread-1"), error(project="spread-2")],
            PASSED: [error(project="spread-3")],
        },
    ),
)
# At the end of minute PASSED it expires in 14 days but for a second.
_EXPIRING = 14 * DAY + (PASSED + 1) * MINUTE - timedelta(seconds=1)
_AGES = (
    Case(
        "certificate_expiring",
        {REACHED: [certificate("old", _EXPIRING)], WELL: [certificate("new", 90 * DAY)]},
    ),
)

ALL = (
    *CASES,
    _api_errors("api_errors_critical", 15, 100),
    _api_errors("api_errors", 5, 60),
    *ON_EVENTS,
    *_AGES,
)

KINDS_IN_TURN = ("webhook", "email", "slack", "pagerduty", "alertmanager", "apprise")
# The kinds of the channels that each is told by.
TOLD_BY = {
    case.preset: PRESETS[case.preset].channel_kinds or (kind,)
    for case, kind in zip(ALL, cycle(KINDS_IN_TURN), strict=False)
}


async def play(engine: Engine, deliver: Callable[[int], Awaitable[None]]) -> datetime:
    """Plays all cases, and delivers after each evaluation; returns the start of minute 0."""
    start = engine.now
    for case in ALL:
        preset = PRESETS[case.preset]
        project = case.preset if preset.of_project else None
        fields = {"severity": preset.severity, "channels": TOLD_BY[case.preset]}
        await engine.rule(project, preset.trigger, name=case.preset, **fields)
    for minute in sorted({minute for case in ALL for minute in case.events if minute < 0}):
        await _record(engine, start, minute)
    await engine.tick(timedelta())
    await engine.follow(timedelta())
    await deliver(0)
    for minute in range(END):
        await _record(engine, start, minute)
        if minute < CLOSE or minute % 5 == 4:
            engine.now = start + minute * MINUTE
            await engine.tick(MINUTE)
            await engine.follow(timedelta())
            await deliver(minute + 1)
        if minute == REACHED + 1:
            await _resolve_errors(engine, "error_regressed")
    return start


async def _record(engine: Engine, start: datetime, minute: int) -> None:
    """Records what happens in a minute, in its middle; errors of each project are of its own."""
    when = start + (minute + 0.5) * MINUTE
    events = []
    for case in ALL:
        for event in case.at(minute):
            given = {"project": case.preset, "time": when.isoformat(), **event}
            if event["type"] == "error.occurred":
                given.setdefault("fingerprint", [case.preset])
            spans = {name: each for name, each in given.items() if isinstance(each, timedelta)}
            events.append({**given, **{k: (start + v).isoformat() for k, v in spans.items()}})
    for first in range(0, len(events), 1_000):
        await engine.record(events[first : first + 1_000])


async def _resolve_errors(engine: Engine, project: str) -> None:
    async with engine.database.transaction() as connection:
        await connection.execute(
            "update errors set status = 1, decision = 1, decided_at = $1, decided_by = 'me'"
            " where project_id = (select project_id from projects where slug = $2)",
            *(engine.now, project),
        )
