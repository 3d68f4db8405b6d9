"""Lends the pool's connections, and hands one on to the next read without returning it first.

Returning a connection to the driver's pool and taking it again costs a task and two timers. Most
reads follow another within a millisecond, so a healthy connection is set aside for the next one.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import asyncpg

from storage.connections.failures import BROKEN
from storage.errors import Overloaded, Unavailable

# One pooled asyncpg connection. The driver ships no types.
Connection = Any

_CONNECT_TIMEOUT_SECONDS = 5.0
_RELEASE_TIMEOUT_SECONDS = 5.0
_SETTLE_TIMEOUT_SECONDS = 1.0
# How often connections set aside go back to the pool, which closes those that stay idle.
_ASIDE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool's connections at this moment, and its counts of waits since the start."""

    limit: int
    in_use: int
    idle: int
    waiting: int
    waits: int
    waited_seconds: float
    refused: int

    @property
    def is_full(self) -> bool:
        """Whether all connections are in use; one that is still being opened is not."""
        return self.in_use >= self.limit


class Lending:
    """A pool whose connections are lent. None is set aside while a caller waits for the pool."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._aside: list[Connection] = []
        self._waiting = self._waits = self._refused = 0
        self._waited_seconds = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._returning: set[asyncio.Task[None]] = set()
        self._is_closing = False

    def borrowed(self) -> "Borrowed":
        """A connection for the length of an `async with` block."""
        return Borrowed(self)

    async def acquire(self) -> Connection:
        """Take a connection; raises `Overloaded` when all stay in use, else `Unavailable`."""
        while self._aside:
            connection = self._aside.pop()
            if _is_open(connection):
                return connection
            await self._give_back(connection)
        started = time.perf_counter()
        self._waiting += 1
        try:
            return await self._pool.acquire(timeout=_CONNECT_TIMEOUT_SECONDS)
        except (OSError, asyncpg.QueryCanceledError) as error:
            if not (isinstance(error, TimeoutError) and self.state().is_full):
                raise Unavailable("The database cannot be reached") from error
            self._refused += 1
            raise Overloaded("All connections to the database are in use") from None
        finally:
            self._waiting -= 1
            self._waits += 1
            self._waited_seconds += time.perf_counter() - started

    async def release(self, connection: Connection, *, healthy: bool) -> None:
        """Return a connection; `healthy` if its last statement finished normally."""
        if not healthy or self._waiting or self._is_closing:
            await self._give_back(connection)
            return
        self._aside.append(connection)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_ASIDE_SECONDS, self._return_soon)

    def state(self) -> PoolState:
        idle = self._pool.get_idle_size() + len(self._aside)
        return PoolState(
            limit=self._pool.get_max_size(),
            in_use=max(self._pool.get_size() - idle, 0),  # one set aside may have broken
            idle=idle,
            waiting=self._waiting,
            waits=self._waits,
            waited_seconds=self._waited_seconds,
            refused=self._refused,
        )

    async def expire(self) -> None:
        """Close all present connections instead of lending them: the server was lost."""
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
        except BROKEN:
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
                with suppress(*BROKEN):
                    await self._give_back(aside.pop())
        finally:
            self._aside += aside  # none is lost when this is cancelled

    async def _give_back(self, connection: Connection) -> None:
        await self._pool.release(connection, timeout=_RELEASE_TIMEOUT_SECONDS)


class Borrowed:
    """Acquires a connection and returns it. A class, since a generator would slow every read."""

    __slots__ = ("_connection", "_lending")

    def __init__(self, lending: Lending) -> None:
        self._lending = lending

    async def __aenter__(self) -> Connection:
        self._connection = await self._lending.acquire()
        return self._connection

    async def __aexit__(
        self, _kind: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                await _settle(self._connection)
        finally:
            await self._lending.release(self._connection, healthy=error is None)


async def _settle(connection: Connection) -> None:
    """End what the driver may have left half done, or terminate the connection.

    A statement that was prepared but not run, because of its arguments or a cancellation, leaves
    the server's statement timeout running, which would hit the connection's next user.
    """
    with suppress(asyncpg.InterfaceError):  # it is closed already
        try:
            await connection.execute("select 1", timeout=_SETTLE_TIMEOUT_SECONDS)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InternalClientError):
            connection.terminate()


def _is_open(connection: Connection) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # it broke, so the pool has taken it back itself
        return False
