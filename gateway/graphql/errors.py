"""Errors in GraphQL responses: a message the client may see, a code, the request id."""

from typing import Any

import structlog
from graphql import ArgumentNode, ExecutionResult, GraphQLError, ValueNode
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from gateway.graphql.documents.documents import BadDocument
from gateway.graphql.documents.limits import ERRORS_SHOWN
from gateway.http.crashes import Crash
from gateway.http.errors import MASK, error_headers, extensions_of, json_response
from gateway.http.negotiation import JSON, preferred
from storage.errors import GatewayError, LimitExceeded, Timeout, Unavailable

log = structlog.get_logger(component="graphql")

OK = "ok"


def graphql_error(error: GatewayError, scope: Scope, request_id: str) -> Response:
    """An error response in GraphQL's form, for a request that was not executed."""
    media_type = preferred(",".join(Headers(scope=scope).getlist("accept"))) or JSON
    headers = error_headers(error) | {"vary": "Accept"}
    return json_response(error_body(error, request_id), error.http_status, media_type, headers)


def error_body(error: GatewayError, request_id: str) -> dict[str, Any]:
    """The body of a response to a request that was not executed; equal errors appear once."""
    if not isinstance(error, BadDocument):
        return {"errors": [{"message": error.message, "extensions": _details(error, request_id)}]}
    distinct: dict[tuple[str, str], GraphQLError] = {}
    for reason in error.errors:
        distinct.setdefault((reason.message, str(reason.path)), reason)
    return {"errors": [_describe(reason, request_id) for reason in distinct.values()]}


def executed(result: ExecutionResult, request_id: str) -> dict[str, Any]:
    """The body of an executed operation; the list of its errors is capped."""
    if not result.errors:
        return {"data": result.data}
    shown = [_describe_field_error(error, request_id) for error in result.errors[:ERRORS_SHOWN]]
    if (hidden := len(result.errors) - len(shown)) > 0:
        capped = LimitExceeded(f"{hidden} more errors are not shown.", limit="errors")
        shown += error_body(capped, request_id)["errors"]
    return {"errors": shown, "data": result.data}


def code_of(body: dict[str, Any]) -> str:
    """The outcome for metrics and logs: the code of the first error, or "ok"."""
    errors = body.get("errors")
    return str(errors[0]["extensions"]["code"]) if errors else OK


def unanswered(result: ExecutionResult) -> Unavailable | None:
    """The reason why an answer has no data at all, if a server is away; else None."""
    if not result.errors or any(value is not None for value in (result.data or {}).values()):
        return None
    causes = [_cause(error) for error in result.errors]
    unavailable = [cause for cause in causes if isinstance(cause, Unavailable)]
    return unavailable[0] if len(unavailable) == len(causes) else None


def crashes(result: ExecutionResult) -> list[Crash]:
    """The unexpected exceptions of a result."""
    return [Crash.of(_cause(error)) for error in result.errors or () if not _is_expected(error)]


def never_began(result: ExecutionResult) -> list[str]:
    """The response names of root fields whose arguments were refused, so that they never began."""
    return [
        str(error.path[0])
        for error in result.errors or ()
        if error.path and len(error.path) == 1 and _is_argument(error)
    ]


def _describe_field_error(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = _cause(error)
    if isinstance(cause, GatewayError):
        if isinstance(cause, Unavailable | Timeout):
            log.warning("field_failed", path=error.path, code=cause.code, reason=cause.message)
    elif _is_expected(error):
        return _describe(error, request_id)
    else:
        log.error("field_crashed", path=error.path, request_id=request_id, exc_info=cause)
        cause = GatewayError(MASK)
    shown = {"message": cause.message, "extensions": _details(cause, request_id)}
    return {**error.formatted, **shown}


def _cause(error: GraphQLError) -> BaseException:
    """The exception that the resolver raised, without the layers around it."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_expected(error: GraphQLError) -> bool:
    """Whether the client may see the error; others are faults of the gateway and masked."""
    cause = _cause(error)
    if isinstance(cause, GraphQLError):
        return bool(cause.extensions) or _is_argument(error)
    return isinstance(cause, GatewayError)


def _is_argument(error: GraphQLError) -> bool:
    """Whether an argument of the client is at fault, rather than a value of the gateway."""
    return any(isinstance(node, ArgumentNode | ValueNode) for node in error.nodes or ())


def _describe(error: GraphQLError, request_id: str) -> dict[str, Any]:
    cause = _cause(error)
    extensions = dict(cause.extensions or {}) if isinstance(cause, GraphQLError) else {}
    # A GatewayError comes from a scalar or an input that refused a value.
    code = cause.code if isinstance(cause, GatewayError) else BadDocument.code
    shown = {"code": code, **extensions, "requestId": request_id}
    return {**error.formatted, "extensions": shown}


def _details(error: GatewayError, request_id: str) -> dict[str, Any]:
    return {"code": error.code, "requestId": request_id, **extensions_of(error)}
