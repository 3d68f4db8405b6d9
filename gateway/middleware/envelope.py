"""What goes around every answer: an id, the state of the budgets, a log line, a measurement.

One layer for all of them: each would have to follow what is sent, and none changes what is done.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import structlog
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.admission import budget_headers
from gateway.http.requests import state_of
from gateway.middleware.auditing import note_single, note_use
from gateway.observability.logs import REQUEST_ID

log = structlog.get_logger(component="access")

SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,100}")
UNMATCHED = "unmatched"
GONE = 499  # the status of a request that nobody waited to see answered
# Asked for every few seconds by probes and scrapers: logged only when they fail.
QUIET = frozenset({"/health", "/ready", "/live", "/metrics"})

# route template, method, status, seconds
OnRequest = Callable[[str, str, int, float], None]


def _numbered_ids() -> Iterator[str]:
    """Numbered from a random start, so that no two processes give the same."""
    return (f"{number:032x}" for number in count(int.from_bytes(os.urandom(15))))


_NEW_IDS = _numbered_ids()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Outside of what makes answers of failures, so that those have all of it too."""

    app: ASGIApp
    on_request: OnRequest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 0, time.perf_counter()
        request_id = state_of(scope)["request_id"] = _id_for(scope)
        context = REQUEST_ID.set(request_id)

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (b"x-request-id", request_id.encode("ascii"))
                message["headers"] = [*message["headers"], own, *budget_headers(scope)]
                note_use(scope, status)  # now: a stream may go on for hours
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            if not status:  # whoever asked has gone
                note_use(scope, status)
            note_single(scope)
            self._tell(scope, status or GONE, time.perf_counter() - began)
            REQUEST_ID.reset(context)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        """One measurement and one log line; never a token or a body."""
        route, method = _route_of(scope), scope["method"]
        self.on_request(route, method, status, seconds)
        if route not in QUIET or status >= 400:
            said = state_of(scope).get("log", {})
            duration_ms = round(seconds * 1000, 2)
            log.info(
                "request", method=method, path=route, status=status, duration_ms=duration_ms, **said
            )


def _route_of(scope: Scope) -> str:
    """The path template of the request's route; matches it where a refusal came before routing."""
    route = scope.get("route")
    if route is None:
        routes = scope["app"].routes
        route = next((each for each in routes if each.matches(scope)[0] is not Match.NONE), None)
    return getattr(route, "path", UNMATCHED)


def _id_for(scope: Scope) -> str:
    """The id that the client gave, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_ID.fullmatch(value):
            return str(value.decode("ascii"))
    return next(_NEW_IDS)
