"""GraphQL over server-sent events, each operation on a connection of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.graphql.errors import error_body
from gateway.graphql.live.followers import Interrupted, Stopping, TooSlow
from gateway.graphql.live.operations import MAX_CONNECTIONS, LiveOperations
from gateway.graphql.requests import GraphQLRequest
from gateway.http.delivery import NOT_CACHED
from gateway.http.exchange import Exchange
from gateway.http.tokens import Authenticator, bearer_token
from storage.errors import GatewayError, RateLimited, Unavailable

HEARTBEAT_SECONDS = 12.0
RETRY_SECONDS = 5.0  # when another connection may have closed
HEADERS = {
    **NOT_CACHED,
    "content-type": "text/event-stream; charset=utf-8",
    "x-accel-buffering": "no",  # proxies such as nginx must not buffer the stream
}


@dataclass(frozen=True, slots=True)
class EventStreams:
    """Answers operations as event streams, in the protocol's distinct connections mode."""

    operations: LiveOperations
    authenticator: Authenticator

    def respond(self, request: Request, operation: GraphQLRequest) -> Response:
        connections = self.operations.connections
        exchange = Exchange.of(request.scope)
        exchange.is_stream, viewer = True, exchange.required_viewer()
        if not connections.enter(viewer.key):
            raise RateLimited(
                f"A viewer holds at most {MAX_CONNECTIONS} connections at once.",
                retry_after_seconds=RETRY_SECONDS,
            )
        on_end = partial(connections.leave, viewer.key)
        return _Stream(self._events(request, operation), on_end)

    async def _events(self, request: Request, operation: GraphQLRequest) -> AsyncIterator[bytes]:
        exchange = Exchange.of(request.scope)
        answers = self.operations.answers(exchange, operation)
        try:
            async with aclosing(answers):  # type: ignore[type-var]
                pending: asyncio.Task[bytes | None] | None = None
                try:
                    while True:
                        pending = pending or asyncio.ensure_future(anext(answers, None))
                        done, _ = await asyncio.wait({pending}, timeout=HEARTBEAT_SECONDS)
                        if not done:
                            await self._check_token(request)
                            yield b":\n\n"
                            continue
                        answer, pending = pending.result(), None
                        if answer is None:
                            break
                        await self._check_token(request)
                        yield b"event: next\ndata: %b\n\n" % answer
                finally:
                    if pending is not None:
                        pending.cancel()
                        with suppress(asyncio.CancelledError, GatewayError, Interrupted):
                            await pending
        except Stopping:
            return  # not complete, so that clients connect again
        except TooSlow:
            slow = Unavailable("The answers are not taken in: ask anew.")
            yield _next(error_body(slow, exchange.request_id))
        except GatewayError as error:
            yield _next(error_body(error, exchange.request_id))
        yield b"event: complete\ndata: \n\n"

    async def _check_token(self, request: Request) -> None:
        """Raises Unauthenticated if the token has expired or was revoked: its streams end."""
        with suppress(Unavailable):
            await self.authenticator.authenticate(bearer_token(request.scope) or "")


class _Stream(StreamingResponse):
    """A stream that calls `on_end` however it ends, even before its first event."""

    def __init__(self, events: AsyncIterator[bytes], on_end: Callable[[], None]) -> None:
        super().__init__(events, headers=HEADERS)
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._on_end()


def _next(body: Mapping[str, Any]) -> bytes:
    return b"event: next\ndata: %b\n\n" % orjson.dumps(body)
