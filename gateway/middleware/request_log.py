"""The outermost layer: begins the exchange of a request, and records how the request ended.

Log, metrics and token uses share one layer: each needs the response, and none changes it.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.token_uses import TokenUses
from gateway.http.audit_trail import record_failures, record_response
from gateway.http.charging import budget_headers
from gateway.http.edge_route import RouteTable
from gateway.http.exchange import WEBSOCKET, Exchange
from gateway.http.proxies import TrustedProxies
from gateway.observability.logs import REQUEST_ID

log = structlog.get_logger(component="access")

SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,100}")
CLIENT_LEFT = 499  # the status of a request whose client left before the response

# exchange, status, seconds
OnRequest = Callable[[Exchange, int, float], None]


def _numbered_ids() -> Iterator[str]:
    """Numbered from a random start, so that no two processes give the same."""
    return (f"{number:032x}" for number in count(int.from_bytes(os.urandom(15))))


_NEW_IDS = _numbered_ids()


@dataclass(frozen=True, slots=True)
class RequestLog:
    """Adds the request id and the budgets to the response; writes log line, metrics and audit.

    It wraps `Failures`, so that error responses get all of this too.
    """

    app: ASGIApp
    routes: RouteTable
    proxies: TrustedProxies
    token_uses: TokenUses
    on_request: Sequence[OnRequest]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self._begin(scope)
        if scope["type"] == "websocket":  # a connection logs its operations by itself
            await self.app(scope, receive, send)
            return
        status, began = 0, time.perf_counter()
        context = REQUEST_ID.set(exchange.request_id)

        async def send_and_record(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = (b"x-request-id", exchange.request_id.encode("ascii"))
                message["headers"] = [*message["headers"], request_id, *budget_headers(exchange)]
                # Not at the end, as a stream may last for hours.
                record_response(exchange, self.token_uses, status)
            await send(message)

        try:
            await self.app(scope, receive, send_and_record)
        finally:
            if not status:
                record_response(exchange, self.token_uses, status)
            record_failures(exchange, self.token_uses)
            self._log(exchange, status or CLIENT_LEFT, time.perf_counter() - began)
            REQUEST_ID.reset(context)

    def _begin(self, scope: Scope) -> Exchange:
        exchange = Exchange(
            _id_for(scope),
            self.routes.find(scope),
            scope.get("method", WEBSOCKET),
            self.proxies.client(scope),
            self.proxies.base_url(scope),
        )
        exchange.attach(scope)
        return exchange

    def _log(self, exchange: Exchange, status: int, seconds: float) -> None:
        """One measurement and one log line; never a token or a body."""
        route, method = exchange.route, exchange.method
        for on_request in self.on_request:
            on_request(exchange, status, seconds)
        if route.logs_successes or status >= 400:
            log.info(
                "request",
                method=method,
                path=route.path,
                status=status,
                duration_ms=round(seconds * 1000, 2),
                **exchange.log_fields(),
            )


def _id_for(scope: Scope) -> str:
    """The id that the client sent, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_ID.fullmatch(value):
            return str(value.decode("ascii"))
    return next(_NEW_IDS)
