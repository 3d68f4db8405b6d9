"""Errors of HTTP, and error responses of routes outside of GraphQL."""

import math
import re
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Scope

from gateway.http.negotiation import JSON
from storage.errors import (
    GatewayError,
    InvalidInput,
    LimitExceeded,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

# Shown in place of the text of an unexpected exception.
MASK = "Something went wrong on our side. The request id finds it in the logs."
REALM = "deployment-analytics-gateway"


class MethodNotAllowed(InvalidInput):
    http_status = 405

    def __init__(self, message: str, *, allow: str) -> None:
        super().__init__(message)
        self.allow = allow


class NotAcceptable(InvalidInput):
    http_status = 406


class MisdirectedRequest(InvalidInput):
    """Meant for a host this gateway is not."""

    http_status = 421


class UnsupportedMediaType(InvalidInput):
    http_status = 415


class UnsupportedEncoding(UnsupportedMediaType):
    """The body is compressed in a way that is not read here."""


class InvalidToken(Unauthenticated):
    """A token was given and is not believed."""


def rest_error(error: GatewayError, _scope: Scope, request_id: str) -> Response:
    """An error response as `{error: {code, message, …}}`."""
    body = {
        "code": error.code,
        "message": error.message,
        **extensions_of(error),
        "requestId": request_id,
    }
    return json_response({"error": body}, error.http_status, headers=error_headers(error))


def extensions_of(error: GatewayError) -> dict[str, Any]:
    """Details of an error for programs: the argument at fault, the limit, when to try again."""
    more: dict[str, Any] = {}
    if error.path is not None:
        more["argument"] = error.path
    if isinstance(error, LimitExceeded):
        more["limit"] = error.limit
    if isinstance(error, RateLimited | Unavailable):
        more["retryAfterSeconds"] = error.retry_after_seconds
    return more


def json_response(
    body: Any, status: int, media_type: str = JSON, headers: dict[str, str] | None = None
) -> Response:
    content_type = f"{media_type}; charset=utf-8"
    standard = {"content-type": content_type, "cache-control": "no-store"}
    return Response(orjson.dumps(body), status, headers=standard | (headers or {}))


def error_headers(error: GatewayError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = f'Bearer realm="{REALM}"'
    if isinstance(error, InvalidToken):
        headers["www-authenticate"] += (
            f', error="invalid_token", error_description="{_plain(error)}"'
        )
    if isinstance(error, RateLimited | Unavailable):
        headers["retry-after"] = str(math.ceil(error.retry_after_seconds))
    if isinstance(error, MethodNotAllowed):
        headers["allow"] = error.allow
    if isinstance(error, UnsupportedEncoding):
        headers["accept-encoding"] = "gzip, deflate"
    return headers


def _plain(error: GatewayError) -> str:
    """The message as a header may quote it."""
    return re.sub(r"[^ !#-\[\]-~]", "", error.message)
