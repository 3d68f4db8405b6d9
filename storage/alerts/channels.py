"""Notification channels: adds, changes and deletes them."""

from collections.abc import Sequence

from storage.connections.database import Connection


async def names(connection: Connection, project_id: int | None, given: Sequence[str]) -> set[str]:
    """Those of the names that a channel of the project or of the platform has."""
    rows = await connection.fetch(_NAMES, project_id, list(given)) if given else []
    return {row["name"] for row in rows}


_NAMES = """
select name from alert_channels
where name = any($2::text[]) and (project_id is null or project_id = $1::bigint)
"""
