"""A snapshot: one REPEATABLE READ transaction, in which every statement sees the same state."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

from storage.connections.failures import BROKEN
from storage.connections.lending import Connection
from storage.connections.query import SqlQuery
from storage.errors import Unavailable

BEGIN = "begin isolation level repeatable read, read only; savepoint statement"
# Undoes a failed statement, so that the snapshot serves the statements after it.
_UNDO = "rollback to savepoint statement"
_END_TIMEOUT_SECONDS = 2.0


class Snapshot:
    """Runs statements one after another on its own connection, until it is released."""

    def __init__(
        self,
        connection: Connection,
        run: Callable[..., Awaitable[list[asyncpg.Record]]],
        give_back: Callable[[Connection, bool], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._run = run
        self._give_back = give_back
        self._turn = asyncio.Lock()
        self._ending: asyncio.Task[None] | None = None

    async def fetch(self, query: SqlQuery, **parameters: Any) -> list[asyncpg.Record]:
        """Run one statement; the snapshot stays usable if it fails."""
        async with self._turn:
            if self._ending is not None:
                raise Unavailable("The operation has ended.")
            try:
                return await self._run(self._connection, query, parameters)
            except Exception:
                with suppress(*BROKEN):
                    await self._connection.execute(_UNDO, timeout=_END_TIMEOUT_SECONDS)
                raise

    def release(self) -> None:
        """End the transaction and return the connection, in a task of its own."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(), name="snapshot-end")

    async def _end(self) -> None:
        async with self._turn:
            healthy = False
            try:
                await self._connection.execute("rollback", timeout=_END_TIMEOUT_SECONDS)
                healthy = True
            except BROKEN:
                with suppress(asyncpg.InterfaceError):  # it broke and is back in the pool
                    self._connection.terminate()
            finally:
                await self._give_back(self._connection, healthy)
