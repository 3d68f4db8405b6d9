"""Work that a process does in the background."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")

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
        await asyncio.wait([task])  # other than awaiting the task, hides no cancellation of ours
        if not task.cancelled():
            task.result()


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


async def finished(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """The result of work that is always done to its end.

    A caller who is cancelled is so only then: what a thread works with stays open until it ends.
    """
    doing = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(doing)
    finally:
        while not doing.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([doing])
        doing.exception()  # the caller who left misses it
