"""HTTP connections that are put out when slow, and answered at shutdown when half-sent."""

import asyncio
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024
# How long a client may take to send a request's head, or to take in a part of its answer.
PATIENCE_SECONDS = 30.0
CHECK_SECONDS = 5.0

_OFFER = re.compile(rb"\r\n(upgrade:[ \t]*h2c)", re.IGNORECASE)

REFUSAL = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class PatientConnection(HttpToolsProtocol):
    """uvicorn's protocol with the bounds it lacks: the head's size and time, and slow readers.

    A request body has its own bounds in the middleware, and an application its own deadlines.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        self._reading_head = False
        self._shutting_down = False
        self._waiting_since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._stop_watching()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        if b"h2c" in data and self._is_idle() and not self._reading_head:
            data = _without_upgrade(data)
        super().data_received(data)
        if self._reading_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")

    def _unsupported_upgrade_warning(self) -> None:
        """Offers of other protocols are common and harmless: they are not taken, nor told of."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading_head = True
        self._head_bytes = 0
        if self._is_idle():
            self._waiting_since = self.loop.time()

    def on_headers_complete(self) -> None:
        self._reading_head = False
        super().on_headers_complete()
        if self._shutting_down:
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        self._waiting_since = self.loop.time()
        super().on_response_complete()

    def resume_writing(self) -> None:
        self._waiting_since = self.loop.time()
        super().resume_writing()

    def shutdown(self) -> None:
        """A request whose head is half here is still answered, then the connection ends."""
        self._shutting_down = True
        if not (self._reading_head and self._is_idle()):
            super().shutdown()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        self._timer = self.loop.call_later(CHECK_SECONDS, self._watch)
        unsent_bytes = self.transport.get_write_buffer_size()
        if unsent_bytes == 0 and not self._is_idle():
            self._waiting_since = self.loop.time()  # it is the application that takes its time
        elif self.loop.time() - self._waiting_since > PATIENCE_SECONDS:
            self._put_out(unsent_bytes)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _put_out(self, unsent_bytes: int) -> None:
        if unsent_bytes or self.transport.is_closing():
            self.transport.abort()
        elif self._reading_head:
            self._refuse(b"408 Request Timeout")
        else:
            self.transport.close()

    def _refuse(self, status: bytes) -> None:
        if self._is_idle() and not self.transport.is_closing():
            self.transport.write(REFUSAL % status)
        self.transport.close()


def _without_upgrade(data: bytes) -> bytes:
    """Without an offer of HTTP/2, as Java's client makes it: the parser would drop the body."""
    head, end, rest = data.partition(b"\r\n\r\n")
    return _OFFER.sub(rb"\r\nx-\1", head) + end + rest
