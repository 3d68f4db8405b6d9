"""Seals stored secrets of channels anew, under the key that is now the first."""

from uuid import UUID

from access.sealing import Seals
from storage.alerts import channels
from storage.connections.database import Database

_AT_ONCE = 200


async def reseal(database: Database, seals: Seals) -> int:
    """Seals what is sealed under another key, or not at all; returns the number of channels."""
    after: UUID | None = None
    renewed, is_last = 0, False
    while not is_last:
        async with database.transaction() as connection:
            found = await channels.with_secrets(connection, after, _AT_ONCE)
            for channel_id, secrets in found.items():
                if (sealed := seals.renewed(secrets)) is not None:
                    await channels.set_secrets(connection, channel_id, sealed)
                    renewed += 1
        after = max(found, default=None)
        is_last = len(found) < _AT_ONCE
    return renewed
