"""A client in a process of its own that sends requests one after another.

Run by the benchmark as `python -m benchmarks.load`, with a job as JSON on its standard input; it
prints how many answers came, and in how many seconds.
"""

import asyncio
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import cast

import orjson
import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """The output of a client's process."""

    answered: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


@dataclass(frozen=True, slots=True)
class Request:
    """A POST to /graphql."""

    body: bytes
    headers: Mapping[str, str]

    def text(self) -> str:
        lines = ["POST /graphql HTTP/1.1", "Host: localhost", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines) + "\r\n\r\n" + self.body.decode()


async def load(port: int, requests: Sequence[Request], *, connections: int, seconds: float) -> Load:
    """Sends the requests in turn over several keep-alive connections, again from the first one
    after the last."""
    job = {
        "port": port,
        "requests": [each.text() for each in requests],
        "connections": connections,
        "seconds": seconds,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate(orjson.dumps(job))
    if process.returncode != 0:
        raise RuntimeError("the client's process failed; its messages are above")
    return Load(**orjson.loads(told))


class Sender(asyncio.Protocol):
    """One connection, which sends the next request when a response is complete."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self._requests, self._until = requests, until
        self._head = b""
        self._missing = 0
        self.answered = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            self._missing = self._length(end) + end + 4 - len(self._head)
            self._head = b""
        if self._missing == 0:
            self._next()

    def _length(self, end: int) -> int:
        match = _LENGTH.search(self._head, 0, end)
        if match is None or self._head[9:12] != b"200":
            self._fail(f"not answered well: {self._head[:500]!r}")
            return 1 << 40
        return int(match[1])

    def _next(self) -> None:
        self.answered += 1
        if time.perf_counter() < self._until:
            self._transport.write(next(self._requests))
        elif not self.ended.done():
            self.ended.set_result(None)
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the connection has ended early: {error}")

    def _fail(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_exception(RuntimeError(why))


async def _send(port: int, requests: list[str], connections: int, seconds: float) -> Load:
    endless = cycle([each.encode() for each in requests])
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    connected = [
        await loop.create_connection(lambda: Sender(endless, began + seconds), "127.0.0.1", port)
        for _ in range(connections)
    ]
    senders = [sender for _, sender in connected]
    await asyncio.gather(*(each.ended for each in senders))
    return Load(sum(each.answered for each in senders), time.perf_counter() - began)


def main() -> None:
    done = uvloop.run(_send(**orjson.loads(sys.stdin.buffer.read())))
    sys.stdout.buffer.write(orjson.dumps({"answered": done.answered, "seconds": done.seconds}))


if __name__ == "__main__":
    main()
