"""Answers what was asked before in the very same bytes, without reading it again.

The layers further in check a request and prepare its operation by nothing but its bytes, its peer
and its viewer, and would end as they did before. What an answer depends on besides is looked at
here each time: whether the token still holds, whether the data is still the same, how old the
answer is, and whether there is room in the budgets.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple, cast

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.tokens import TokenVerifier
from access.viewers import Viewer
from gateway.auditing import Kind
from gateway.graphql.errors import OK
from gateway.graphql.freshness import hit_headers
from gateway.graphql.responses import Repeatable, Responses
from gateway.middleware.auditing import kind_of_use, note_use
from gateway.middleware.authentication import authenticate, bearer
from gateway.middleware.envelope import (
    GONE,
    Notes,
    OnRequest,
    Told,
    id_for,
    is_own,
    own_headers,
    tell,
)
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


class _Again(NamedTuple):
    """A repeat that was sent."""

    operation: str
    seconds: float
    told: Told


@dataclass(frozen=True, slots=True)
class Repeats:
    """Outside of all layers that take their time; a repeat is noted as the envelope would.

    What is noted of it is written once in a round of the event loop, for all who came in it.
    """

    app: ASGIApp
    verifier: TokenVerifier
    on_request: OnRequest
    on_operation: OnOperation
    _kept: Memory[_Repeat] = field(
        default_factory=lambda: Memory(MEMORY_BYTES, overhead_bytes=_NOTES_BYTES)
    )
    _sent: list[_Again] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        try:
            read, body = await _beginning(receive)
        except asyncio.CancelledError:  # we stop, and the rest of it never came
            self._tell_unread(scope, began)
            raise
        now = time.perf_counter()  # a token is believed as of now, however slow the body was
        if body is not None:
            key = _key(scope, body)
            repeat = self._kept.get(key)
            if repeat is not None:
                age_seconds = await self._age(scope, repeat, now)
                if age_seconds is not None:
                    await self._answer(scope, repeat, age_seconds, (began, now), send)
                    return
            send = self._keeping(key, scope, send)
        state_of(scope)[BEGAN] = began
        await self.app(scope, _beginning_with(read, receive), send)

    async def _age(self, scope: Scope, repeat: _Repeat, now: float) -> float | None:
        """The age of what is sent again; None where the layers further in decide or compute."""
        made, viewer, state = repeat.made, repeat.viewer, scope["app"].state
        try:
            if now > repeat.believed_until:
                if await authenticate(scope["app"], self.verifier, bearer(scope) or "") != viewer:
                    return None
                repeat.believed_until = now + BELIEVED_SECONDS
            responses: Responses = state.responses
            age_seconds = responses.still(made)
            if age_seconds is None:
                await responses.look(made, viewer)
                age_seconds = responses.still(made)
            if age_seconds is not None and state.admission.rules:
                await state.admission.admit(HTTPConnection(scope), viewer, made.charges)
        except Exception:  # noqa: BLE001 - those further in meet it too, and make an answer of it
            return None
        return age_seconds

    async def _answer(
        self,
        scope: Scope,
        repeat: _Repeat,
        age_seconds: float,
        times: tuple[float, float],
        send: Send,
    ) -> None:
        """Answer; `times` are when the request began, and when its body had been read."""
        request_id, (began, read) = id_for(scope), times
        try:
            await _send(scope, repeat, request_id, age_seconds, send)
        finally:
            ended = time.perf_counter()
            told = Told(repeat.notes, request_id, ended - began)
            self._note(_Again(repeat.made.operation, ended - read, told))

    def _tell_unread(self, scope: Scope, began: float) -> None:
        notes = Notes.of(scope, GONE)
        tell([Told(notes, id_for(scope), time.perf_counter() - began)], self.on_request)

    def _note(self, again: _Again) -> None:
        if not self._sent:
            asyncio.get_running_loop().call_soon(self._tell)
        self._sent.append(again)

    def _tell(self) -> None:
        sent = self._sent.copy()
        self._sent.clear()
        for operation, seconds, _told in sent:
            self.on_operation(operation, OK, seconds)
        tell([each.told for each in sent], self.on_request)

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


async def _send(
    scope: Scope, repeat: _Repeat, request_id: str, age_seconds: float, send: Send
) -> None:
    """Send it in an envelope of this request's own."""
    status = repeat.notes.status
    if not scope["app"].state.token_uses.used_again(repeat.use):
        state = state_of(scope)
        state.update(request_id=request_id, viewer=repeat.viewer, log=repeat.log)
        note_use(scope, status)
    own = own_headers(scope, request_id)
    headers = [*repeat.headers, *own, *hit_headers(int(age_seconds))]
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
