"""Slow and endless clients are cut off, but not for the slowness of the application."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from functools import partial
from types import SimpleNamespace

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from gateway.http import connections
from gateway.http.connection_limit import ConnectionLimit
from gateway.http.connections import Config, LimitedWebSocket
from gateway.http.proxies import TrustedProxies
from tests.gateway.application import eventually
from tests.gateway.request_lines import log_output

pytestmark = pytest.mark.alone

CLIENT_TIMEOUT_SECONDS = 0.4
AT_MOST = 3  # connections of one address
BIG = b"x" * 50_000_000


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def echo(request: Request) -> Response:
    return Response(await request.body())


async def slow(_request: Request) -> Response:
    await asyncio.sleep(3 * CLIENT_TIMEOUT_SECONDS)
    return PlainTextResponse("at last")


async def names(request: Request) -> Response:
    await request.body()
    return PlainTextResponse(" ".join(request.headers))


async def late(request: Request) -> Response:
    """Reads nothing for a while."""
    await asyncio.sleep(3 * CLIENT_TIMEOUT_SECONDS)
    return Response(await request.body())


async def stream(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.sleep(3 * CLIENT_TIMEOUT_SECONDS)
        yield b"last"

    return StreamingResponse(parts())


async def big(_request: Request) -> Response:
    return Response(BIG)


async def socket_of(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive()


class NobodyExempt(ConnectionLimit):
    """Clients on this machine count like any other."""

    def _is_exempt(self, _client: str) -> bool:
        return False


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[uvicorn.Server]:
    monkeypatch.setattr(connections, "CLIENT_TIMEOUT_SECONDS", CLIENT_TIMEOUT_SECONDS)
    monkeypatch.setattr(connections, "CHECK_SECONDS", 0.1)
    routes: list[BaseRoute] = [Route("/", hello), Route("/slow", slow), Route("/big", big)]
    routes.append(WebSocketRoute("/socket", socket_of))
    routes.append(Route("/echo", echo, methods=["POST"]))
    routes.append(Route("/names", names, methods=["POST"]))
    routes += [Route("/late", late, methods=["POST"]), Route("/stream", stream)]
    app = Starlette(routes=routes)
    config = Config(app, NobodyExempt(AT_MOST), port=0, ws=LimitedWebSocket, log_config=None)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve())
    await eventually(partial(_has_started, server))
    yield server
    server.should_exit = True
    await serving


@pytest.fixture
def port(server: uvicorn.Server) -> int:
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


async def _has_started(server: uvicorn.Server) -> bool:
    return server.started


async def conversation(port: int, *parts: bytes, pause_seconds: float = 0.0) -> bytes:
    """Send the parts and read until the server closes; b"" if it sends nothing."""
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


async def test_half_a_head_gets_408(port: int) -> None:
    assert (await conversation(port, b"GET / HTTP/1.1\r\nhost:")).startswith(b"HTTP/1.1 408")


async def test_trickled_head_gets_408(port: int) -> None:
    parts = [b"GET / HTTP/1.1\r\n", *(b"x-%d: y\r\n" % number for number in range(4))]
    started = time.monotonic()
    assert b" 408 " in await conversation(port, *parts, pause_seconds=0.08)
    assert time.monotonic() - started < 0.4 + CLIENT_TIMEOUT_SECONDS


async def test_trickled_body_gets_408(port: int) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n"
    answer = await conversation(port, head, *[b"x"] * 4, pause_seconds=0.1)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"The body of the request took longer" in answer


async def test_body_of_an_answered_request_has_no_more_time(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n"
    answer = await conversation(port, head, *[b"x"] * 4, pause_seconds=0.1)
    assert answer.startswith(b"HTTP/1.1 405")
    assert b"408" not in answer


async def test_slow_reading_by_the_application_is_no_timeout(port: int) -> None:
    size_bytes = 8_000_000  # more than the socket buffers hold
    head = b"POST /late HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
    answer = await conversation(port, head % size_bytes + b"x" * size_bytes)
    assert answer.startswith(b"HTTP/1.1 200")
    assert len(answer) > size_bytes


BAD_CHUNK = b"transfer-encoding: chunked\r\n\r\nno number\r\n\r\n"


@pytest.mark.parametrize("rest", [b"content-length: 50\r\n\r\nx", BAD_CHUNK])
async def test_refusal_of_the_next_request_does_not_mix_with_a_running_response(
    port: int, rest: bytes
) -> None:
    first = b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n"
    parts = first, b"POST /echo HTTP/1.1\r\nhost: a\r\n" + rest
    answer = await conversation(port, *parts, pause_seconds=0.1)
    _head, _, body = answer.partition(b"\r\n\r\n")
    streamed, _, after = body.partition(b"4\r\nlast\r\n0\r\n\r\n")
    assert streamed == b"5\r\nfirst\r\n"
    assert after.startswith(b"HTTP/1.1 408") == (rest is not BAD_CHUNK)


async def test_trailers_are_no_headers(port: int) -> None:
    head = b"POST /names HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n"
    answer = await conversation(port, head, b"0\r\nx-forwarded-for: ::1\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nhost transfer-encoding")


async def test_endless_head_gets_431(port: int) -> None:
    parts = [b"GET / HTTP/1.1\r\n", *[b"x: " + b"y" * 8000 + b"\r\n"] * 9]
    assert b" 431 " in await conversation(port, *parts, pause_seconds=0.01)


async def test_answered_connection_ends_after_a_while(port: int) -> None:
    assert (await conversation(port, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")).endswith(b"hello")


async def test_offer_of_http2_keeps_the_body(port: int) -> None:
    head = b"POST /echo HTTP/1.1\r\nhost: a\r\nconnection: Upgrade, HTTP2-Settings\r\n"
    head += b"Upgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAAB\r\ncontent-length: 3\r\n\r\n"
    assert (await conversation(port, head + b"h2c")).endswith(b"h2c")


async def test_offer_of_another_protocol_is_ignored_and_not_logged(port: int) -> None:
    head = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: other\r\n\r\n"
    with log_output() as output:
        assert (await conversation(port, head)).endswith(b"hello")
    assert b"upgrade" not in output.getvalue()


async def test_slow_application_is_no_timeout(port: int) -> None:
    assert (await conversation(port, b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")).endswith(b"at last")


async def test_client_that_does_not_read_is_cut_off(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
    writer.write(b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n")
    await asyncio.sleep(3 * CLIENT_TIMEOUT_SECONDS)
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


HELLO = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


async def test_connections_of_an_address_are_limited(port: int) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(AT_MOST)]
    refusal = await conversation(port)
    assert refusal.startswith(b"HTTP/1.1 429 ")
    assert b"retry-after: 1" in refusal
    assert b"too many open connections" in refusal
    idle[0][1].close()
    await asyncio.sleep(0.1)
    assert (await conversation(port, HELLO)).endswith(b"hello")
    for _, writer in idle:
        writer.close()


async def test_websockets_count_towards_the_connection_limit(port: int) -> None:
    sockets = [await connect(f"ws://127.0.0.1:{port}/socket") for _ in range(AT_MOST)]
    assert (await conversation(port)).startswith(b"HTTP/1.1 429 ")
    for socket in sockets:
        await socket.close()
    await asyncio.sleep(0.1)
    assert (await conversation(port, HELLO)).endswith(b"hello")


async def test_full_process_refuses_with_retry_after(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 1)
    _, idle = await asyncio.open_connection("127.0.0.1", port)
    refusal = await conversation(port, HELLO)
    assert refusal.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 5" in refusal
    idle.close()


@pytest.mark.parametrize(
    "text", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/x\r\n\r\n", b"SSH-2.0-x\r\n\r\n"]
)
async def test_malformed_request_gets_400(port: int, text: bytes) -> None:
    refusal = await conversation(port, text)
    assert refusal.startswith(b"HTTP/1.1 400 ")
    assert json.loads(refusal.partition(b"\r\n\r\n")[2])["error"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("earlier", [b"", HELLO])
async def test_request_on_its_way_at_shutdown_is_answered(
    port: int, server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch, earlier: bytes
) -> None:
    monkeypatch.setattr(connections, "CLIENT_TIMEOUT_SECONDS", 30.0)
    monkeypatch.setattr(connections, "FIRST_REQUEST_SECONDS", 20.0)
    monkeypatch.setattr(connections, "NEXT_REQUEST_SECONDS", 20.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(earlier)
    await (reader.readuntil(b"hello") if earlier else asyncio.sleep(0.1))
    for connection in list(server.server_state.connections):
        connection.shutdown()
    await asyncio.sleep(0.1)
    writer.write(HELLO)
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.endswith(b"hello")
    assert b"connection: close" in answer.lower()
    writer.close()


async def test_websocket_is_refused_during_shutdown(port: int, server: uvicorn.Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.1)
    for connection in list(server.server_state.connections):
        connection.shutdown()
    head = b"GET /socket HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    key = b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    writer.write(head + key + b"\r\n")
    refusal = await asyncio.wait_for(reader.read(), 10)
    assert refusal.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in refusal
    writer.close()


async def test_idle_connection_is_closed_soon_at_shutdown(
    port: int, server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CLIENT_TIMEOUT_SECONDS", 30.0)
    monkeypatch.setattr(connections, "FIRST_REQUEST_SECONDS", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.1)
    for connection in list(server.server_state.connections):
        connection.shutdown()
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()


async def test_malformed_body_gets_400_and_ends_the_connection(port: int) -> None:
    head = b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    refusal = await conversation(port, head, b"no number\r\n\r\n" + HELLO, pause_seconds=0.1)
    assert refusal.startswith(b"HTTP/1.1 400 ")
    assert refusal.count(b"HTTP/1.1 ") == 1


def test_connections_are_counted_by_address() -> None:
    limit = ConnectionLimit(2, TrustedProxies.of("10.0.0.0/8"))
    for exempt in ("127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3"):
        assert limit.payer((exempt, 1)) is None
    assert limit.payer(None) is None  # a Unix socket
    payers = [limit.payer((f"2001:db8:1:2::{number}", 1)) for number in range(3)]
    assert len(set(payers)) == 1
    (payer, *_) = payers
    others = [limit.payer(("203.0.113.9", 1)), None]
    open_ones = [SimpleNamespace(payer=each) for each in [*payers, *others]]
    assert limit.is_exceeded(payer, open_ones)
    assert not limit.is_exceeded(payer, open_ones[1:])
    assert not limit.is_exceeded(None, open_ones)
    assert ConnectionLimit(0).payer(("203.0.113.9", 1)) is None
