"""Times each request: one log line and one measurement, never with a token or a body."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.requests import state_of

log = structlog.get_logger(component="access")

UNMATCHED = "unmatched"
# Asked for every few seconds by probes and scrapers: logged only when they fail.
QUIET = frozenset({"/health", "/ready", "/live", "/metrics"})

# route template, method, status, seconds
OnRequest = Callable[[str, str, int, float], None]


@dataclass(frozen=True, slots=True)
class Observation:
    app: ASGIApp
    on_request: OnRequest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", UNMATCHED)
        # No status means that the client left before there was an answer.
        status = status or 499
        self.on_request(route, scope["method"], status, seconds)
        if route in QUIET and status < 400:
            return
        log.info(
            "request",
            method=scope["method"],
            path=route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            **state_of(scope).get("log", {}),
        )
