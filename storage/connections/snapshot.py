"""A snapshot: one REPEATABLE READ transaction, in which every statement sees the same state."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

from storage.connections.query import Query
from storage.errors import Unavailable

BEGIN = "begin isolation level repeatable read, read only; savepoint statement"
# A statement that fails is undone up to the savepoint: the snapshot stays for the others.
_UNDO = "rollback to savepoint statement"
_END_TIMEOUT_SECONDS = 2.0

# One pooled asyncpg connection. The driver ships no types.
_Connection = Any


class Snapshot:
    """Runs statements one after another on a connection of its own, until it is released."""

    def __init__(
        self,
        connection: _Connection,
        run: Callable[..., Awaitable[list[asyncpg.Record]]],
        give_back: Callable[[_Connection, bool], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._run = run
        self._give_back = give_back
        self._turn = asyncio.Lock()
        self._ending: asyncio.Task[None] | None = None

    async def fetch(self, query: Query, **parameters: Any) -> list[asyncpg.Record]:
        """Run one statement; what it raises leaves the snapshot usable for the next."""
        async with self._turn:
            if self._ending is not None:
                raise Unavailable("The operation has ended.")
            try:
                return await self._run(self._connection, query, parameters)
            except Exception:
                with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await self._connection.execute(_UNDO, timeout=_END_TIMEOUT_SECONDS)
                raise

    def release(self) -> None:
        """Give the connection back soon; nobody needs to wait for it."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(), name="snapshot-end")

    async def _end(self) -> None:
        async with self._turn:
            healthy = False
            try:
                await self._connection.execute("rollback", timeout=_END_TIMEOUT_SECONDS)
                healthy = True
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                with suppress(asyncpg.InterfaceError):  # it broke, so the pool has it back
                    self._connection.terminate()
            finally:
                await self._give_back(self._connection, healthy)
