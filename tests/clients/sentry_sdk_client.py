"""Sends errors with Sentry's SDK for Python, as a program of its own, and prints their ids by name.

`python -m tests.clients.sentry_sdk_client <scenario>`, with SENTRY_DSN and CANARY in the
environment.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

import httpx
import sentry_sdk
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

CANARY = os.environ.get("CANARY", "")
Ids = dict[str, list[str | None]]


def fail_with_secrets(password: str) -> None:
    api_key, card = f"{CANARY}-key", "4242 4242 4242 4242"
    settings = {"authorization": f"Bearer {CANARY}-bearer", "harmless": "shown"}
    raise ValueError(f"cannot log in with password={password} ({len((api_key, card, settings))})")


def chained() -> str | None:
    try:
        try:
            fail_with_secrets(f"{CANARY}-password")
        except ValueError as error:
            raise RuntimeError("the order was not placed") from error
    except RuntimeError as error:
        return sentry_sdk.capture_exception(error)
    raise AssertionError


def order_failed(number: int) -> str | None:
    try:
        raise LookupError(f"order {number} of user {number * 7} does not exist")
    except LookupError as error:
        return sentry_sdk.capture_exception(error)


def unicode() -> str | None:
    try:
        raise ValueError("Grüße 🦊 \u202e\x00 \ud800 日本語")
    except ValueError as error:
        return sentry_sdk.capture_exception(error)


def huge(length: int) -> str | None:
    """A deep stack, wide locals, long texts and a circle."""
    circle: dict[str, Any] = {"text": "x" * 100_000}
    circle["self"] = circle

    def deeper(depth: int, wide: dict[str, int]) -> None:
        if depth == 0:
            raise RecursionError("too deep " + "y" * length)
        deeper(depth - 1, wide)

    try:
        with sentry_sdk.new_scope() as scope:
            scope.set_extra("circle", circle)
            scope.set_extra("wide", list(range(50_000)))
            deeper(300, {f"name{number}": number for number in range(1000)})
    except RecursionError as error:
        return sentry_sdk.capture_exception(error)
    raise AssertionError


def group() -> str | None:
    try:
        raise ExceptionGroup("two failed", [ValueError("one"), KeyError("two")])
    except ExceptionGroup as error:
        return sentry_sdk.capture_exception(error)


def logged() -> str | None:
    logging.getLogger("shop").error("payment %s failed", 17)
    return sentry_sdk.last_event_id()


def everything() -> Ids:
    sentry_sdk.set_user({"id": "7", "email": f"{CANARY}@example.com"})
    sentry_sdk.set_tag("shop", "north")
    sentry_sdk.add_breadcrumb(message=f"token={CANARY}-crumb", category="http", level="info")
    with sentry_sdk.start_transaction(op="http.server", name="GET /orders"):
        orders = [order_failed(number) for number in (1, 22, 333)]
    return {
        "orders": orders,
        "chained": [chained(), chained()],
        "unicode": [unicode()],
        "huge": [huge(200_000)],
        "group": [group()],
        "logged": [logged()],
        "message": [sentry_sdk.capture_message("hello", level="warning")],
    }


def oversized() -> Ids:
    """An event that the SDK does not cut to what is accepted."""
    return {"sent": [huge(1_200_000)]}


def server() -> Ids:
    """A web application that answers three requests, one of them with a crash."""

    async def order(request: Request) -> Response:
        if request.path_params["order"] == "13":
            raise ValueError("unlucky")
        return PlainTextResponse("fine", status_code=200 if request.method == "GET" else 201)

    app = Starlette(routes=[Route("/orders/{order}", order, methods=["GET", "POST"])])

    async def ask() -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            await client.get("/orders/7")
            await client.post("/orders/8")
            await client.get("/orders/13")

    asyncio.run(ask())
    return {"crash": [sentry_sdk.last_event_id()]}


def flood() -> Ids:
    """More than the budget allows, with a pause for each answer."""
    sent = []
    for number in range(10):
        sent.append(sentry_sdk.capture_message(f"message {number}"))
        sentry_sdk.flush(timeout=10)
    return {"sent": sent}


SCENARIOS: dict[str, Callable[[], Ids]] = {
    "everything": everything,
    "flood": flood,
    "oversized": oversized,
    "server": server,
}

if __name__ == "__main__":
    scenario = SCENARIOS[sys.argv[1]]
    sentry_sdk.init(
        dsn=os.environ["SENTRY_DSN"],
        release="shop@1.0.0",
        environment="staging",
        send_default_pii=True,
        traces_sample_rate=1.0 if sys.argv[1] in ("everything", "server") else 0.0,
    )
    ids = scenario()
    sentry_sdk.flush(timeout=20)
    sys.stdout.write(json.dumps(ids))
