"""Long loops that leave turns to the other tasks of the process: leases, the feed and messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

ItemT = TypeVar("ItemT")

# A few milliseconds of work.
_AT_ONCE = 50


async def in_turns(items: Iterable[ItemT]) -> AsyncIterator[ItemT]:
    """Yields the items; from time to time other tasks have a turn."""
    for number, item in enumerate(items, start=1):
        yield item
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
