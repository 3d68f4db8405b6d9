"""What goes around every answer: an id, the state of the budgets, a log line, a measurement.

One layer for all of them: each would have to follow what is sent, and none changes what is done.
"""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.admission import budget_headers
from gateway.logs import REQUEST_ID, RequestLine, log_requests
from gateway.middleware.auditing import note_single, note_use
from gateway.requests import BEGAN, state_of

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
class Notes:
    """What is told of an answered request, each time it comes again; never a token or a body."""

    route: str
    method: str
    status: int
    line: RequestLine | None

    @classmethod
    def of(cls, scope: Scope, status: int) -> "Notes":
        route, method = getattr(scope.get("route"), "path", UNMATCHED), scope["method"]
        line = None
        if route not in QUIET or status >= 400:
            said = state_of(scope).get("log", {})
            line = RequestLine(method=method, path=route, status=status, **said)
        return cls(route, method, status, line)


class Told(NamedTuple):
    """An answered request, to be told of."""

    notes: Notes
    request_id: str
    seconds: float


def tell(requests: Iterable[Told], on_request: OnRequest) -> None:
    """One log line and one measurement for each."""
    lines: list[bytes] = []
    for notes, request_id, seconds in requests:
        on_request(notes.route, notes.method, notes.status, seconds)
        if notes.line is not None:
            lines.append(notes.line.text(request_id, seconds))
    log_requests(lines)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Outside of what makes answers of failures, so that those have all of it too."""

    app: ASGIApp
    on_request: OnRequest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, state = 0, state_of(scope)
        began = state.get(BEGAN) or time.perf_counter()
        request_id = state["request_id"] = id_for(scope)
        context = REQUEST_ID.set(request_id)

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *own_headers(scope, request_id)]
                note_use(scope, status)  # now: a stream may go on for hours
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            if not status:  # whoever asked has gone
                note_use(scope, status)
            note_single(scope)
            told = Told(Notes.of(scope, status or GONE), request_id, time.perf_counter() - began)
            tell([told], self.on_request)
            REQUEST_ID.reset(context)


def id_for(scope: Scope) -> str:
    """The id that the client gave, or a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE_ID.fullmatch(value):
            return str(value.decode("ascii"))
    return next(_NEW_IDS)


def own_headers(scope: Scope, request_id: str) -> list[tuple[bytes, bytes]]:
    """What the envelope adds to an answer."""
    return [(b"x-request-id", request_id.encode("ascii")), *budget_headers(scope)]


def is_own(header: bytes) -> bool:
    """Whether a header of this name is the envelope's."""
    return header == b"x-request-id" or header.startswith((b"ratelimit", b"x-ratelimit-"))
