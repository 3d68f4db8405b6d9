"""Work that a process does in the background."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

# For work that waits for a server at the end.
LAST_SECONDS = 3.0


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Run the work in a task of its own, which is cancelled at the end of the block."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def repeating(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work from time to time, and once more when cancelled, within some seconds."""
    doing: asyncio.Future[None] | None = None
    try:
        while True:
            await asyncio.sleep(seconds)
            doing = asyncio.ensure_future(work())
            await asyncio.shield(doing)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                if doing is not None:
                    await doing  # shielded, so that it loses nothing
                await work()
