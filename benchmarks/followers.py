"""WebSocket subscribers in a process of their own, which report when all have received a change.

Run by the benchmark as `python -m benchmarks.followers`, with a job as a line of JSON on standard
input. It answers with a line once each has its first answer; then each line with a number asks
for the next change, and is answered when every follower has been told a figure that large.
"""

import asyncio
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import orjson
import uvloop

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
# So small that the server soon notices a follower who stops reading.
SMALL_BUFFER_BYTES = 4_096
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


def frame(kind: int, payload: bytes) -> bytes:
    """A client's WebSocket frame; its mask is zero, so the payload stays as it is."""
    size = len(payload)
    head = bytes([0x80 | kind]) + (
        bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
    )
    return head + b"\0\0\0\0" + payload


class Follower(asyncio.Protocol):
    """One connection with one subscription, which may run several times at once."""

    def __init__(
        self, token: str, subscription: dict[str, Any], times: int, told: Callable[[int], None]
    ) -> None:
        self._token, self._subscription, self._told = token, subscription, told
        self._times = times
        self._buffer = b""
        self._upgraded = False
        loop = asyncio.get_running_loop()
        self.first: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(HANDSHAKE)

    def pause(self) -> None:
        self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(f"no WebSocket: {head!r}")
            self._upgraded, self._buffer = True, rest
            self._say({"type": "connection_init", "payload": {"authorization": self._token}})
        while (size := self._frame_size()) is not None:
            start, end = size
            kind, payload = self._buffer[0] & 15, self._buffer[start:end]
            self._buffer = self._buffer[end:]
            self._take(kind, payload)

    def _frame_size(self) -> tuple[int, int] | None:
        """The start and end of the first frame's payload; None until the frame is complete."""
        if len(self._buffer) < 10 and len(self._buffer) < 2 + (self._buffer[1:2] or b"\x7f")[0]:
            return None
        size, start = self._buffer[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(self._buffer[2:start], "big")
        return (start, start + size) if len(self._buffer) >= start + size else None

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self._transport.write(frame(PONG, payload))
        elif kind == CLOSE:
            raise RuntimeError(f"closed: {payload!r}")
        elif kind == TEXT:
            self._hear(orjson.loads(payload))

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "connection_ack":
            for number in range(self._times):
                self._say({"type": "subscribe", "id": str(number), "payload": self._subscription})
        elif message["type"] == "next" and "errors" not in message["payload"]:
            self._told(message["payload"]["data"]["deploymentStatsChanged"]["attempts"])
            if not self.first.done():
                self.first.set_result(None)
        elif message["type"] != "pong":
            raise RuntimeError(f"not what was asked for: {message}")

    def _say(self, message: dict[str, Any]) -> None:
        self._transport.write(frame(TEXT, orjson.dumps(message)))


@dataclass
class Round:
    """Counts the followers that have received the awaited change."""

    attempts: int
    missing: int
    told: set[int]
    moments: list[float]
    done: asyncio.Event

    def hear(self, follower: int, attempts: int) -> None:
        if attempts >= self.attempts and follower not in self.told:
            self.told.add(follower)
            self.moments.append(time.perf_counter())
            self.missing -= 1
            if self.missing == 0:
                self.done.set()


async def _connect(port: int, *, small_buffer: bool) -> socket.socket:
    connection = socket.socket()
    if small_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return connection


async def _follow(read: Callable[[], bytes]) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_give_up)
    job = orjson.loads(await asyncio.to_thread(read))
    largest, round_ = 0, Round(1 << 60, 0, set(), [], asyncio.Event())

    def hear(follower: int, attempts: int) -> None:
        nonlocal largest
        largest = max(largest, attempts)
        round_.hear(follower, attempts)

    tokens: list[str] = job["tokens"]
    for number, token in enumerate(tokens):
        follower = Follower(token, job["subscription"], job["times"], partial(hear, number))
        await loop.create_connection(
            lambda follower=follower: follower,  # type: ignore[misc]
            sock=await _connect(job["port"], small_buffer=job["paused"]),
        )
        await follower.first
        if job["paused"]:
            follower.pause()
    _print({"attempts": largest})
    while line := await asyncio.to_thread(read):
        round_ = Round(int(line), len(tokens), set(), [], asyncio.Event())
        _print({"waiting": True})
        await round_.done.wait()
        _print({"median": statistics.median(round_.moments), "last": round_.moments[-1]})


def _print(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.buffer.flush()


def _give_up(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    sys.stderr.write(f"{context.get('exception') or context['message']}\n")
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    uvloop.run(_follow(sys.stdin.buffer.readline))
