"""The archive: events deleted from the database, as gzipped lines of JSON to send again."""

import asyncio
import gzip
import os
from pathlib import Path

from storage.connections.database import Connection
from storage.facts.deployments import EventType

_ROWS_AT_ONCE = 2000


async def write_events(connection: Connection, table: str, folder: Path) -> Path:
    """Write all rows of a detached partition to a file, which appears only when complete.

    The connection must be in a transaction, which the cursor needs. Returns the file's path.
    """
    target = folder / f"{table}.ndjson.gz"
    draft = target.with_suffix(".part")
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    file = await asyncio.to_thread(gzip.open, draft, "wb")
    try:
        rows = await connection.cursor(_LINES.format(table=table))
        while batch := await rows.fetch(_ROWS_AT_ONCE):
            lines = "".join(f"{row['line']}\n" for row in batch)
            await asyncio.to_thread(file.write, lines.encode())
    finally:
        await asyncio.to_thread(file.close)
    await asyncio.to_thread(_finish, draft, target)
    return target


def _finish(draft: Path, target: Path) -> None:
    """Sync the file to disk, then rename it: the rows are deleted after this."""
    _sync(draft)
    draft.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


_TYPES = " ".join(f"when {kind:d} then 'deployment.{kind.name.lower()}'" for kind in EventType)

_LINES = f"""
select (jsonb_strip_nulls(jsonb_build_object(
    'id', event.event_id,
    'type', case event.type {_TYPES} end,
    'time', to_char(event.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'project', coalesce(projects.slug, event.project_id::text),
    'deployment', event.deployment_id,
    'environment', event.environment,
    'network', event.network,
    'template', event.template,
    'framework', event.framework,
    'durationMs', event.duration_us / 1000.0,
    'actor', event.actor,
    'toDeployment', event.to_deployment,
    'error', event.error,
    'source', event.source,
    'externalId', event.external_id))
  || case when event.attributes is null then '{{{{}}}}'
     else jsonb_build_object('attributes', event.attributes) end)::text as line
from {{table}} as event left join projects using (project_id)
order by event.occurred_at, event.project_id, event.event_id
"""
