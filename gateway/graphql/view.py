"""GraphQL over HTTP: one operation per request, status codes as the specification has them."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.graphql.documents.documents import BadDocument
from gateway.graphql.errors import OK
from gateway.graphql.live.events import EventStreams
from gateway.graphql.requests import read
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
from gateway.pages.serving import Pages
from storage.errors import GatewayError, InvalidInput

METHODS = "GET, POST"

OnOperation = Callable[[str, str, float], None]


@dataclass(frozen=True, slots=True)
class GraphQLView:
    """The ASGI application behind GET and POST /graphql."""

    service: GraphQLService
    streams: EventStreams
    on_operation: OnOperation
    pages: Pages  # with GraphiQL, GET answers browsers with it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in ("GET", "POST"):
            raise MethodNotAllowed("Send a GraphQL request by POST or GET.", allow=METHODS)
        offered = WITH_PAGE if self.pages.graphiql and request.method == "GET" else OFFERED
        media_type = preferred(",".join(request.headers.getlist("accept")), offered)
        if media_type == HTML:
            response = self.pages.respond()
            response.headers["vary"] = "Accept"
            return response
        if media_type is None:
            raise NotAcceptable(f"This endpoint answers with {' or '.join(OFFERED)}.")
        exchange = Exchange.of(request.scope)
        exchange.required_viewer()
        if media_type == EVENT_STREAM:
            async with self.service.charged_if_refused(exchange):
                operation = await read(request)
            return self.streams.respond(request, operation)
        answer = await self._answer(request, exchange)
        status = 200 if answer.ran or media_type != GRAPHQL else 400
        content_type = f"{media_type}; charset=utf-8"
        headers = {**NOT_CACHED, "content-type": content_type, **answer.headers}
        if request.method == "GET" and answer.ran and answer.outcome == OK:
            return await cacheable_response(request.headers, answer.body, headers)
        if exchange.operation == OperationType.MUTATION.value:
            # It may hold a token that was just made, which its compressed length could betray.
            return Response(answer.body, status, headers=headers)
        return await compressed_response(request.headers, answer.body, status, headers)

    async def _answer(self, request: Request, exchange: Exchange) -> Answered:
        """Answers the operation, and records its kind, outcome and duration however it ends."""
        started = time.perf_counter()
        exchange.operation, exchange.outcome = "unknown", "INTERNAL"
        service = self.service
        try:
            async with service.charged_if_refused(exchange):
                prepared = await service.prepare(exchange, await read(request))
                if prepared.operation.is_subscription:
                    raise InvalidInput(
                        "Subscriptions cannot be answered by a single HTTP response: accept "
                        "text/event-stream, or connect by WebSocket."
                    )
            exchange.operation = prepared.operation.kind.value
            await service.charge(exchange, prepared)
            answer = await service.answer(exchange, prepared, request)
            exchange.outcome = answer.outcome
        except BadDocument as error:
            answer = refused_answer(error, exchange)
            exchange.outcome = answer.outcome
        except GatewayError as error:
            exchange.outcome = error.code
            raise
        finally:
            seconds = time.perf_counter() - started
            self.on_operation(exchange.operation, exchange.outcome, seconds)
        return answer
