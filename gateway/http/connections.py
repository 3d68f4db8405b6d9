"""HTTP connections that are put out when slow, and answered at shutdown when half-sent."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import orjson
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.http.connection_limit import ConnectionLimit
from gateway.http.proxies import LOCAL

HEAD_BYTES = 64 * 1024
# How long a client may take to send a request's head, or its body, or to take in a part of its
# answer.
PATIENCE_SECONDS = 30.0
CHECK_SECONDS = 5.0

# Beyond this many connections at once a new one is told to come again later.
CONNECTIONS = 2_000
# How long an open connection may still bring a request once the process no longer accepts others:
# one that closes before it reads what has arrived resets the connection instead.
FIRST_REQUEST_SECONDS = 2.0
NEXT_REQUEST_SECONDS = 0.5
# How long a WebSocket may take to end once nothing more comes from our side.
LINGER_SECONDS = 15.0

_OFFER = re.compile(rb"\r\n(upgrade:[ \t]*h2c)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is told to a connection before there is a request to answer."""

    status: str
    code: str
    message: str
    headers: str = ""

    def encode(self) -> bytes:
        body = orjson.dumps({"error": {"code": self.code, "message": self.message}})
        head = (
            f"HTTP/1.1 {self.status}\r\ncontent-type: application/json; charset=utf-8\r\n"
            f"cache-control: no-store\r\nx-content-type-options: nosniff\r\n{self.headers}"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        return head.encode("ascii") + body


MALFORMED = Refusal("400 Bad Request", "BAD_USER_INPUT", "This is no request in HTTP/1.1.")
SLOW = Refusal(
    "408 Request Timeout",
    "TIMEOUT",
    f"The head of the request took longer than {PATIENCE_SECONDS:.0f} seconds.",
)
SLOW_BODY = Refusal(
    "408 Request Timeout",
    "TIMEOUT",
    f"The body of the request took longer than {PATIENCE_SECONDS:.0f} seconds.",
)
LARGE = Refusal(
    "431 Request Header Fields Too Large",
    "LIMIT_EXCEEDED",
    f"The head of the request is larger than {HEAD_BYTES} bytes.",
)
GREEDY = Refusal(
    "429 Too Many Requests",
    "RATE_LIMITED",
    "Your address holds too many connections open: use fewer, and each for many requests.",
    "retry-after: 1\r\n",
)
FULL = Refusal(
    "503 Service Unavailable",
    "UNAVAILABLE",
    "Too many connections are open at the moment.",
    "retry-after: 5\r\n",
)
STOPPING = Refusal(
    "503 Service Unavailable",
    "UNAVAILABLE",
    "The gateway stops: connect again.",
    "retry-after: 1\r\n",
)


class LimitedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that keeps counting towards its address's connection limit."""

    _limited_address: str | None = None
    _end: asyncio.TimerHandle | None = None

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self._end_soon()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._end_soon()

    def _end_soon(self) -> None:
        """Closing alone would wait for as long as the other side takes nothing in."""
        if self._end is None and not self.disconnected:
            self._end = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        limit: ConnectionLimit | None = getattr(self.config, "connection_limit", None)
        if limit is not None:
            self._limited_address = limit.add(self.client[0] if self.client else LOCAL)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._limited_address is not None:
            self.config.connection_limit.remove(self._limited_address)  # type: ignore[attr-defined]
            self._limited_address = None
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)


class Config(uvicorn.Config):
    """uvicorn's configuration, with the limit of connections per address."""

    def __init__(self, app: ASGIApp, connection_limit: ConnectionLimit, **options: Any) -> None:
        super().__init__(app, http=HttpConnection, **options)
        self.connection_limit = connection_limit


