"""The archive: events deleted from the database, as gzipped lines of JSON to send again."""

import asyncio
import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from storage.connections.database import Connection
from storage.facts.fact import Fact

_ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Archive:
    """A folder, and SQL for the lines of a fact's events, with {table} for the partition's name.

    The SQL belongs to the wire format of events, so it is passed in.
    """

    folder: Path
    lines: Callable[[Fact], str]


async def write_events(connection: Connection, table: str, archive: Archive, fact: Fact) -> Path:
    """Write all rows of a detached partition to a new file, which appears only when complete.

    The connection must be in a transaction, which the cursor needs. Returns the file's path.
    """
    draft = archive.folder / f"{table}.part"
    await asyncio.to_thread(archive.folder.mkdir, parents=True, exist_ok=True)
    file = await asyncio.to_thread(gzip.open, draft, "wb")
    try:
        rows = await connection.cursor(archive.lines(fact).format(table=table))
        while batch := await rows.fetch(_ROWS_AT_ONCE):
            lines = "".join(f"{row['line']}\n" for row in batch)
            await asyncio.to_thread(file.write, lines.encode())
    finally:
        await asyncio.to_thread(file.close)
    return await asyncio.to_thread(_finish, draft, table)


def _finish(draft: Path, table: str) -> Path:
    """Sync the file to disk, then rename it: the rows are deleted after this."""
    _sync(draft)
    # Late events may have filled a partition of this name again.
    numbers = chain([""], (f".{number}" for number in count(2)))
    names = (draft.with_name(f"{table}{number}.ndjson.gz") for number in numbers)
    target = next(name for name in names if not name.exists())
    draft.rename(target)
    _sync(target.parent)
    return target


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
