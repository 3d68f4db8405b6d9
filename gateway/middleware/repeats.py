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
from typing import Any, cast

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.tokens import TokenVerifier
from access.viewers import Viewer
from gateway.admission import admit
from gateway.auditing import Kind
from gateway.graphql.errors import OK
from gateway.graphql.freshness import kept_headers
from gateway.graphql.responses import Kept, Repeatable, Responses
from gateway.middleware.auditing import kind_of_use, note_use, used_again
from gateway.middleware.authentication import authenticate, bearer
from gateway.middleware.envelope import Notes, OnRequest, id_for, is_own, own_headers
from gateway.requests import BEGAN, REPEATABLE, state_of
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

# operation type, outcome, seconds
OnOperation = Callable[[str, str, float], None]


@dataclass(slots=True)
class _Repeat:
    """An answer as it was sent, and what was noted of its request."""

    made: Repeatable
    viewer: Viewer
    headers: list[tuple[bytes, bytes]]
    log: dict[str, Any]
    notes: Notes
    use: Kind
    body: bytes = b""
    believed_until: float = 0.0  # by the process's clock


@dataclass(frozen=True, slots=True)
class Repeats:
    """Outside of all layers that take their time; a repeat is noted as the envelope would."""

    app: ASGIApp
    verifier: TokenVerifier
    on_request: OnRequest
    on_operation: OnOperation
    _kept: Memory[_Repeat] = field(
        default_factory=lambda: Memory(MEMORY_BYTES, overhead_bytes=_NOTES_BYTES)
    )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        read, body = await _beginning(receive)
        now = time.perf_counter()  # a token is believed as of now, however slow the body was
        if body is not None:
            key = _key(scope, body)
            repeat = self._kept.get(key)
            if repeat is not None and (kept := await self._still(scope, repeat, now)):
                await _send(scope, repeat, kept, send)
                ended = time.perf_counter()
                self.on_operation(repeat.made.operation, OK, ended - now)
                repeat.notes.tell(self.on_request, state_of(scope)["request_id"], ended - began)
                return
            send = self._keeping(key, scope, send)
        state_of(scope)[BEGAN] = began
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
            if kept is not None:
                await admit(HTTPConnection(scope), viewer, made.charges)
        except Exception:  # noqa: BLE001 - those further in meet it too, and make an answer of it
            return None
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


async def _send(scope: Scope, repeat: _Repeat, kept: Kept, send: Send) -> None:
    """Send it in an envelope of this request's own."""
    state = state_of(scope)
    request_id = state["request_id"] = id_for(scope)
    if not used_again(scope, repeat.use):
        state["viewer"], state["log"] = repeat.viewer, repeat.log
        note_use(scope, repeat.notes.status)
    age = [(name.encode(), value.encode()) for name, value in kept_headers(kept).items()]
    headers = [*repeat.headers, *own_headers(scope, request_id), *age]
    status = repeat.notes.status
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": repeat.body})


def _repeat(scope: Scope, start: Message) -> _Repeat | None:
    state, status = state_of(scope), start["status"]
    made: Repeatable | None = state.get(REPEATABLE)
    if made is None or status not in (200, 304):
        return None
    return _Repeat(
        made,
        state["viewer"],
        [item for item in start["headers"] if not _is_of_this_answer(item[0])],
        dict(state["log"]),
        Notes.of(scope, status),
        kind_of_use(scope, status),
    )


def _is_of_this_answer(header: bytes) -> bool:
    """Whether it differs from one answer to the next: it tells of age, budgets or the request."""
    return header in (b"age", b"cache-status") or is_own(header)


async def _beginning(receive: Receive) -> tuple[list[Message], bytes | None]:
    """The messages of a request's body, and the body if it is whole and small."""
    read = [await receive()]
    size_bytes = 0
    while (message := read[-1])["type"] == "http.request":
        size_bytes += len(message.get("body", b""))
        if size_bytes > LARGEST_REQUEST_BYTES:
            break
        if not message.get("more_body"):
            return read, _body(read)
        read.append(await receive())
    return read, None


def _body(read: list[Message]) -> bytes:
    if len(read) == 1:
        return cast("bytes", read[0].get("body", b""))
    return b"".join([each.get("body", b"") for each in read])


def _beginning_with(read: list[Message], receive: Receive) -> Receive:
    """A `receive` that hands out again what was read already."""
    again = iter(read)

    async def receive_from_the_beginning() -> Message:
        for message in again:
            return message
        return await receive()

    return receive_from_the_beginning
