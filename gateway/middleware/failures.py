"""Turns exceptions into error responses; unexpected ones are logged and masked."""

from dataclasses import dataclass

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.crashes import Crash
from gateway.http.errors import MASK, rest_error
from gateway.http.exchange import Exchange, exchange_or_empty
from storage.errors import GatewayError, Unauthenticated

_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")

log = structlog.get_logger(component="failures")


@dataclass(frozen=True, slots=True)
class Failures:
    """Answers in the form of the route: GraphQL errors on /graphql, `{error: {…}}` elsewhere."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = started or message["type"] in _STARTS
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except ClientDisconnect:
            return
        except Exception as error:
            exchange, failure = Exchange.of(scope), _shown(error)
            if isinstance(error, Unauthenticated):
                exchange.refusal = error.message
            elif not isinstance(error, GatewayError):
                exchange.crashes = [Crash.of(error)]
            if started:
                raise
            response = exchange.route.error_response(failure, scope, exchange.request_id)
            await response(scope, receive, send)


def _shown(error: Exception) -> GatewayError:
    if isinstance(error, GatewayError):
        if error.http_status >= 500:
            log.warning("request_failed", code=error.code, reason=error.message)
        return error
    log.error("request_crashed", exc_info=error)
    return GatewayError(MASK)


async def from_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own refusals, such as an unknown path, in our form."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    allow = headers.get("Allow", "GET, HEAD")
    advice = {
        404: "Nothing is here: queries go to /graphql, and events to /v1/events.",
        405: f"{request.method[:20]} is not allowed here: send {allow}.",
    }
    shown = GatewayError(advice.get(error.status_code, error.detail))
    shown.code = "NOT_FOUND" if error.status_code == 404 else "BAD_USER_INPUT"
    shown.http_status = error.status_code
    response = rest_error(shown, request.scope, Exchange.of(request.scope).request_id)
    response.headers.update(headers)
    return response


async def from_crash(request: Request, _error: Exception) -> Response:
    """The last resort, for exceptions outside of `Failures`."""
    exchange = exchange_or_empty(request.scope)
    return exchange.route.error_response(GatewayError(MASK), request.scope, exchange.request_id)
