"""Tells subscribers and caches that rules, their instances, channels or silences have changed."""

from collections.abc import Collection
from uuid import UUID

from storage.connections.database import Connection
from storage.feed.counters import record

# What counters and the change feed call alerts; entities are rules.
ALERTS = "alerts"
# In keys, the platform's rules stand under this in the place of a project.
PLATFORM = 0


async def publish(connection: Connection, rules: Collection[tuple[int | None, UUID]]) -> None:
    """Counts a change of these rules, by project (None for the platform) and id.

    Silences and channels are told by their own ids. It is the last step of a transaction.
    """
    keys = {(PLATFORM if project_id is None else project_id, id) for project_id, id in rules}
    await record(connection, ALERTS, 0, (), sorted(keys))
