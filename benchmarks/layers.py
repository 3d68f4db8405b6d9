"""Measures the processor time of each middleware, by adding one layer at a time."""

import os
import time
from collections.abc import Sequence
from typing import BinaryIO

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Scope

from gateway.app import middleware
from gateway.http.exchange import Exchange
from gateway.observability import logs
from gateway.routes import API_ROUTES
from tests.gateway.graphql.edge import small_gateway, token

REQUESTS = 2_000
ROUNDS = 7
BODY = b'{"query":"{ __typename }"}'

# A layer's name and its microseconds; the first is the bare application.
Layer = tuple[str, float]


async def layers() -> list[Layer]:
    """The cost of each layer, from the inside out. Log lines are dropped."""
    logs.configure("info", _nowhere())
    whole = middleware(small_gateway(), API_ROUTES)
    stacks = [whole[len(whole) - size :] for size in range(len(whole) + 1)]
    least = [float("inf")] * len(stacks)
    for _ in range(ROUNDS):
        for index, stack in enumerate(stacks):
            least[index] = min(least[index], await _microseconds(stack))
    names = ["bare application", *(_name(each[0]) for each in stacks[1:])]
    before = [0.0, *least]
    return [(name, least[index] - before[index]) for index, name in enumerate(names)]


def _nowhere() -> BinaryIO:
    return open(os.devnull, "wb")


def _name(layer: Middleware) -> str:
    return str(getattr(layer.cls, "__name__", layer.cls))


async def _microseconds(stack: Sequence[Middleware]) -> float:
    """The least processor time of one request through these layers, in microseconds."""
    app = Starlette(routes=[Route("/graphql", _answer, methods=["POST"])], middleware=stack)
    authorization = f"Bearer {token()}".encode()
    await _ask(app, authorization)
    began = time.process_time()
    for _ in range(REQUESTS):
        await _ask(app, authorization)
    return 1e6 * (time.process_time() - began) / REQUESTS


async def _answer(request: Request) -> Response:
    await request.body()
    return Response(b"{}", media_type="application/json")


async def _ask(app: Starlette, authorization: bytes) -> None:
    sizes = (b"content-length", str(len(BODY)).encode())
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), sizes, (b"authorization", authorization)],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    # Every layer finds an exchange, whether or not the layer that makes it is there.
    Exchange("0", API_ROUTES[0], "POST", "127.0.0.1").attach(scope)
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    if status != 200:
        raise RuntimeError(f"the ready answer came with {status}")
