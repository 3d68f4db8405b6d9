"""Answers what was asked before in the very same bytes, without reading it again.

The layers further in check a request and prepare its operation by nothing but its bytes, its peer
and its viewer, and would end as they did before. What an answer depends on besides is looked at
here each time: whether the token still holds, whether the data is still the same, how old the
answer is, and whether there is room in the budgets.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.tokens import TokenVerifier
from access.viewers import Viewer
from gateway.admission import admit
from gateway.graphql.errors import OK
from gateway.graphql.freshness import kept_headers
from gateway.graphql.responses import Kept, Repeatable, Responses
from gateway.middleware.authentication import authenticate, bearer
from gateway.requests import REPEATABLE, state_of
from storage.cache import Memory

PATH = "/graphql"
LARGEST_REQUEST_BYTES = 16 * 1024
MEMORY_BYTES = 16 * 1024 * 1024
# What an answer's headers and notes take beside its body.
_NOTES_BYTES = 6 * 1024
# A token found good is not looked at again for so long.
BELIEVED_SECONDS = 1.0
_KEY_BYTES = 20

# These differ from one request to the next and say nothing of what is asked.
_OF_THE_REQUEST = frozenset({b"x-request-id", b"traceparent", b"tracestate"})
# These differ from one answer to the next: they tell of its age.
_OF_THE_ANSWER = frozenset({b"age", b"cache-status"})

# operation type, outcome, seconds
OnOperation = Callable[[str, str, float], None]


@dataclass(slots=True)
class _Repeat:
    """An answer as it was sent, and what was noted of its request."""

    made: Repeatable
    viewer: Viewer
    status: int
    headers: list[tuple[bytes, bytes]]
    log: dict[str, Any]
    route: Any
    body: bytes = b""
    believed_until: float = 0.0  # by the process's clock


@dataclass(frozen=True, slots=True)
class Repeats:
    """Inside of the envelope, which each request needs anew."""

    app: ASGIApp
    verifier: TokenVerifier
    on_operation: OnOperation
    _kept: Memory[_Repeat] = field(
        default_factory=lambda: Memory(MEMORY_BYTES, overhead_bytes=_NOTES_BYTES)
    )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        read, body = await _beginning(receive)
        started = time.perf_counter()  # a token is believed as of now, however slow the body was
        if body is not None:
            key = _key(scope, body)
            repeat = self._kept.get(key)
            if repeat is not None and (kept := await self._still(scope, repeat, started)):
                self.on_operation(repeat.made.operation, OK, time.perf_counter() - started)
                await _answer(repeat, kept, send)
                return
            send = self._keeping(key, scope, send)
        await self.app(scope, _beginning_with(read, receive), send)

    async def _still(self, scope: Scope, repeat: _Repeat, now: float) -> Kept | None:
        """What is to be answered again; None where the layers further in decide or compute."""
        made, viewer = repeat.made, repeat.viewer
        try:
            if now > repeat.believed_until:
                if await authenticate(scope["app"], self.verifier, bearer(scope) or "") != viewer:
                    return None
                repeat.believed_until = now + BELIEVED_SECONDS
            responses: Responses = scope["app"].state.responses
            kept = await responses.still(made.place, made.serial, viewer)
            if kept is None:
                return None
            await admit(HTTPConnection(scope), viewer, made.charges)
        except Exception:  # noqa: BLE001 - those further in meet it too, and make an answer of it
            return None
        state = state_of(scope)
        state["viewer"], state["log"] = viewer, dict(repeat.log)
        scope["route"] = repeat.route
        return kept

    def _keeping(self, key: str, scope: Scope, send: Send) -> Send:
        """A `send` that keeps an answer which may be given again."""
        repeat: _Repeat | None = None

        async def send_and_keep(message: Message) -> None:
            nonlocal repeat
            if message["type"] == "http.response.start":
                repeat = _repeat(scope, message)
            elif repeat is not None and not message.get("more_body"):
                repeat.body = message.get("body", b"")
                self._kept.put(key, repeat)
            else:
                repeat = None
            await send(message)

        return send_and_keep


def _key(scope: Scope, body: bytes) -> str:
    """Names all that the layers further in look at; no header holds a line's end."""
    client = scope.get("client")
    peer = client[0] if client else ""
    way = f"{scope['method']} {scope['http_version']} {scope['scheme']} {peer}"
    lines = [way.encode(), scope["query_string"]]
    for item in scope["headers"]:
        if item[0] not in _OF_THE_REQUEST:
            lines.extend(item)
    lines += (b"", body)
    return blake2b(b"\n".join(lines), digest_size=_KEY_BYTES).hexdigest()


async def _answer(repeat: _Repeat, kept: Kept, send: Send) -> None:
    age = [(name.encode(), value.encode()) for name, value in kept_headers(kept).items()]
    headers = [*repeat.headers, *age]
    await send({"type": "http.response.start", "status": repeat.status, "headers": headers})
    await send({"type": "http.response.body", "body": repeat.body})


def _repeat(scope: Scope, start: Message) -> _Repeat | None:
    state = state_of(scope)
    made: Repeatable | None = state.get(REPEATABLE)
    if made is None or start["status"] not in (200, 304):
        return None
    return _Repeat(
        made,
        state["viewer"],
        start["status"],
        [item for item in start["headers"] if item[0] not in _OF_THE_ANSWER],
        dict(state["log"]),
        scope.get("route"),
    )


async def _beginning(receive: Receive) -> tuple[list[Message], bytes | None]:
    """The messages of a request's body, and the body if it is whole and small."""
    read: list[Message] = []
    size_bytes = 0
    while size_bytes <= LARGEST_REQUEST_BYTES:
        message = await receive()
        read.append(message)
        if message["type"] != "http.request":
            break
        size_bytes += len(message.get("body", b""))
        if not message.get("more_body"):
            return read, b"".join(each.get("body", b"") for each in read)
    return read, None


def _beginning_with(read: list[Message], receive: Receive) -> Receive:
    """A `receive` that hands out again what was read already."""
    again = iter(read)

    async def receive_from_the_beginning() -> Message:
        for message in again:
            return message
        return await receive()

    return receive_from_the_beginning
