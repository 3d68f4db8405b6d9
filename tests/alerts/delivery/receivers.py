"""Receivers of messages for tests: a real HTTP server that answers as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from access.destinations import Destinations
from access.outgoing import Outgoing
from alerts.delivery.channel import Outside


class Received(NamedTuple):
    """A request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Takes requests; the last of its answers is repeated."""

    port: int = 0
    answers: list[bytes] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    open_now: int = 0
    open_at_most: int = 0
    hangs: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def keys(self) -> list[str]:
        return [request.headers["idempotency-key"] for request in self.requests]

    def outside(self, **fields: Any) -> Outside:
        """A way out that may reach this server."""
        destinations = Destinations.of(f"127.0.0.1:{self.port}")
        return Outside(
            Outgoing(destinations, timeout_seconds=2), base_url="https://gw.example.com", **fields
        )

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_now += 1
        self.open_at_most = max(self.open_at_most, self.open_now)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.requests.append(Received(first.split()[1], headers, body))
            if self.hangs:
                await asyncio.sleep(60)
            writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
            await writer.drain()
        finally:
            self.open_now -= 1
            writer.close()


def answer(status: str, *headers: str, body: str = "") -> bytes:
    """The bytes of an answer."""
    length = f"content-length: {len(body.encode())}"
    lines = (f"HTTP/1.1 {status}", length, "connection: close", *headers, "", body)
    return "\r\n".join(lines).encode()


OK = answer("200 OK", body="ok")


@asynccontextmanager
async def receiver(*answers: bytes, hangs: bool = False) -> AsyncIterator[Receiver]:
    """A server on this machine, for the time of the block."""
    found = Receiver(answers=list(answers) or [OK], hangs=hangs)
    server = await asyncio.start_server(found.take, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


async def eventually(is_so: Callable[[], bool], seconds: float = 10) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)
