"""HTTP and WebSocket connections that end slow clients and finish requests before a shutdown."""

import asyncio
import re
from http import HTTPStatus
from typing import Any

import orjson
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.http.connection_limit import ConnectionLimit

HEAD_BYTES = 64 * 1024
# For a client to send a request's head, or its body, or to read a part of the response.
CLIENT_TIMEOUT_SECONDS = 30.0
CHECK_SECONDS = 5.0

# Further connections are refused with 503.
MAX_CONNECTIONS = 2_000
# How long an open connection may still send a request during a shutdown. Closing it with a request
# unread would reset it.
FIRST_REQUEST_SECONDS = 2.0
NEXT_REQUEST_SECONDS = 0.5
# How long a WebSocket's client may take to close after the application has ended.
LINGER_SECONDS = 15.0

_OFFER = re.compile(rb"\r\n(upgrade:[ \t]*h2c)", re.IGNORECASE)


def _refusal(
    status: int, code: str, message: str, *, retry_after_seconds: int | None = None
) -> bytes:
    """The bytes of an error response, for connections without a request to respond to."""
    body = orjson.dumps({"error": {"code": code, "message": message}})
    retry_after = "" if retry_after_seconds is None else f"retry-after: {retry_after_seconds}\r\n"
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "content-type: application/json; charset=utf-8\r\ncache-control: no-store\r\n"
        f"x-content-type-options: nosniff\r\n{retry_after}"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


_TOO_SLOW = f"of the request took longer than {CLIENT_TIMEOUT_SECONDS:.0f} seconds."
MALFORMED = _refusal(400, "BAD_USER_INPUT", "The request is not valid HTTP.")
SLOW_HEAD = _refusal(408, "TIMEOUT", f"The head {_TOO_SLOW}")
SLOW_BODY = _refusal(408, "TIMEOUT", f"The body {_TOO_SLOW}")
LARGE_HEAD = _refusal(
    431, "LIMIT_EXCEEDED", f"The head of the request is larger than {HEAD_BYTES} bytes."
)
ADDRESS_FULL = _refusal(
    429,
    "RATE_LIMITED",
    "Your address has too many open connections: close some, or send more requests over each.",
    retry_after_seconds=1,
)
FULL = _refusal(
    503,
    "UNAVAILABLE",
    "The gateway has too many open connections: connect again later.",
    retry_after_seconds=5,
)
STOPPING = _refusal(
    503,
    "UNAVAILABLE",
    "The gateway is shutting down: connect again.",
    retry_after_seconds=1,
)


class Config(uvicorn.Config):
    """uvicorn's configuration, with the limit of connections per address."""

    def __init__(self, app: ASGIApp, connection_limit: ConnectionLimit, **options: Any) -> None:
        super().__init__(app, http=HttpConnection, **options)
        self.connection_limit = connection_limit


class LimitedWebSocket(WebSocketsSansIOProtocol):
    """A WebSocket that keeps counting towards its address's connection limit."""

    config: Config
    payer: str | None = None
    _end: asyncio.TimerHandle | None = None

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self._end_soon()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._end_soon()

    def _end_soon(self) -> None:
        """Abort after a while: closing alone would wait for a client that reads nothing."""
        if self._end is None and not self.disconnected:
            self._end = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.payer = self.config.connection_limit.payer(self.client)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)


class HttpConnection(HttpToolsProtocol):
    """uvicorn's protocol with the limits it lacks: head size, slow clients, connections.

    The middleware limits the size of bodies, and the application its own time.
    """

    config: Config

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        self._reading_head = False
        self._shutting_down = False
        self._waiting_since = self._body_since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None
        self.payer: str | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._check_client()
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(FULL)
            return
        limit = self.config.connection_limit
        self.payer = limit.payer(self.client)
        if limit.is_exceeded(self.payer, self.connections):
            self._refuse(ADDRESS_FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        if self._shutting_down:  # the shutdown ends only the WebSockets that are open already
            self._refuse(STOPPING)
            return
        self._stop_timers()  # LimitedWebSocket takes over
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        if b"h2c" in data and self._is_idle() and not self._reading_head:
            data = _without_upgrade(data)
        super().data_received(data)
        if self._reading_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(LARGE_HEAD)

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
            self.headers = []  # so that trailers, which proxies check less, are no headers
        if self._shutting_down and self.cycle is not None:  # a WebSocket has no cycle
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        self._waiting_since = self.loop.time()
        super().on_response_complete()

    def resume_writing(self) -> None:
        self._waiting_since = self.loop.time()
        super().resume_writing()

    def shutdown(self) -> None:
        """Respond to a request that is running, half-read or on its way, then close."""
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

    def _check_client(self) -> None:
        """Every CHECK_SECONDS: end the connection if the client is too slow."""
        self._timer = self.loop.call_later(CHECK_SECONDS, self._check_client)
        now = self.loop.time()
        unsent_bytes = self.transport.get_write_buffer_size()
        if self.flow.read_paused or self.pipeline:
            self._body_since = now  # the client waits for us
        is_responding = not self._is_idle()
        is_late = now - self._body_since > CLIENT_TIMEOUT_SECONDS
        if is_responding and self.cycle.more_body and is_late:
            self._refuse_request(SLOW_BODY)
        elif unsent_bytes == 0 and is_responding:
            self._waiting_since = now  # the client waits for the application
        elif now - self._waiting_since > CLIENT_TIMEOUT_SECONDS:
            self._time_out(unsent_bytes)

    def _time_out(self, unsent_bytes: int) -> None:
        if unsent_bytes or self.transport.is_closing():
            self.transport.abort()
        elif self._reading_head:
            self._refuse(SLOW_HEAD)
        else:
            self.transport.close()

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._end):
            if timer is not None:
                timer.cancel()

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse_request(MALFORMED)

    def _refuse_request(self, refusal: bytes) -> None:
        """Refuse a request with a faulty body, in place of the application's response.

        Writes nothing while the response to an earlier request is being sent.
        """
        if not (self._is_idle() or self.pipeline or self.cycle.response_started):
            self.cycle.disconnected = self.cycle.response_complete = True
            self.cycle.message_event.set()
        self._refuse(refusal)

    def _refuse(self, refusal: bytes) -> None:
        if self._is_idle() and not self.transport.is_closing():
            self.transport.write(refusal)
        self.transport.close()


def _without_upgrade(data: bytes) -> bytes:
    """Remove an offer of HTTP/2, as Java's client makes it: the parser would drop the body."""
    head, end, rest = data.partition(b"\r\n\r\n")
    return _OFFER.sub(rb"\r\nx-\1", head) + end + rest
