"""Writer slots: each lane has its own rows in the platform roll-ups, so lanes do not contend."""

import time

from storage.connections.database import Database
from storage.keeping.leases import WRITER_SLOTS, lease, lease_writer_slot, release, writer_slot_name

_LEASE_SECONDS = 30.0
_RENEW_SECONDS = 10.0


class WriterSlot:
    """A leased slot, renewed on use. Two lanes may share one; they then wait for each other."""

    def __init__(self, database: Database, holder: str, fallback: int) -> None:
        self._database = database
        self._holder = holder
        self._slot: int | None = None
        self._fallback = fallback % WRITER_SLOTS
        self._renewed_at = float("-inf")

    async def current(self) -> int:
        """The slot to use now; a shared one if all are leased."""
        if time.monotonic() - self._renewed_at > _RENEW_SECONDS:
            self._slot = await self._leased()
            self._renewed_at = time.monotonic()
        return self._fallback if self._slot is None else self._slot

    async def release(self) -> None:
        if self._slot is None:
            return
        name = writer_slot_name(self._slot)
        async with self._database.transaction() as connection:
            fence = await lease(connection, name, self._holder, _LEASE_SECONDS)
            if fence is not None:
                await release(connection, name, fence)
        self._slot = None

    async def _leased(self) -> int | None:
        async with self._database.transaction() as connection:
            if self._slot is not None:
                name = writer_slot_name(self._slot)
                if await lease(connection, name, self._holder, _LEASE_SECONDS) is not None:
                    return self._slot
            return await lease_writer_slot(connection, self._holder, _LEASE_SECONDS)
