"""Bursts of changes: whoever reads is told all of them, whoever does not harms nobody."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from access.viewers import Role
from gateway.graphql.live.protocol import TOO_SLOW
from tests.gateway.application import Process, as_role, eventually, gateway_process
from tests.gateway.graphql.live.clients import (
    PROJECT,
    PROTOCOL,
    bearer,
    closed_with,
    metric,
    next_of,
    ready,
    record,
    send,
    stream,
    subscribe,
)

pytestmark = pytest.mark.process

BATCH = 1_000
LARGE = PROJECT.replace("externalId", "externalId attributes")


@pytest.fixture(scope="module")
def process(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("bursts") / "log"
    with gateway_process(database_url, redis_url, str(log)) as started:
        yield started
        assert "crashed" not in started.log()


@pytest.fixture
async def project(process: Process) -> str:
    slug = f"burst-{uuid4().hex[:8]}"
    await record(process, slug, "first", "queued")
    return slug


async def burst(process: Process, project: str, deployments: int, *kinds: str, **more: Any) -> None:
    """Send each deployment's events, a batch after the other."""
    now = datetime.now(UTC)
    events = [
        {
            "type": f"deployment.{kind}",
            "project": project,
            "deployment": f"d{number}",
            "time": (now + timedelta(milliseconds=step)).isoformat(),
            "id": str(uuid4()),
            **more,
        }
        for step, kind in enumerate(kinds)
        for number in range(deployments)
    ]
    headers = as_role(Role.ADMIN)
    async with httpx.AsyncClient(base_url=process.url, headers=headers, timeout=60) as client:
        for start in range(0, len(events), BATCH):
            answer = await client.post("/v1/events", json=events[start : start + BATCH])
            results = answer.json()["results"]
            assert {result["status"] for result in results} == {"accepted"}


class Seen(dict[str, str]):
    """The last status that was told of each deployment."""

    def note(self, payload: Any) -> None:
        found = payload["data"]["deploymentChanged"]["deployment"]
        assert found is not None, "everything is to be asked for anew"
        self[found["externalId"]] = found["status"]

    def is_settled(self, deployments: int, status: str) -> bool:
        return len(self) == deployments and set(self.values()) == {status}


async def told_by_socket(socket: ClientConnection, deployments: int, status: str) -> Seen:
    seen = Seen()
    async with asyncio.timeout(300):
        while not seen.is_settled(deployments, status):
            message = json.loads(await socket.recv())
            assert message["type"] == "next", message
            seen.note(message["payload"])
    return seen


@asynccontextmanager
async def events_of(process: Process, project: str) -> AsyncIterator[AsyncIterator[Any]]:
    body = {"query": PROJECT, "variables": {"p": project}}
    async with stream(process, body, authorization=bearer(project)) as response:

        async def payloads() -> AsyncIterator[Any]:
            async for line in response.aiter_lines():
                assert line != "event: complete"
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))

        yield payloads()


async def told_by_events(payloads: AsyncIterator[Any], deployments: int, status: str) -> Seen:
    seen = Seen()
    async with asyncio.timeout(300):
        async for payload in payloads:
            seen.note(payload)
            if seen.is_settled(deployments, status):
                break
    return seen


@pytest.mark.parametrize(
    ("deployments", "kinds"), [(100, ["queued"]), (10_000, ["queued", "succeeded"])]
)
async def test_burst_is_told_whole_to_those_who_read(
    process: Process, project: str, deployments: int, kinds: list[str]
) -> None:
    status = kinds[-1].upper()
    async with ready(process, bearer(project)) as socket, events_of(process, project) as payloads:
        await subscribe(socket, "1", PROJECT, p=project)
        await next_of(socket)
        assert (await anext(payloads))["data"]["deploymentChanged"] == {"deployment": None}
        readers = asyncio.gather(
            told_by_socket(socket, deployments, status),
            told_by_events(payloads, deployments, status),
        )
        await burst(process, project, deployments, *kinds)
        await readers
    await eventually(lambda: nothing_waits(process))


FIGURES = """subscription { deploymentChanged { deployment {
  externalId project { slug deploymentStats(range: {last: "P1D"}) { attempts } } } } }"""


async def test_changes_of_one_moment_each_have_their_figures(process: Process) -> None:
    projects = [f"figures-{uuid4().hex[:8]}" for _ in range(3)]
    async with ready(process, bearer(*projects)) as socket:
        await subscribe(socket, "1", FIGURES)
        assert await next_of(socket) == {"deploymentChanged": {"deployment": None}}
        events = [
            {
                "type": "deployment.queued",
                "project": project,
                "deployment": "d",
                "time": datetime.now(UTC).isoformat(),
                "id": str(uuid4()),
            }
            for project in projects
        ]
        headers = as_role(Role.ADMIN)
        async with httpx.AsyncClient(base_url=process.url, headers=headers) as client:
            assert (await client.post("/v1/events", json=events)).status_code == 200
        told = [json.loads(await socket.recv())["payload"] for _ in projects]
    assert [payload.get("errors") for payload in told] == [None] * len(projects), told
    found = [payload["data"]["deploymentChanged"]["deployment"]["project"] for payload in told]
    assert {each["slug"]: each["deploymentStats"] for each in found} == {
        project: {"attempts": 1} for project in projects
    }


async def nothing_waits(process: Process) -> bool:
    return await metric(process, "gateway_live_waiting_bytes") == 0


@asynccontextmanager
async def slow(process: Process, authorization: str) -> AsyncIterator[ClientConnection]:
    """A client that takes nothing from its connection while it does not read."""
    url = process.url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[PROTOCOL], max_queue=1) as opened:
        await send(opened, type="connection_init", payload={"authorization": authorization})
        await opened.recv()
        yield opened


async def test_one_who_stops_reading_is_cut_off_while_another_is_told_all(
    process: Process, project: str
) -> None:
    deployments = 1_500  # twelve megabytes: on their way there is room for a few
    async with slow(process, bearer(project)) as stuck, ready(process, bearer(project)) as awake:
        for reader in (stuck, awake):
            await subscribe(reader, "1", LARGE, p=project)
            await next_of(reader)
        reading = asyncio.create_task(told_by_socket(awake, deployments, "QUEUED"))
        await burst(process, project, deployments, "queued", attributes={"note": "x" * 8_000})
        await reading
        assert await metric(process, "gateway_live_topics") == 1  # the same for both
        assert await closed_with(stuck) == TOO_SLOW
    await eventually(lambda: nothing_waits(process))
