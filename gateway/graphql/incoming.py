"""Reads a GraphQL request off HTTP, and says what its method allows."""

from graphql import OperationType
from starlette.requests import Request

from gateway.graphql.answers.delivery import plain_body
from gateway.graphql.answers.negotiation import is_json
from gateway.graphql.requests import GraphQLRequest, from_body, from_query_string
from gateway.http.errors import MethodNotAllowed, UnsupportedMediaType
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
    return from_body(plain_body(request.headers, await request.body()))


def allow(operation: OperationType, method: str) -> None:
    """Refuse what one HTTP response cannot answer, or this method may not ask for."""
    if operation is OperationType.SUBSCRIPTION:
        raise InvalidInput(
            "Subscriptions cannot be answered by a single HTTP response: accept text/event-stream, "
            "or connect by WebSocket."
        )
    allow_mutation(operation, method)


def allow_mutation(operation: OperationType, method: str | None) -> None:
    if operation is OperationType.MUTATION and method == "GET":
        raise MethodNotAllowed("Mutations must be sent by POST.", allow="POST")
