"""What goes around every answer: an id, the state of the budgets, a log line, a measurement.

One layer for all of them: each would have to follow what is sent, and none changes what is done.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.admission import budget_headers
from gateway.logs import REQUEST_ID
from gateway.middleware.auditing import note_single, note_use
from gateway.requests import state_of

log = structlog.get_logger(component="access")

SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,100}")
UNMATCHED = "unmatched"
# Asked for every few seconds by probes and scrapers: logged only when they fail.
QUIET = frozenset({"/health", "/ready", "/live", "/metrics"})

# route template, method, status, seconds
OnRequest = Callable[[str, str, int, float], None]


def new_ids() -> Iterator[str]:
    """Numbered from a random start, so that no two processes give the same."""
    return (f"{number:032x}" for number in count(int.from_bytes(os.urandom(15))))


@dataclass(frozen=True, slots=True)
class Envelope:
    """Outside of what makes answers of failures, so that those have all of it too."""

    app: ASGIApp
    on_request: OnRequest
    _new_ids: Iterator[str] = field(default_factory=new_ids)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        request_id = _given_id(scope) or next(self._new_ids)
        state_of(scope)["request_id"] = request_id
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
            self._note(scope, status or 499, time.perf_counter() - started)
            REQUEST_ID.reset(context)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """One log line and one measurement, never with a token or a body."""
        route = getattr(scope.get("route"), "path", UNMATCHED)
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


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_ID.fullmatch(value):
            return str(value.decode("ascii"))
    return None
