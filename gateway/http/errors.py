"""Failures as HTTP answers: GraphQL JSON on /graphql, `{error: {code, …}}` elsewhere."""

import math
import re
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from gateway.graphql.answers.negotiation import JSON, preferred
from gateway.graphql.errors import MASK, extensions_of, refused
from gateway.http.requests import request_id_of
from storage.errors import GatewayError, InvalidInput, RateLimited, Unauthenticated, Unavailable

GRAPHQL_PATH = "/graphql"
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


def error_response(error: GatewayError, scope: Scope, request_id: str) -> Response:
    headers = _headers(error)
    if scope["path"] != GRAPHQL_PATH:
        return json_response(rest_body(error, request_id), error.http_status, headers=headers)
    body = refused(error.code, error.message, request_id, **extensions_of(error))
    media_type = preferred(_header(scope, b"accept")) or JSON
    return json_response(body, error.http_status, media_type, headers | {"vary": "Accept"})


async def from_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own refusals, such as an unknown path, in our form."""
    assert isinstance(error, HTTPException)
    code = "NOT_FOUND" if error.status_code == 404 else "BAD_USER_INPUT"
    headers = dict(error.headers or {})
    allow = headers.get("Allow", "GET, HEAD")
    advice = {
        404: "Nothing is here: queries go to /graphql, and events to /v1/events.",
        405: f"{request.method[:20]} is not taken here: send {allow}.",
    }
    shown = GatewayError(advice.get(error.status_code, error.detail))
    shown.code = code
    return json_response(
        rest_body(shown, request_id_of(request)), error.status_code, headers=headers
    )


async def from_crash(request: Request, _error: Exception) -> Response:
    """The last resort, for what crashed before it came to the middleware that masks."""
    return error_response(GatewayError(MASK), request.scope, request_id_of(request))


def rest_body(error: GatewayError, request_id: str) -> dict[str, Any]:
    details = extensions_of(error)
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            **details,
            "requestId": request_id,
        }
    }


def json_response(
    body: Any, status: int, media_type: str = JSON, headers: dict[str, str] | None = None
) -> Response:
    content_type = f"{media_type}; charset=utf-8"
    standard = {"content-type": content_type, "cache-control": "no-store"}
    return Response(orjson.dumps(body), status, headers=standard | (headers or {}))


def _headers(error: GatewayError) -> dict[str, str]:
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


def _header(scope: Scope, name: bytes) -> str | None:
    values = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return ",".join(values) or None
