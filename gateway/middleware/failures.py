"""Turns what was raised further in into an answer; what nobody expected is masked and logged."""

from dataclasses import dataclass

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.graphql.errors import MASK
from gateway.http.errors import error_response
from gateway.http.requests import CRASHES, REFUSED, state_of
from gateway.observability.crashes import describe_crash
from storage.errors import GatewayError, Unauthenticated

_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")

log = structlog.get_logger(component="failures")


@dataclass(frozen=True, slots=True)
class Failures:
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = started or message["type"] in _STARTS
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except ClientDisconnect:
            return  # nobody is left to be answered
        except Exception as error:
            failure = _shown(error)
            if isinstance(error, Unauthenticated):
                state_of(scope)[REFUSED] = error.message
            elif not isinstance(error, GatewayError):
                state_of(scope)[CRASHES] = [describe_crash(error)]
            if started:
                raise
            response = error_response(failure, scope, state_of(scope).get("request_id", ""))
            await response(scope, receive, send)


def _shown(error: Exception) -> GatewayError:
    if isinstance(error, GatewayError):
        if error.http_status >= 500:
            log.warning("request_failed", code=error.code, reason=error.message)
        return error
    log.error("request_crashed", exc_info=error)
    return GatewayError(MASK)
