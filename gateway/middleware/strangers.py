"""Counts those who come without a valid token."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from access.limits import Budget
from gateway.admission import admit
from storage.errors import Unauthenticated


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
