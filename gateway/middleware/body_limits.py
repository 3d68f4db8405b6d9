"""Bounds what a request body may weigh and how long it may take, while it is still arriving."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import SlowRequest
from ingest.events import MAX_BODY_BYTES
from storage.errors import TooLarge

KIB = 1024
BODY_BYTES: Mapping[str, int] = MappingProxyType(
    {"/graphql": 100 * KIB, "/v1/events": MAX_BODY_BYTES}
)
OTHER_BODY_BYTES = 16 * KIB
BODY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class BodyLimits:
    app: ASGIApp
    body_bytes: Mapping[str, int] = field(default_factory=lambda: BODY_BYTES)
    seconds: float = BODY_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        allowed = self.body_bytes.get(scope["path"], OTHER_BODY_BYTES)
        if _announced(scope) > allowed:
            raise too_large(allowed)
        await self.app(scope, _Body(receive, allowed, self.seconds), send)


class _Body:
    """A `receive` that counts bytes and seconds until the body is complete."""

    __slots__ = ("_allowed", "_complete", "_deadline", "_receive", "_received")

    def __init__(self, receive: Receive, allowed: int, seconds: float) -> None:
        self._receive = receive
        self._allowed = allowed
        self._received = 0
        self._complete = False
        self._deadline = asyncio.get_running_loop().time() + seconds

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()  # waits for the client to leave: no limit on that
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise SlowRequest("The request body took too long to arrive.") from None
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
        if self._received > self._allowed:
            raise too_large(self._allowed)
        return message


def too_large(allowed: int) -> TooLarge:
    return TooLarge(
        f"The request body is too large: at most {allowed} bytes are accepted here.",
        limit="body_bytes",
    )


def _announced(scope: Scope) -> int:
    """The Content-Length, or 0 where the length is not told beforehand or is no number."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
