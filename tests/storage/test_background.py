"""Work in the background ends with its block, and never hides that its caller was cancelled."""

import asyncio

import pytest

from storage.background import running


async def test_who_is_cancelled_while_the_work_ends_is_cancelled() -> None:
    ending = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ending.set()
            await asyncio.sleep(0.01)

    async def caller() -> str:
        async with running(work(), "work"):
            await asyncio.sleep(0)
        return "went on"

    task = asyncio.create_task(caller())
    await ending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_is_raised_at_the_end_of_the_block() -> None:
    async def work() -> None:
        raise ValueError("no work")

    with pytest.raises(ValueError, match="no work"):
        async with running(work(), "work"):
            await asyncio.sleep(0.01)
