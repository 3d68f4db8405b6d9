"""Leases: one holder at a time, and a fence number that rises with each new holder."""

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, DateTime, Table, Text

from storage.connections.database import Connection, Database
from storage.errors import Conflict
from storage.metadata import metadata

WRITER_SLOTS = 32

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("renewed_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)


def new_holder() -> str:
    """Returns a name for this process that no other has, on a machine of the same name either."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


async def lease(connection: Connection, name: str, holder: str, seconds: float) -> int | None:
    """Take or renew a lease; returns its fence, or None while another holder has it.

    The database's clock decides, so that machines with different clocks agree.
    """
    fence: int | None = await connection.fetchval(_LEASE, name, holder, seconds)
    return fence


async def release(connection: Connection, name: str, fence: int) -> None:
    await connection.execute(_RELEASE, name, fence)


@dataclass(frozen=True, slots=True)
class Hold:
    """A lease that is held for a piece of work in steps."""

    database: Database
    name: str
    holder: str
    seconds: float
    fence: int

    async def renew(self) -> None:
        """Renew the lease before a step; raises `Conflict` if somebody else has taken it."""
        async with self.database.transaction() as connection:
            if await lease(connection, self.name, self.holder, self.seconds) != self.fence:
                raise Conflict(f"Another process has taken over: {self.name}")


@asynccontextmanager
async def held(
    database: Database, name: str, holder: str, seconds: float
) -> AsyncIterator[Hold | None]:
    """Hold a lease; None while another holder has it."""
    async with database.transaction() as connection:
        fence = await lease(connection, name, holder, seconds)
    if fence is None:
        yield None
        return
    try:
        yield Hold(database, name, holder, seconds, fence)
    finally:
        async with database.transaction() as connection:
            await release(connection, name, fence)


async def lease_writer_slot(connection: Connection, holder: str, seconds: float) -> int | None:
    """Lease the lowest free writer slot; None if all are taken."""
    for slot in range(WRITER_SLOTS):
        if await lease(connection, writer_slot_name(slot), holder, seconds) is not None:
            return slot
    return None


def writer_slot_name(slot: int) -> str:
    return f"writer:{slot}"


_LEASE = """
insert into leases (name, holder, fence, renewed_at, expires_at)
select $1, $2, 1, clock.now, clock.now + make_interval(secs => $3)
from (select clock_timestamp() as now) as clock
on conflict (name) do update set
  holder = excluded.holder, renewed_at = excluded.renewed_at, expires_at = excluded.expires_at,
  fence = leases.fence + case
    when leases.holder = excluded.holder and leases.expires_at > excluded.renewed_at then 0
    else 1 end
where leases.holder = excluded.holder or leases.expires_at <= excluded.renewed_at
returning fence
"""

_RELEASE = "update leases set expires_at = renewed_at where name = $1 and fence = $2"
