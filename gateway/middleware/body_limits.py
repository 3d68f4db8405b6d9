"""Bounds what a request body may weigh, while it is still arriving."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.events import MAX_BODY_BYTES
from storage.errors import TooLarge

KIB = 1024
BODY_BYTES: Mapping[str, int] = MappingProxyType(
    {"/graphql": 100 * KIB, "/v1/events": MAX_BODY_BYTES}
)
OTHER_BODY_BYTES = 16 * KIB


@dataclass(frozen=True, slots=True)
class BodyLimits:
    app: ASGIApp
    body_bytes: Mapping[str, int] = field(default_factory=lambda: BODY_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        allowed = self.body_bytes.get(scope["path"], OTHER_BODY_BYTES)
        if announced_bytes(scope) > allowed:
            raise too_large(allowed)
        await self.app(scope, _counted(receive, allowed), send)


def _counted(receive: Receive, allowed: int) -> Receive:
    """A `receive` that counts bytes."""
    received = 0

    async def receive_and_count() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > allowed:
                raise too_large(allowed)
        return message

    return receive_and_count


def too_large(allowed: int) -> TooLarge:
    return TooLarge(
        f"The request body is too large: at most {allowed} bytes are accepted here.",
        limit="body_bytes",
    )


def announced_bytes(scope: Scope) -> int:
    """The Content-Length, or 0 where the length is not told beforehand or is no number."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
