"""When the requests of a load are due."""

import asyncio
import time
from itertools import count


class Schedule:
    """Due times of requests, at a steady rate or all at once; each sender takes the next one."""

    def __init__(self, seconds: float, per_second: float | None) -> None:
        self.began = time.perf_counter()
        self._until = self.began + seconds
        self._pace = per_second
        self._numbers = count()

    async def due(self) -> float | None:
        """Waits until the next request is due, and returns that time; None at the end.

        A latency counts from the due time, so it includes the wait for a free sender.
        """
        now = time.perf_counter()
        due = now if self._pace is None else self.began + next(self._numbers) / self._pace
        if due >= self._until:
            return None
        if due > now:
            await asyncio.sleep(due - now)
        return due

    @staticmethod
    def since(moment: float) -> float:
        """Seconds from a moment that was due until now."""
        return time.perf_counter() - moment
