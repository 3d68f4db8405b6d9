"""Cancels the work on a request whose client has disconnected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.requests import ClientDisconnect, Request

# Most requests end sooner and are not watched.
WATCHED_AFTER_SECONDS = 0.1


@asynccontextmanager
async def ended_by_leaving(request: Request) -> AsyncIterator[None]:
    """Cancel the block when the client disconnects, and raise ClientDisconnect.

    Read the request's body before: the only message after it is the disconnect.
    """
    loop = asyncio.get_running_loop()
    watch = _Watch(request, asyncio.current_task())
    timer = loop.call_later(WATCHED_AFTER_SECONDS, watch.begin)
    try:
        yield
    except asyncio.CancelledError:
        if watch.has_left and watch.uncancel():
            raise ClientDisconnect from None
        raise
    finally:
        timer.cancel()
        watch.end()


class _Watch:
    """Cancels a task once its request's client has left."""

    def __init__(self, request: Request, work: asyncio.Task[object] | None) -> None:
        assert work is not None
        self._request = request
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self.has_left = False

    def begin(self) -> None:
        self._task = asyncio.create_task(self._wait(), name="watch-client")

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def uncancel(self) -> bool:
        """Undo the cancellation; return whether there was no other one, as asyncio.timeout does."""
        return self._work.uncancel() == 0

    async def _wait(self) -> None:
        with suppress(asyncio.CancelledError):
            while (await self._request.receive())["type"] != "http.disconnect":
                pass
            self.has_left = True
            self._work.cancel()
