"""Cancels the work on a request whose client has disconnected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

# Most requests end sooner and are not watched.
WATCHED_AFTER_SECONDS = 0.1


@asynccontextmanager
async def cancelled_on_disconnect(request: Request) -> AsyncIterator[None]:
    """Cancel the block when the client disconnects, and raise ClientDisconnect.

    Read the request's body before: the only message after it is the disconnect.
    """
    loop = asyncio.get_running_loop()
    deadline = asyncio.timeout(None)
    watching: asyncio.Task[None] | None = None

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        deadline.reschedule(loop.time())

    def begin() -> None:
        nonlocal watching
        watching = asyncio.create_task(watch(), name="watch-client")

    timer = loop.call_later(WATCHED_AFTER_SECONDS, begin)
    try:
        async with deadline:
            yield
    except TimeoutError:
        if deadline.expired():
            raise ClientDisconnect from None
        raise
    finally:
        timer.cancel()
        if watching is not None:
            watching.cancel()
