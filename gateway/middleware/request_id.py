"""Gives each request an id: the caller's own where it is sane, answered as X-Request-ID."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.logs import REQUEST_ID
from gateway.requests import state_of

SANE = re.compile(rb"[A-Za-z0-9._:-]{1,100}")


def new_ids() -> Iterator[str]:
    """Numbered from a random start, so that no two processes give the same."""
    return (f"{number:032x}" for number in count(int.from_bytes(os.urandom(15))))


@dataclass(frozen=True, slots=True)
class RequestId:
    app: ASGIApp
    _new: Iterator[str] = field(default_factory=new_ids)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _given(scope) or next(self._new)
        state_of(scope)["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = (b"x-request-id", request_id.encode("ascii"))
                message["headers"] = [*message["headers"], own]
            await send(message)

        token = REQUEST_ID.set(request_id)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            REQUEST_ID.reset(token)


def _given(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and SANE.fullmatch(value):
            return str(value.decode("ascii"))
    return None
