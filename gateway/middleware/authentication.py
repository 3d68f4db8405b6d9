"""Reads the bearer token of a request; a token that is not valid ends the request."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from access.budgets import Budgets
from access.limits import Budget
from gateway.http.charging import charge
from gateway.http.exchange import Exchange
from gateway.http.tokens import Authenticator, bearer_token
from storage.errors import Forbidden, Unauthenticated


@dataclass(frozen=True, slots=True)
class Authentication:
    """Sets the exchange's viewer. Without a token there is none: routes that need one refuse.

    A request without a valid token is charged to its address, on every route, and so is one with a
    project key that was revoked. Tokens are verified first, so a valid one never pays for other
    clients at its address.
    """

    app: ASGIApp
    authenticator: Authenticator
    budgets: Budgets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A WebSocket authenticates by its first message.
        if scope["type"] != "http" or (exchange := Exchange.of(scope)).route.is_public:
            await self.app(scope, receive, send)
            return
        try:
            if exchange.route.reads_tokens and (token := bearer_token(scope)):
                exchange.viewer = await self.authenticator.authenticate(token)
            await self.app(scope, receive, send)
        except (Unauthenticated, Forbidden):
            if exchange.viewer is None:
                await charge(exchange, self.budgets, {Budget.ADDRESS: 1})
            raise
