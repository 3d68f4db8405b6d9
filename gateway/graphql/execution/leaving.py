"""Ends the work for a client that has left: nobody is there to be answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.requests import ClientDisconnect, Request

# Most requests are over sooner; only those that take longer are watched.
WATCHED_AFTER_SECONDS = 0.1


@asynccontextmanager
async def ended_by_leaving(request: Request) -> AsyncIterator[None]:
    """Cancel what runs inside once the client has left, and raise ClientDisconnect.

    The request's body must have been read: what comes after it can only be the end.
    """
    loop = asyncio.get_running_loop()
    watch = _Watch(request, asyncio.current_task())
    timer = loop.call_later(WATCHED_AFTER_SECONDS, watch.begin)
    try:
        yield
    except asyncio.CancelledError:
        if watch.has_left and watch.takes_back():
            raise ClientDisconnect from None
        raise
    finally:
        timer.cancel()
        watch.end()


class _Watch:
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

    def takes_back(self) -> bool:
        """Whether leaving was the only reason to cancel, as asyncio.timeout has it."""
        return self._work.uncancel() == 0

    async def _wait(self) -> None:
        with suppress(asyncio.CancelledError):
            while (await self._request.receive())["type"] != "http.disconnect":
                pass
            self.has_left = True
            self._work.cancel()
