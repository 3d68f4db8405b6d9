"""Leadership: of all workers one evaluates the rules, under a lease with a fence."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from storage.connections.database import Connection, Database
from storage.errors import Conflict
from storage.keeping.leases import lease, release

LEASE = "alerts"
# Another worker takes over so long after the last renewal.
LEASE_SECONDS = 10.0
RENEW_SECONDS = 2.0


class Leader:
    """Whether this process leads; one that is deposed without knowing it cannot write."""

    def __init__(
        self, database: Database, holder: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._holder = holder
        self._monotonic = monotonic
        self._fence: int | None = None
        self._until = 0.0

    @property
    def fence(self) -> int | None:
        """The number of this leadership; None while another process leads."""
        return self._fence if self._monotonic() < self._until else None

    async def renew(self) -> int | None:
        """Takes or renews the lease."""
        asked_at = self._monotonic()
        async with self._database.transaction() as connection:
            self._fence = await lease(connection, LEASE, self._holder, LEASE_SECONDS)
        self._until = asked_at + LEASE_SECONDS
        return self.fence

    async def resign(self) -> None:
        """Gives the lease back, so that another process need not wait for its end."""
        if (fence := self.fence) is not None:
            self._fence = None
            async with self._database.transaction() as connection:
                await release(connection, LEASE, fence)

    @asynccontextmanager
    async def writing(self, fence: int) -> AsyncIterator[Connection]:
        """A transaction during which nobody else takes over.

        Raises Conflict if somebody has: what was found under this fence is no longer true.
        """
        async with self._database.transaction() as connection:
            if await lease(connection, LEASE, self._holder, LEASE_SECONDS) != fence:
                self._fence = None
                raise Conflict("Another process evaluates the alerts now")
            yield connection
