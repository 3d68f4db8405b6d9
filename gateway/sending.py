"""Sends an answer that is whole in one write, and checks each header's bytes only once.

uvicorn writes head and body apart and looks for forbidden bytes in each header of each answer;
where an answer was kept, that is more work than all the rest. So a head that tells a length waits
for its body. An application that fails in between is answered for with a 500.
"""

from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

# Most headers are the same in all answers; ids and ages come and go among them.
_KNOWN_HEADERS = 4_096
# These say how the body is sent: uvicorn's own code follows them.
_LENGTH = b"content-length"
_OF_THE_TRANSFER = frozenset({b"connection", _LENGTH, b"transfer-encoding"})
_NO_BODY = frozenset({204, 304})


class Sender:
    """What an application sends by, in place of uvicorn's own `send`."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle
        self.start: Message | None = None  # a head that waits for its body

    async def send(self, message: Message) -> None:
        start, self.start = self.start, None
        if start is None:
            if _tells_its_length(message) and not self._cycle.response_started:
                self.start = message
                return
        else:
            if (whole := self._whole(start, message)) is not None:
                self._write(whole)
                return
            await self._cycle.send(start)  # type: ignore[arg-type]
        await self._cycle.send(message)  # type: ignore[arg-type]

    def _whole(self, start: Message, message: Message) -> bytes | None:
        """The bytes of a plain answer; None where uvicorn has to look at how it is sent."""
        cycle, status = self._cycle, start["status"]
        if message["type"] != "http.response.body" or message.get("more_body"):
            return None
        if cycle.flow.write_paused or cycle.disconnected or status in _NO_BODY:
            return None
        if cycle.scope["method"] == "HEAD" or not cycle.keep_alive:
            return None
        body = message.get("body", b"")
        length = (_LENGTH, b"%d" % len(body))
        lines = [STATUS_LINE[status]]
        for header in (*cycle.default_headers, *start["headers"]):
            line = b"%b: %b\r\n" % header if header == length else _line(*header)
            if line is None:
                return None
            lines.append(line)
        lines += (b"\r\n", body)
        return b"".join(lines)

    def _write(self, answer: bytes) -> None:
        """As uvicorn ends an answer."""
        cycle = self._cycle
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(answer)
        cycle.message_event.set()
        cycle.on_response()


async def with_sender(
    app: ASGIApp, cycle: RequestResponseCycle, scope: Scope, receive: Receive, _send: Send
) -> None:
    """The application, sending through a Sender."""
    sender = Sender(cycle)
    await app(scope, receive, sender.send)
    if sender.start is not None:  # uvicorn tells what is wrong with it
        await cycle.send(sender.start)  # type: ignore[arg-type]


def _tells_its_length(message: Message) -> bool:
    """A stream does not, and its head has to go out before anything is known of its body."""
    if message["type"] == "http.response.start":
        for name, _value in message.get("headers", ()):
            if name == _LENGTH:
                return True
    return False


@lru_cache(maxsize=_KNOWN_HEADERS)
def _line(name: bytes, value: bytes) -> bytes | None:
    """A header as it is sent; None where uvicorn has to decide about it."""
    lowered = name.lower()
    if lowered in _OF_THE_TRANSFER or HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        return None
    return b"%b: %b\r\n" % (lowered, value)
