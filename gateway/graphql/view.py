"""GraphQL over HTTP: one operation per request, status codes as the specification has them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.graphql.documents.documents import BadDocument
from gateway.graphql.errors import OK
from gateway.graphql.incoming import accept_of, read, refuse_subscription
from gateway.graphql.prepared import charge_operation, charged_if_refused
from gateway.graphql.requests import GraphQLRequest
from gateway.graphql.service import Answered, GraphQLService, refused_answer
from gateway.http.delivery import (
    NOT_CACHED,
    cacheable_response,
    compressed_response,
)
from gateway.http.errors import MethodNotAllowed, NotAcceptable
from gateway.http.exchange import Exchange
from gateway.http.negotiation import (
    EVENT_STREAM,
    GRAPHQL,
    HTML,
    OFFERED,
    WITH_PAGE,
    preferred,
)
from gateway.pages.serving import page
from storage.errors import GatewayError

METHODS = "GET, POST"

OnOperation = Callable[[str, str, float], None]


class Streams(Protocol):
    """Answers operations as event streams."""

    def respond(self, request: Request, operation: GraphQLRequest) -> Response: ...


@dataclass(frozen=True, slots=True)
class GraphQLView:
    """The ASGI application behind GET and POST /graphql."""

    service: GraphQLService
    streams: Streams
    on_operation: OnOperation
    has_page: bool = True  # whether GET answers browsers with GraphiQL

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            raise MethodNotAllowed("Send a GraphQL request by POST or GET.", allow=METHODS)
        offered = WITH_PAGE if self.has_page and request.method == "GET" else OFFERED
        media_type = preferred(accept_of(request), offered)
        if media_type == HTML:
            return page()
        if media_type is None:
            raise NotAcceptable(f"This endpoint answers with {' or '.join(OFFERED)}.")
        exchange = Exchange.of(request.scope)
        exchange.required_viewer()
        if media_type == EVENT_STREAM:
            async with charged_if_refused(exchange, self.service.budgets):
                operation = await read(request)
            return self.streams.respond(request, operation)
        answer = await self._answer(request, exchange)
        status = 200 if answer.ran or media_type != GRAPHQL else 400
        content_type = f"{media_type}; charset=utf-8"
        headers = {**NOT_CACHED, "content-type": content_type, **answer.headers}
        if request.method == "GET" and answer.ran and answer.outcome == OK:
            return await cacheable_response(request.headers, answer.body, headers)
        if answer.compressible:
            return await compressed_response(request.headers, answer.body, status, headers)
        return Response(answer.body, status, headers=headers)

    async def _answer(self, request: Request, exchange: Exchange) -> Answered:
        """Answers the operation, and records its kind, outcome and duration however it ends."""
        started = time.perf_counter()
        exchange.operation, exchange.outcome = "unknown", "INTERNAL"
        service = self.service
        try:
            async with charged_if_refused(exchange, service.budgets):
                prepared = await service.prepare(exchange, await read(request))
                refuse_subscription(prepared.operation, request.method)
            exchange.operation = prepared.operation.value
            await charge_operation(exchange, service.budgets, prepared)
            answer = await service.answer(exchange, prepared, request)
            exchange.outcome = answer.outcome
        except BadDocument as error:
            answer = refused_answer(error.errors, exchange)
            exchange.outcome = answer.outcome
        except GatewayError as error:
            exchange.outcome = error.code
            raise
        finally:
            seconds = time.perf_counter() - started
            self.on_operation(exchange.operation, exchange.outcome, seconds)
        return answer
