"""Reads a GraphQL request from an HTTP request, and checks its method."""

from graphql import OperationType
from starlette.requests import Request

from gateway.graphql.requests import GraphQLRequest, from_body, from_query_string
from gateway.http.delivery import plain_body
from gateway.http.errors import MethodNotAllowed, UnsupportedMediaType
from gateway.http.exchange import Exchange
from gateway.http.negotiation import is_json
from storage.errors import InvalidInput


def accept_of(request: Request) -> str | None:
    return ",".join(request.headers.getlist("accept")) or None


async def read(request: Request) -> GraphQLRequest:
    """The parameters, from the query string or the body; raises InvalidInput."""
    if request.method == "GET":
        try:
            return from_query_string(request.query_params)
        except UnicodeDecodeError:
            raise InvalidInput("The query string is not UTF-8.") from None
    if not is_json(request.headers.get("content-type")):
        raise UnsupportedMediaType("Send the request as application/json in UTF-8.")
    limit_bytes = Exchange.of(request.scope).route.body_bytes
    return from_body(plain_body(request.headers, await request.body(), limit_bytes))


def refuse_subscription(operation: OperationType, method: str) -> None:
    """Raises for an operation that one HTTP response cannot answer, or this method not ask for."""
    if operation is OperationType.SUBSCRIPTION:
        raise InvalidInput(
            "Subscriptions cannot be answered by a single HTTP response: accept text/event-stream, "
            "or connect by WebSocket."
        )
    refuse_mutation_by_get(operation, method)


def refuse_mutation_by_get(operation: OperationType, method: str) -> None:
    if operation is OperationType.MUTATION and method == "GET":
        raise MethodNotAllowed("Mutations must be sent by POST.", allow="POST")
