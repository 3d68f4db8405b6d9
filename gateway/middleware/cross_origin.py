"""What pages of other origins may do: nothing, unless CORS_ORIGINS names theirs.

Nothing here is done for cookies, so nobody can be made to act by a foreign page unknowingly; a
token travels in the Authorization header, for which a browser asks first. Simple requests, for
which it does not ask, are refused before anything is done for them.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.errors import error_response
from gateway.http.origins import AllowedOrigins, is_foreign
from gateway.http.requests import state_of
from storage.errors import Forbidden, GatewayError

PATHS = frozenset({"/graphql", "/v1/events"})
METHODS = "GET, POST"
MAX_AGE_SECONDS = 7200  # browsers keep it for no longer
REQUEST_HEADERS = (
    "Accept, Authorization, Content-Encoding, Content-Type, If-None-Match, Last-Event-ID, "
    "X-Request-ID"
)
ANSWER_HEADERS = (
    "Age, Cache-Status, ETag, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID"
)


@dataclass(frozen=True, slots=True)
class CrossOrigin:
    app: ASGIApp
    allowed: AllowedOrigins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] not in PATHS:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = self._answer(scope, headers)
        if scope["type"] == "http":
            send = self._with_headers(headers.get("origin"), send)
        await (answer or self.app)(scope, receive, send)

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        """The answer to a preflight or to a page that may not ask; None lets the request in."""
        origin = headers.get("origin")
        asks_first = _method(scope) == "OPTIONS" and "access-control-request-method" in headers
        if origin is not None and self.allowed.allow(origin):
            return permission() if asks_first else None
        # A link from elsewhere may lead a person to the page, which does nothing by itself.
        if not is_foreign(headers) or (not asks_first and _is_visit(scope, headers)):
            return None
        refusal: GatewayError = Forbidden(
            "Pages of other origins may not ask here; CORS_ORIGINS lists those that may."
        )
        return error_response(refusal, scope, state_of(scope).get("request_id", ""))

    def _with_headers(self, origin: str | None, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and not self.allowed.none:
                headers = MutableHeaders(scope=message)
                if self.allowed.any:
                    headers["access-control-allow-origin"] = "*"
                else:
                    headers.add_vary_header("Origin")
                    if origin is not None and self.allowed.allow(origin):
                        headers["access-control-allow-origin"] = origin
                if "access-control-allow-origin" in headers:
                    headers["access-control-expose-headers"] = ANSWER_HEADERS
            await send(message)

        return send_with_headers


def _method(scope: Scope) -> str:
    return str(scope.get("method", ""))


def _is_visit(scope: Scope, headers: Headers) -> bool:
    return _method(scope) in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"


def permission() -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": REQUEST_HEADERS,
            "access-control-max-age": str(MAX_AGE_SECONDS),
            "cache-control": "no-store",
        },
    )
