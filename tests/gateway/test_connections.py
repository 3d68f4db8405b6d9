"""Slow and endless clients are put out; the application's own slowness is not theirs."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway import connections
from gateway.connections import PatientConnection
from tests.gateway.application import eventually

PATIENCE_SECONDS = 0.4
BIG = b"x" * 50_000_000


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def echo(request: Request) -> Response:
    return Response(await request.body())


async def slow(_request: Request) -> Response:
    await asyncio.sleep(3 * PATIENCE_SECONDS)
    return PlainTextResponse("at last")


async def big(_request: Request) -> Response:
    return Response(BIG)


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(connections, "CHECK_SECONDS", 0.1)
    routes = [Route("/", hello), Route("/slow", slow), Route("/big", big)]
    routes.append(Route("/echo", echo, methods=["POST"]))
    app = Starlette(routes=routes)
    config = uvicorn.Config(app, port=0, http=PatientConnection, ws="none", log_config=None)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve())
    await eventually(partial(_has_started, server))
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def _has_started(server: uvicorn.Server) -> bool:
    return server.started


async def conversation(port: int, *parts: bytes, pause_seconds: float = 0.0) -> bytes:
    """Send the parts and read until the server closes; b"" when it says nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause_seconds)
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


async def test_silent_connection_is_closed(port: int) -> None:
    assert await conversation(port) == b""


async def test_half_a_head_is_told_408(port: int) -> None:
    assert (await conversation(port, b"GET / HTTP/1.1\r\nhost:")).startswith(b"HTTP/1.1 408")


async def test_trickled_head_is_told_408(port: int) -> None:
    parts = [b"GET / HTTP/1.1\r\n", *(b"x-%d: y\r\n" % number for number in range(4))]
    started = time.monotonic()
    assert b" 408 " in await conversation(port, *parts, pause_seconds=0.08)
    assert time.monotonic() - started < 0.4 + PATIENCE_SECONDS


async def test_endless_head_is_told_431(port: int) -> None:
    parts = [b"GET / HTTP/1.1\r\n", *[b"x: " + b"y" * 8000 + b"\r\n"] * 9]
    assert b" 431 " in await conversation(port, *parts, pause_seconds=0.01)


async def test_answered_connection_ends_after_a_while(port: int) -> None:
    assert (await conversation(port, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")).endswith(b"hello")


async def test_offer_of_http2_costs_no_body(port: int) -> None:
    head = b"POST /echo HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\n"
    head += b"Upgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAAB\r\ncontent-length: 3\r\n\r\n"
    assert (await conversation(port, head + b"h2c")).endswith(b"h2c")


async def test_slow_application_is_waited_for(port: int) -> None:
    assert (await conversation(port, b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")).endswith(b"at last")


async def test_client_that_does_not_read_is_cut_off(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
    writer.write(b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n")
    await asyncio.sleep(3 * PATIENCE_SECONDS)
    received = 0
    with contextlib.suppress(ConnectionError):
        while part := await asyncio.wait_for(reader.read(1_000_000), 5):
            received += len(part)
    writer.close()
    assert received < len(BIG)


async def test_client_that_reads_is_served_in_full(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /big HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert len(answer) > len(BIG)
