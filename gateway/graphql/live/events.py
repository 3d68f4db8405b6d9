"""GraphQL over server-sent events, each operation on a connection of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from access.viewers import Viewer
from gateway.graphql.answers.delivery import NOT_CACHED
from gateway.graphql.documents.documents import BadDocument
from gateway.graphql.errors import extensions_of, refused, refused_with
from gateway.graphql.live.followers import Ended
from gateway.graphql.live.operations import Operations
from gateway.graphql.live.places import CONNECTIONS_AT_MOST, Places
from gateway.graphql.requests import GraphQLRequest
from gateway.http.requests import request_id_of
from gateway.middleware.authentication import authenticate
from storage.errors import GatewayError, RateLimited, Unavailable

HEARTBEAT_SECONDS = 12.0
RETRY_SECONDS = 5.0  # when a place may be free again
HEADERS = {
    **NOT_CACHED,
    "content-type": "text/event-stream; charset=utf-8",
    "x-accel-buffering": "no",  # proxies of nginx's kind shall not gather what is sent
}


@dataclass(frozen=True, slots=True)
class EventStreams:
    """Answers operations as event streams, in the protocol's distinct connections mode."""

    operations: Operations

    def respond(self, request: Request, viewer: Viewer, parameters: GraphQLRequest) -> Response:
        places = self.operations.places
        if not places.enter(viewer.key):
            raise RateLimited(
                f"A viewer holds at most {CONNECTIONS_AT_MOST} connections at once.",
                retry_after_seconds=RETRY_SECONDS,
            )
        return _Stream(self._events(request, viewer, parameters), places, viewer.key)

    async def _events(
        self, request: Request, viewer: Viewer, parameters: GraphQLRequest
    ) -> AsyncIterator[bytes]:
        answers = self.operations.answers(request, viewer, parameters)
        try:
            async with aclosing(answers):  # type: ignore[type-var]
                pending: asyncio.Task[bytes | Ended] | None = None
                try:
                    while True:
                        pending = pending or asyncio.ensure_future(anext(answers))
                        done, _ = await asyncio.wait({pending}, timeout=HEARTBEAT_SECONDS)
                        if not done:
                            await _still_believed(request)
                            yield b":\n\n"
                            continue
                        answer, pending = pending.result(), None
                        if isinstance(answer, Ended):
                            if answer.stopping:
                                return  # not complete, so that clients connect again
                            if answer.too_slow:
                                raise Unavailable("The answers are not taken in: ask anew.")
                            if answer.error is not None:
                                raise answer.error
                            break
                        await _still_believed(request)
                        yield b"event: next\ndata: %b\n\n" % answer
                finally:
                    if pending is not None:
                        pending.cancel()
                        with suppress(asyncio.CancelledError, StopAsyncIteration, GatewayError):
                            await pending
        except BadDocument as error:
            yield _next(refused_with(error.errors, request_id_of(request)))
        except GatewayError as error:
            told = refused(
                error.code, error.message, request_id_of(request), **extensions_of(error)
            )
            yield _next(told)
        yield b"event: complete\ndata: \n\n"


class _Stream(StreamingResponse):
    """Events that hold a place until the last one has been sent, or the client has left."""

    def __init__(self, events: AsyncIterator[bytes], places: Places, who: str) -> None:
        super().__init__(events, headers=HEADERS)
        self._places = places
        self._who = who

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.leave(self._who)


async def _still_believed(request: Request) -> None:
    """A token that has ended or was taken back ends its streams; raises Unauthenticated."""
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    with suppress(Unavailable):
        await authenticate(request.app, request.app.state.verifier, token)


def _next(body: Mapping[str, Any]) -> bytes:
    return b"event: next\ndata: %b\n\n" % orjson.dumps(body)
