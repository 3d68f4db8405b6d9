"""Errors in GraphQL responses: a message the client may see, a code, the request id."""

from collections.abc import Sequence
from typing import Any

import structlog
from graphql import ArgumentNode, ExecutionResult, GraphQLError, ValueNode
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from gateway.graphql.documents.limits import ERRORS_SHOWN
from gateway.http.errors import MASK, error_headers, extensions_of, json_response
from gateway.http.negotiation import JSON, preferred
from gateway.observability.crashes import describe_crash
from storage.errors import GatewayError, LimitExceeded, Timeout, Unavailable

log = structlog.get_logger(component="graphql")

OK = "ok"
BAD_INPUT = "BAD_USER_INPUT"
INTERNAL = "INTERNAL"


def graphql_error(error: GatewayError, scope: Scope, request_id: str) -> Response:
    """An error response in GraphQL's form, for a request that was not executed."""
    media_type = preferred(",".join(Headers(scope=scope).getlist("accept")) or None) or JSON
    headers = error_headers(error) | {"vary": "Accept"}
    return json_response(refused(error, request_id), error.http_status, media_type, headers)


def refused(error: GatewayError, request_id: str) -> dict[str, Any]:
    """The body of a response to a request that was not executed."""
    extensions = {"code": error.code, "requestId": request_id, **extensions_of(error)}
    return {"errors": [{"message": error.message, "extensions": extensions}]}


def refused_with(errors: Sequence[GraphQLError], request_id: str) -> dict[str, Any]:
    """The body for a document or variables that cannot be executed; equal errors appear once."""
    distinct: dict[tuple[str, str], GraphQLError] = {}
    for error in errors:
        distinct.setdefault((error.message, str(error.path)), error)
    return {"errors": [_describe(error, request_id, BAD_INPUT) for error in distinct.values()]}


def executed(result: ExecutionResult, request_id: str) -> dict[str, Any]:
    """The body of an executed operation; the list of its errors is capped."""
    if not result.errors:
        return {"data": result.data}
    shown = [_describe_field_error(error, request_id) for error in result.errors[:ERRORS_SHOWN]]
    if (hidden := len(result.errors) - len(shown)) > 0:
        capped = LimitExceeded(f"{hidden} more errors are not shown.", limit="errors")
        shown += refused(capped, request_id)["errors"]
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
    if not all(isinstance(cause, Unavailable) for cause in causes):
        return None
    return next(cause for cause in causes if isinstance(cause, Unavailable))


def crashes(result: ExecutionResult) -> list[dict[str, Any]]:
    """The unexpected exceptions of a result, described for the audit log."""
    return [
        describe_crash(_cause(error)) for error in result.errors or () if not _is_expected(error)
    ]


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
        shown = _located(error, cause.message)
        shown["extensions"] = {
            "code": cause.code,
            "requestId": request_id,
            **extensions_of(cause),
        }
        if isinstance(cause, Unavailable | Timeout):
            log.warning("field_failed", path=error.path, code=cause.code, reason=cause.message)
        return shown
    if _is_expected(error):
        return _describe(error, request_id, BAD_INPUT)
    log.error("field_crashed", path=error.path, request_id=request_id, exc_info=cause)
    shown = _located(error, MASK)
    shown["extensions"] = {"code": INTERNAL, "requestId": request_id}
    return shown


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


def _describe(error: GraphQLError, request_id: str, code: str) -> dict[str, Any]:
    cause = _cause(error)
    extensions = dict(cause.extensions or {}) if isinstance(cause, GraphQLError) else {}
    if isinstance(cause, GatewayError):  # a scalar or an input refused a value
        code = cause.code
    shown = _located(error, error.message)
    shown["extensions"] = {"code": code, **extensions, "requestId": request_id}
    return shown


def _located(error: GraphQLError, message: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": message}
    if error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    return shown