class HttpConnection(HttpToolsProtocol):
    """uvicorn's protocol with the limits it lacks: head size, slow clients, connections.

    The size of a body has its bounds in the middleware, and an application its own deadlines.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        self._reading_head = False
        self._shutting_down = False
        self._waiting_since = self._body_since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None
        self._limit: ConnectionLimit | None = getattr(self.config, "connection_limit", None)
        self._limited_address: str | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > CONNECTIONS:
            self._refuse(FULL)
        elif self._limit is not None:
            self._limited_address = self._limit.add(self.client[0] if self.client else LOCAL)
            if self._limited_address is not None and self._limit.is_exceeded(self._limited_address):
                self._refuse(GREEDY)

    def connection_lost(self, exc: Exception | None) -> None:
        self._release()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        if self._shutting_down:  # nobody would tell it to end
            self._refuse(STOPPING)
            return
        self._release()  # another protocol takes over
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        if b"h2c" in data and self._is_idle() and not self._reading_head:
            data = _without_upgrade(data)
        super().data_received(data)
        if self._reading_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading_head = True
        self._head_bytes = 0
        if self._is_idle():
            self._waiting_since = self.loop.time()

    def on_headers_complete(self) -> None:
        self._reading_head = False
        self._body_since = self.loop.time()
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope is self.scope:
            self.headers = []  # for what may come as trailers, which proxies look at less closely
        if self._shutting_down and self.cycle is not None:  # there is none for a WebSocket
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        self._waiting_since = self.loop.time()
        super().on_response_complete()

    def resume_writing(self) -> None:
        self._waiting_since = self.loop.time()
        super().resume_writing()

    def shutdown(self) -> None:
        """Answers the request that is being read or on its way, then closes the connection."""
        self._shutting_down = True
        if self._is_idle():
            seconds = FIRST_REQUEST_SECONDS if self.cycle is None else NEXT_REQUEST_SECONDS
            self._end = self.loop.call_later(seconds, self._close_idle)
        else:
            super().shutdown()

    def _close_idle(self) -> None:
        if self._is_idle() and not self._reading_head:
            self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _is_reading_body(self) -> bool:
        return not self._is_idle() and self.cycle.more_body

    def _watch(self) -> None:
        self._timer = self.loop.call_later(CHECK_SECONDS, self._watch)
        unsent_bytes = self.transport.get_write_buffer_size()
        if self.flow.read_paused or self.pipeline:
            self._body_since = self.loop.time()  # it waits for us, not we for it
        if self._is_reading_body() and self.loop.time() - self._body_since > PATIENCE_SECONDS:
            self._refuse_request(SLOW_BODY)
        elif unsent_bytes == 0 and not self._is_idle():
            self._waiting_since = self.loop.time()  # it is the application that takes its time
        elif self.loop.time() - self._waiting_since > PATIENCE_SECONDS:
            self._put_out(unsent_bytes)

    def _release(self) -> None:
        for timer in (self._timer, self._end):
            if timer is not None:
                timer.cancel()
        if self._limit is not None and self._limited_address is not None:
            self._limit.remove(self._limited_address)
            self._limited_address = None

    def _put_out(self, unsent_bytes: int) -> None:
        if unsent_bytes or self.transport.is_closing():
            self.transport.abort()
        elif self._reading_head:
            self._refuse(SLOW)
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse_request(MALFORMED)

    def _refuse_request(self, refusal: Refusal) -> None:
        """Its head was fine and its body is not: the refusal goes before the application's word.

        Nothing is said where the answer to an earlier request is under way.
        """
        if not (self._is_idle() or self.pipeline or self.cycle.response_started):
            self.cycle.disconnected = self.cycle.response_complete = True
            self.cycle.message_event.set()
        self._refuse(refusal)

    def _refuse(self, refusal: Refusal) -> None:
        if self._is_idle() and not self.transport.is_closing():
            self.transport.write(refusal.encode())
        self.transport.close()


def _without_upgrade(data: bytes) -> bytes:
    """Without an offer of HTTP/2, as Java's client makes it: the parser would drop the body."""
    head, end, rest = data.partition(b"\r\n\r\n")
    return _OFFER.sub(rb"\r\nx-\1", head) + end + rest
