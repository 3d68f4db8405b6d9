"""Lending: connections that are handed on at once, past the pool's bookkeeping.

To give a connection back to the driver's pool and take it again takes a task and two timers. Most
reads follow another within a millisecond, so one that ended well is kept aside for the next.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from storage.errors import Overloaded

# The driver ships no types.
_Connection = Any

_CONNECT_TIMEOUT_SECONDS = 5.0
_RELEASE_TIMEOUT_SECONDS = 5.0
# What is kept aside goes back so often; there the idle ones are closed after a while.
_ASIDE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PoolState:
    """The connections of a pool at this moment, and the waits for one since the start."""

    limit: int
    in_use: int
    idle: int
    waiting: int
    waits: int
    waited_seconds: float
    refused: int

    @property
    def is_full(self) -> bool:
        """Whether all are in use; one that is still being opened is not."""
        return self.in_use >= self.limit


class Lending:
    """Connections of a pool. None is kept aside while somebody waits for the pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._aside: list[_Connection] = []
        self._waiting = self._waits = self._refused = 0
        self._waited_seconds = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._returning: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def acquire(self) -> _Connection:
        while self._aside:
            connection = self._aside.pop()
            if _is_open(connection):
                return connection
            await self._give_back(connection)
        started = time.perf_counter()
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=_CONNECT_TIMEOUT_SECONDS)
        except TimeoutError:
            if not self.state().is_full:
                raise  # the server did not answer
            self._refused += 1
            raise Overloaded("All connections to the database are in use") from None
        finally:
            self._waiting -= 1
            self._waits += 1
            self._waited_seconds += time.perf_counter() - started

    async def release(self, connection: _Connection, *, healthy: bool) -> None:
        """Return a connection; `healthy` says that its last statement finished normally."""
        if not healthy or self._waiting or self._is_closing:
            await self._give_back(connection)
            return
        self._aside.append(connection)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_ASIDE_SECONDS, self._return_soon)

    def state(self) -> PoolState:
        """What the pool is doing now."""
        idle = self._pool.get_idle_size() + len(self._aside)
        return PoolState(
            limit=self._pool.get_max_size(),
            in_use=max(self._pool.get_size() - idle, 0),  # one kept aside may have broken
            idle=idle,
            waiting=self._waiting,
            waits=self._waits,
            waited_seconds=self._waited_seconds,
            refused=self._refused,
        )

    async def expire(self) -> None:
        """After the server has gone: connections that are older are closed instead of lent."""
        await self._pool.expire_connections()
        await self._return_all()

    async def close(self, timeout_seconds: float) -> None:
        self._is_closing = True
        if self._timer is not None:
            self._timer.cancel()
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._return_all()
                await self._pool.close()
        except (TimeoutError, OSError, asyncpg.InterfaceError):
            self._pool.terminate()

    def _return_soon(self) -> None:
        self._timer = None
        task = asyncio.create_task(self._return_all())
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _return_all(self) -> None:
        aside, self._aside = self._aside, []
        try:
            while aside:
                with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await self._give_back(aside.pop())
        finally:
            self._aside += aside  # where this was cut off, so that none is forgotten

    async def _give_back(self, connection: _Connection) -> None:
        await self._pool.release(connection, timeout=_RELEASE_TIMEOUT_SECONDS)


def _is_open(connection: _Connection) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # it broke, so the pool has taken it back itself
        return False
