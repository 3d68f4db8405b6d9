"""Limits the size of request bodies, while they are still arriving."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.exchange import Exchange
from storage.errors import TooLarge


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Refuses a body above the `body_bytes` of its route."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = Exchange.of(scope).route.body_bytes
        if content_length(scope) > limit:
            raise too_large(limit)
        await self.app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    received = 0

    async def receive_and_count() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit:
                raise too_large(limit)
        return message

    return receive_and_count


def too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The request body is too large: at most {limit} bytes are accepted here.",
        limit="body_bytes",
    )


def content_length(scope: Scope) -> int:
    """The Content-Length, or 0 where it is missing or no number."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
