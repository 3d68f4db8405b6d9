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
from storage.keeping.leases import Hold

_ROWS_AT_ONCE = 2000
_DRAFT = ".part"


@dataclass(frozen=True, slots=True)
class Archive:
    """A folder, and SQL for the lines of a fact's events, with {table} for the partition's name.

    The SQL belongs to the wire format of events, so it is passed in.
    """

    folder: Path
    lines: Callable[[Fact], str]


async def write_events(
    connection: Connection, table: str, archive: Archive, fact: Fact, hold: Hold
) -> Path:
    """Write all rows of a detached partition to a new file, which appears only when complete.

    The connection must be in a transaction, which the cursor needs. Returns the file's path;
    raises `Conflict`, and leaves no file, if the lease was lost on the way: another process may
    have changed the rows since they were read.
    """
    # One who lost the lease, and does not know it yet, writes to another draft.
    draft = archive.folder / f"{table}.{hold.fence}{_DRAFT}"
    await asyncio.to_thread(archive.folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(remove_drafts, archive.folder)
    try:
        await _write(connection, archive.lines(fact).format(table=table), draft, hold)
        await asyncio.to_thread(_sync, draft)
        await hold.renew()
        return await asyncio.to_thread(_finish, draft, table)
    finally:
        await asyncio.to_thread(draft.unlink, missing_ok=True)


def remove_drafts(folder: Path) -> None:
    """Delete what others began to write and did not complete; only for the lease's holder."""
    for draft in folder.glob(f"*{_DRAFT}"):
        draft.unlink(missing_ok=True)


async def _write(connection: Connection, lines: str, draft: Path, hold: Hold) -> None:
    """Write the lines that SQL selects, and renew the lease before each batch."""
    file = await asyncio.to_thread(gzip.open, draft, "wb")
    try:
        rows = await connection.cursor(lines)
        while batch := await rows.fetch(_ROWS_AT_ONCE):
            await hold.renew()
            text = "".join(f"{row['line']}\n" for row in batch)
            await asyncio.to_thread(file.write, text.encode())
    finally:
        await asyncio.to_thread(file.close)


def _finish(draft: Path, table: str) -> Path:
    """Rename the file, which is on the disk: the rows are deleted after this."""
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
