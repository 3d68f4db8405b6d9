"""Each kind of event reaches its subscribers within a second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.gateway.application import Process
from tests.gateway.graphql.live.clients import bearer, next_of, ready, record_event, subscribe

pytestmark = pytest.mark.process

# As much again as R104 allows, for a machine that runs other tests meanwhile.
SECONDS = 2.0
CALLS = """subscription($p: [String!]) {
  apiStatsChanged(filter: {projects: $p}, range: {last: "PT1H"}) { calls callsPerSecond } }"""
FUNCTIONS = """subscription($p: [String!]) {
  functionStatsChanged(filter: {projects: $p}, range: {last: "PT1H"}) { invocations errors } }"""
PHASES = """subscription($p: [String!]) {
  buildPhaseStatsChanged(filter: {projects: $p}, range: {last: "PT1H"}) { runs failed } }"""
RUNNING = """subscription($p: [String!]) {
  runningInvocationsChanged(filter: {projects: $p}) { externalId function { name } } }"""
BUILDS = """subscription($p: String) {
  buildChanged(project: $p) { build { externalId status phases { name } } } }"""

CALL = {"type": "api.call", "endpoint": "/orders", "method": "GET", "status": 200}
STARTED = {"type": "function.started", "function": "resize", "invocation": "i-1"}
COMPLETED = {**STARTED, "type": "function.completed", "durationMs": 40}
PHASE = {"type": "build.phase", "build": "b-1", "phase": "install", "durationMs": 900}


class Subscriber:
    """One that waits for what each event changes."""

    def __init__(self, process: Process, project: str, socket: Any, field: str) -> None:
        self.process, self.project, self.socket, self.field = process, project, socket, field

    async def told(self) -> Any:
        return (await next_of(self.socket))[self.field]

    async def after(self, event: dict[str, Any]) -> Any:
        """The next message, which comes in time."""
        await record_event(self.process, {"project": self.project, **event})
        async with asyncio.timeout(SECONDS):
            return await self.told()


@asynccontextmanager
async def subscribed(
    process: Process, project: str, document: str, variable: Any
) -> AsyncIterator[Subscriber]:
    field = document.split("{")[1].split("(", maxsplit=1)[0].strip()
    async with ready(process, bearer(project)) as socket:
        await subscribe(socket, "1", document, p=variable)
        yield Subscriber(process, project, socket, field)


async def test_running_invocations_come_and_go(process: Process, project: str) -> None:
    async with subscribed(process, project, RUNNING, [project]) as subscriber:
        assert await subscriber.told() == []
        running = [{"externalId": "i-1", "function": {"name": "resize"}}]
        assert await subscriber.after(STARTED) == running
        assert await subscriber.after(COMPLETED) == []


async def test_api_calls_move_their_rate(process: Process, project: str) -> None:
    async with subscribed(process, project, CALLS, [project]) as subscriber:
        assert await subscriber.told() == {"calls": 0, "callsPerSecond": 0}
        found = await subscriber.after(CALL)
        assert found["calls"] == 1
        assert found["callsPerSecond"] == pytest.approx(1 / 3600, rel=0.02)


@pytest.mark.parametrize(
    ("document", "event", "expected"),
    [
        (FUNCTIONS, {**COMPLETED, "status": "error"}, {"invocations": 1, "errors": 1}),
        (PHASES, {**PHASE, "status": "failed"}, {"runs": 1, "failed": 1}),
    ],
)
async def test_rows_move_their_figures(
    process: Process, project: str, document: str, event: dict[str, Any], expected: dict[str, int]
) -> None:
    async with subscribed(process, project, document, [project]) as subscriber:
        assert await subscriber.told() == dict.fromkeys(expected, 0)
        assert await subscriber.after(event) == expected


async def test_builds_are_told_with_their_phases(process: Process, project: str) -> None:
    async with subscribed(process, project, BUILDS, project) as subscriber:
        assert await subscriber.told() == {"build": None}
        await record_event(process, {"project": project, **PHASE})
        found = await subscriber.after({"type": "build.succeeded", "build": "b-1"})
        phases = [{"name": "install"}]
        assert found["build"] == {"externalId": "b-1", "status": "SUCCEEDED", "phases": phases}
