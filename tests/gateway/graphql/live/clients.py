"""Clients of subscriptions: WebSockets and event streams."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from access.viewers import Role
from tests.gateway.application import Process, as_role
from tests.gateway.graphql.edge import token

PROTOCOL = Subprotocol("graphql-transport-ws")
STATS = """subscription($p: [String!]) {
  deploymentStatsChanged(filter: {projects: $p}, range: {last: "P1D"}) { attempts succeeded } }"""
ONE = "subscription($id: ID) { deploymentChanged(deployment: $id) { deployment { status } } }"
PROJECT = """subscription($p: String) {
  deploymentChanged(project: $p) { deployment { externalId status project { slug } } } }"""


async def record(process: Process, project: str, deployment: str, kind: str) -> str:
    event = {"type": f"deployment.{kind}", "project": project, "deployment": deployment}
    return str((await record_event(process, event))["deployment"])


async def record_event(process: Process, event: dict[str, Any]) -> Any:
    """Records an event of now; returns its result."""
    event = {"time": datetime.now(UTC).isoformat(), "id": str(uuid4())} | event
    async with httpx.AsyncClient(base_url=process.url, headers=as_role(Role.ADMIN)) as client:
        answer = await client.post("/v1/events", json=event)
    (result,) = answer.json()["results"]
    assert result["status"] == "accepted", result
    return result


def bearer(*projects: str, **more: Any) -> str:
    return f"Bearer {token(Role.VIEWER, projects=projects, **more)}"


@asynccontextmanager
async def opened(process: Process, **headers: str) -> AsyncIterator[ClientConnection]:
    url = process.url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[PROTOCOL], additional_headers=headers) as socket:
        yield socket


async def send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def received(socket: ClientConnection, seconds: float = 5.0) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), seconds))


@asynccontextmanager
async def ready(process: Process, authorization: str) -> AsyncIterator[ClientConnection]:
    """A connection whose client has told who it is."""
    async with opened(process) as socket:
        await send(socket, type="connection_init", payload={"authorization": authorization})
        assert await received(socket) == {"type": "connection_ack"}
        yield socket


async def subscribe(socket: ClientConnection, name: str, query: str, **variables: Any) -> None:
    await send(socket, id=name, type="subscribe", payload={"query": query, "variables": variables})


async def next_of(socket: ClientConnection, id: str = "1", seconds: float = 5.0) -> Any:
    message = await received(socket, seconds)
    assert (message["id"], message["type"]) == (id, "next"), message
    return message["payload"]["data"]


async def closed_with(socket: ClientConnection) -> int:
    async with asyncio.timeout(15):
        with suppress(ConnectionClosed):
            async for _message in socket:
                pass
    assert socket.close_code is not None
    return socket.close_code


@asynccontextmanager
async def stream(process: Process, body: Any, **headers: str) -> AsyncIterator[httpx.Response]:
    sent = {"accept": "text/event-stream", "authorization": bearer("nothing")} | headers
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("POST", f"{process.url}/graphql", json=body, headers=sent) as response,
    ):
        yield response


async def made(process: Process, slug: str) -> bool:
    async with httpx.AsyncClient(headers=as_role(Role.ADMIN)) as client:
        query = f'{{ project(slug: "{slug}") {{ slug }} }}'
        answer = await client.post(f"{process.url}/graphql", json={"query": query})
    return bool(answer.json()["data"]["project"])


async def metric(process: Process, name: str) -> float:
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{process.url}/metrics")).text
    values = [float(line.split()[-1]) for line in text.splitlines() if line.startswith(name)]
    return sum(values)
