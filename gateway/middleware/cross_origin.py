"""CORS and CSRF: pages of other origins may call nothing, unless CORS_ORIGINS names theirs.

Only routes for SDKs in any page take requests of every origin.

The gateway reads no cookies, so a foreign page cannot act in a person's name: the token is in the
Authorization header, for which browsers send a preflight. Simple requests, which browsers send
without one, are refused before anything is done.
"""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.exchange import Exchange
from gateway.http.origins import AllowedOrigins, is_foreign
from storage.errors import Forbidden

METHODS = "GET, POST"
EVERY_ORIGIN = AllowedOrigins(any=True)
MAX_AGE_SECONDS = 7200  # browsers keep it for no longer
REQUEST_HEADERS = (
    "Accept, Authorization, Content-Encoding, Content-Type, If-None-Match, Last-Event-ID, "
    "X-Request-ID, X-Sentry-Auth"
)
RESPONSE_HEADERS = (
    "Age, Cache-Status, ETag, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID, X-Sentry-Error, "
    "X-Sentry-Rate-Limits"
)


@dataclass(frozen=True, slots=True)
class CrossOrigin:
    """Checks the Origin on routes that other pages may call; elsewhere browsers get no CORS."""

    app: ASGIApp
    allowed: AllowedOrigins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = Exchange.of(scope).route
        if not route.is_cross_origin and not route.is_any_origin:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        allowed = EVERY_ORIGIN if route.is_any_origin else self.allowed
        answer = self._answer(scope, headers, allowed)
        if scope["type"] == "http":
            send = self._with_headers(headers.get("origin"), allowed, send)
        await (answer or self.app)(scope, receive, send)

    def _answer(self, scope: Scope, headers: Headers, allowed: AllowedOrigins) -> Response | None:
        """The response to a preflight or to a page that may not call; None lets the request in."""
        origin = headers.get("origin")
        is_preflight = _method(scope) == "OPTIONS" and "access-control-request-method" in headers
        if origin is not None and allowed.allow(origin):
            return preflight_response() if is_preflight else None
        # A link from elsewhere may lead a person to the page, which does nothing by itself.
        if not is_foreign(headers) or (not is_preflight and _is_visit(scope, headers)):
            return None
        refusal = Forbidden(
            "Pages of this origin may not send requests; CORS_ORIGINS lists the allowed origins."
        )
        exchange = Exchange.of(scope)
        return exchange.route.error_response(refusal, scope, exchange.request_id)

    def _with_headers(self, origin: str | None, allowed: AllowedOrigins, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and not allowed.none:
                headers = MutableHeaders(scope=message)
                if allowed.any:
                    headers["access-control-allow-origin"] = "*"
                else:
                    headers.add_vary_header("Origin")
                    if origin is not None and allowed.allow(origin):
                        headers["access-control-allow-origin"] = origin
                if "access-control-allow-origin" in headers:
                    headers["access-control-expose-headers"] = RESPONSE_HEADERS
            await send(message)

        return send_with_headers


def _method(scope: Scope) -> str:
    return str(scope.get("method", ""))


def _is_visit(scope: Scope, headers: Headers) -> bool:
    return _method(scope) in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"


def preflight_response() -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": REQUEST_HEADERS,
            "access-control-max-age": str(MAX_AGE_SECONDS),
            "cache-control": "no-store",
        },
    )
