"""What is sent in one write is what uvicorn sends by itself, byte for byte."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from gateway.connections import Config
from gateway.crowds import Crowd
from gateway.proxies import TrustedProxies
from gateway.sending import Sender
from tests.gateway.application import eventually

BODY = b"0123456789"
LENGTH = (b"content-length", b"10")
TYPE = (b"content-type", b"text/plain")


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    return {"type": "http.response.start", "status": status, "headers": [TYPE, *headers]}


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


ANSWERS: dict[str, list[Message]] = {
    "/whole": [start(LENGTH), part(BODY)],
    "/empty": [start((b"content-length", b"0")), part(b"")],
    "/big": [start((b"content-length", b"3000000")), part(b"x" * 3_000_000)],
    "/parts": [start(LENGTH), part(BODY[:4], more=True), part(BODY[4:])],
    "/last-is-empty": [start(LENGTH), part(BODY, more=True), part(b"")],
    "/stream": [start(), part(b"a", more=True), part(b"b")],
    "/unknown-length": [start(), part(BODY)],
    "/chunked": [start((b"transfer-encoding", b"chunked")), part(BODY)],
    "/both": [start(LENGTH, (b"Transfer-Encoding", b"chunked")), part(BODY)],
    "/short": [start(LENGTH), part(BODY[:4])],
    "/long": [start(LENGTH), part(BODY + b"more")],
    "/nothing": [],
    "/head-only": [start(LENGTH)],
    "/body-first": [part(BODY)],
    "/twice": [start(LENGTH), part(BODY), part(BODY)],
    "/two-heads": [start(LENGTH), start(LENGTH), part(BODY)],
    "/two-empty-heads": [start((b"content-length", b"0"))] * 2,
    "/no-content": [start(status=204), part(b"")],
    "/not-modified": [start((b"etag", b'"a"'), status=304), part(b"")],
    "/not-modified-with-length": [start(LENGTH, status=304), part(b"")],
    "/missing": [start(LENGTH, status=404), part(BODY)],
    "/unheard-of": [start(LENGTH, status=599), part(BODY)],
    "/upper-case": [start((b"X-NAME", b"Value"), LENGTH), part(BODY)],
    "/two-lengths": [start(LENGTH, (b"Content-Length", b"9")), part(BODY)],
    "/upper-case-length": [start((b"Content-Length", b"10")), part(BODY)],
    "/bad-name": [start(LENGTH, (b"x name", b"a")), part(BODY)],
    "/bad-value": [start(LENGTH, (b"x-name", b"a\r\nx-other: b")), part(BODY)],
    "/closing": [start(LENGTH, (b"connection", b"close")), part(BODY)],
    "/closing-later": [start(LENGTH, (b"Connection", b"Close")), part(BODY)],
}


REFUSED = {"/bad-name", "/bad-value"}  # uvicorn then closes the connection
CRASH = "/crash"


async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["type"] == "http" and scope["path"] == CRASH:
        await send(start(LENGTH))
        raise RuntimeError("a body that cannot be made")
    if scope["type"] == "http":
        for message in ANSWERS[scope["path"]]:
            await send({**message})


@dataclass(frozen=True, slots=True)
class Ports:
    ours: int
    theirs: int


@pytest.fixture
async def ports() -> AsyncIterator[Ports]:
    quiet = {"port": 0, "log_config": None, "access_log": False}
    ours = Config(answer, Crowd(100, TrustedProxies()), **quiet)
    theirs = uvicorn.Config(answer, http="httptools", port=0, log_config=None, access_log=False)
    async with contextlib.AsyncExitStack() as stack:
        yield Ports(*[await stack.enter_async_context(serving(each)) for each in (ours, theirs)])


@contextlib.asynccontextmanager
async def serving(config: uvicorn.Config) -> AsyncIterator[int]:
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(server.serve())
    await eventually(partial(_has_started, server))
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


async def _has_started(server: uvicorn.Server) -> bool:
    return server.started


async def told(port: int, request: bytes) -> bytes:
    """All bytes that come back, but for the date and whose server it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    text = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return without_moment(text)


def without_moment(text: bytes) -> bytes:
    return re.sub(rb"(date|server): [^\r]*\r\n", b"", text)


def requests(path: str) -> dict[str, bytes]:
    host, close = b"Host: a\r\n\r\n", b"Host: a\r\nConnection: close\r\n\r\n"
    line = path.encode() + b" HTTP/1.1\r\n"
    return {
        "kept": b"GET " + line + host,
        "closed": b"GET " + line + close,
        "head": b"HEAD " + line + host,
        "old": b"GET " + path.encode() + b" HTTP/1.0\r\n" + host,
        "pipelined": b"GET " + line + host + b"GET /whole HTTP/1.1\r\n" + close,
        "expecting": b"POST " + line + b"Content-Length: 1\r\nExpect: 100-continue\r\n" + host,
    }


async def test_sent_as_uvicorn_does(ports: Ports) -> None:
    asked = {(path, name): text for path in ANSWERS for name, text in requests(path).items()}
    ours = await asyncio.gather(*(told(ports.ours, each) for each in asked.values()))
    theirs = await asyncio.gather(*(told(ports.theirs, each) for each in asked.values()))
    assert dict(zip(asked, ours, strict=True)) == dict(zip(asked, theirs, strict=True))
    assert {path for (path, _name), text in zip(asked, theirs, strict=True) if not text} == REFUSED


async def test_slow_reader_is_sent_the_same(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    waited_for: list[bytes | None] = []
    whole = Sender._whole

    def note(self: Sender, *messages: Message) -> bytes | None:
        answer = whole(self, *messages)
        if self._cycle.flow.write_paused:
            waited_for.append(answer)
        return answer

    monkeypatch.setattr(Sender, "_whole", note)
    paths = ("/big", "/whole", "/big", "/parts", "/not-modified")
    text = b"".join(requests(path)["kept"] for path in paths) + requests("/whole")["closed"]
    ours, theirs = await asyncio.gather(
        *(told_slowly(port, text) for port in (ports.ours, ports.theirs))
    )
    assert waited_for  # by uvicorn's own code
    assert set(waited_for) == {None}
    assert ours == theirs


async def told_slowly(port: int, request: bytes) -> bytes:
    loop, text = asyncio.get_running_loop(), b""
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.setblocking(False)
        await loop.sock_connect(reader, ("127.0.0.1", port))
        await loop.sock_sendall(reader, request)
        await asyncio.sleep(0.2)
        while received := await asyncio.wait_for(loop.sock_recv(reader, 1_000_000), 5):
            text += received
    return without_moment(text)


async def test_crash_before_the_body_is_told_instead_of_the_head(ports: Ports) -> None:
    """Where uvicorn can only cut the answer off."""
    text = await told(ports.ours, requests(CRASH)["pipelined"])
    assert text.startswith(b"HTTP/1.1 500 ")
    assert text.count(b"HTTP/1.1") == 1
    assert b"connection: close" in text


async def test_whole_answer_is_one_write(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    write = Sender._write

    def note(self: Sender, text: bytes) -> None:
        written.append(text)
        write(self, text)

    monkeypatch.setattr(Sender, "_write", note)
    await told(ports.ours, requests("/whole")["kept"])
    assert [text.endswith(b"\r\n\r\n" + BODY) for text in written] == [True]
    await told(ports.ours, requests("/parts")["kept"])
    assert len(written) == 1
