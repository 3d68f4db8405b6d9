"""A real gateway process: slow clients, half-sent requests, an orderly end."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from access.viewers import Role
from tests.gateway.application import Process, as_role, gateway_process
from tests.gateway.writers import REFUSED, Writers

pytestmark = [pytest.mark.process, pytest.mark.alone]

HEAD = (
    "POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
    "authorization: {authorization}\r\ncontent-length: {length}\r\n"
)


@pytest.fixture
def gateway(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Process]:
    log = str(tmp_path / "gateway.log")
    module = ("-m", "tests.gateway.small_gateway")
    with gateway_process(database_url, redis_url, log, *module) as process:
        yield process


def request(body: str) -> bytes:
    head = HEAD.format(length=len(body), **as_role(Role.VIEWER))
    return (head + "\r\n" + body).encode()


async def test_end_is_orderly(gateway: Process) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, headers=as_role(), timeout=30) as client:
        query = {"query": "{sleep(seconds:4)}"}
        in_flight = asyncio.create_task(client.post("/graphql", json=query))
        await asyncio.sleep(0.3)
        gateway.stop()
        await asyncio.sleep(0.3)
        # Unready at once, yet new requests are still taken for a moment.
        assert (await client.get("/ready")).status_code == 503
        assert (await client.get("/live")).status_code == 200
        late = await client.post("/graphql", json={"query": "{hello}"})
        assert late.status_code == 200
        assert (await in_flight).json() == {"data": {"sleep": "awake"}}
    assert gateway.process.wait(timeout=30) == 0


async def test_half_sent_requests_are_answered_at_the_end(gateway: Process) -> None:
    text = request('{"query":"{hello}"}')
    with gateway.connect() as in_head, gateway.connect() as in_body:
        in_head.sendall(text[:40])
        in_body.sendall(text[:-5])
        await asyncio.sleep(0.3)
        gateway.stop()
        await asyncio.sleep(3)  # the gateway accepts no more connections
        with pytest.raises(OSError, match=r"."):
            gateway.connect().close()
        in_head.sendall(text[40:])
        in_body.sendall(text[-5:])
        for connection in (in_head, in_body):
            answer = await asyncio.to_thread(read_all, connection)
            assert b"hello world" in answer
            assert b"connection: close" in answer.lower()
    assert gateway.process.wait(timeout=30) == 0


async def test_idle_connections_do_not_hold_up_the_end(gateway: Process) -> None:
    with gateway.connect() as idle:
        await asyncio.sleep(0.2)
        started = time.monotonic()
        gateway.stop()
        assert gateway.process.wait(timeout=30) == 0
        assert time.monotonic() - started < 10
        assert idle.recv(10) == b""


async def test_each_connection_is_answered_until_connections_are_refused(gateway: Process) -> None:
    text = request('{"query":"{hello}"}').replace(b"\r\n", b"\r\nconnection: close\r\n", 1)
    writers = Writers(gateway.port, text)
    writers.start(64)
    await asyncio.sleep(1)
    gateway.stop()
    await asyncio.to_thread(writers.join)
    assert gateway.process.wait(timeout=30) == 0
    assert writers.outcomes.pop(REFUSED) == 64
    assert set(writers.outcomes) == {"HTTP/1.1 200 OK"}, writers.outcomes


async def test_log_is_json_and_quiet_about_probes(gateway: Process) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, headers=as_role()) as client:
        for _ in range(5):
            await client.get("/ready")
        await client.post("/graphql", json={"query": "query Mine{hello}"})
    gateway.stop()
    gateway.process.wait(timeout=30)
    events = [json.loads(line) for line in gateway.log().splitlines()]
    requests = [event for event in events if event["event"] == "request"]
    assert [line["operation_name"] for line in requests] == ["Mine"]
    assert all(event["timestamp"] for event in events)


def read_all(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)
