"""Tells callers how much room is left, and counts those who come without a valid token."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.limits import Budget
from gateway.admission import STATE, admit, limit_headers
from gateway.requests import state_of
from storage.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class RateLimitHeaders:
    """Outside of what makes answers of failures, so that a refusal tells as well."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start" and (decided := state_of(scope).get(STATE)):
                message["headers"] = [*message["headers"], *limit_headers(decided)]
            await send(message)

        await self.app(scope, receive, send_with_limits)


@dataclass(frozen=True, slots=True)
class Strangers:
    """A request without a valid token takes from its address's budget, whatever it asked for.

    Tokens are looked at first, so a valid one is never harmed by its neighbours.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except Unauthenticated:
            if scope["type"] == "http":
                await admit(HTTPConnection(scope), None, {Budget.ADDRESS: 1})
            raise
