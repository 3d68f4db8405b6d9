"""An archive file is written under a lease: whole by its holder, or not at all."""

import asyncio
import gzip
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from storage.connections.database import Connection, Database
from storage.errors import Conflict
from storage.facts.api_calls import API_CALLS
from storage.keeping import archive as module
from storage.keeping import retention
from storage.keeping.archive import Archive, write_events
from storage.keeping.leases import Hold, held, lease
from storage.keeping.windows import Retention
from tests.storage.keeping.test_append_retention import NOW, ago
from tests.storage.states import append

TABLE = "api_calls_20310101"
ROWS = 3


@pytest.fixture
async def hold(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hold]:
    """A lease for writing; a batch is one row."""
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 1)
    async with held(database, uuid4().hex, "worker", 900) as hold:
        assert hold is not None
        yield hold


def numbered(folder: Path) -> Archive:
    """An archive whose lines are numbers."""
    return Archive(
        folder, lambda _fact: f"select n::text as line from generate_series(1, {ROWS}) n"
    )


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def write(hold: Hold, folder: Path) -> Path:
    async with hold.database.transaction() as connection:
        return await write_events(connection, TABLE, numbered(folder), API_CALLS, hold)


async def take_over(connection: Connection, name: str) -> int:
    """As if the lease had expired, and another one had taken it; returns the new fence."""
    await connection.execute("update leases set expires_at = renewed_at where name = $1", name)
    fence = await lease(connection, name, "another", 900)
    assert fence is not None
    return fence


@pytest.mark.parametrize("batches", range(ROWS + 1))
async def test_a_lease_lost_on_the_way_leaves_no_file(
    hold: Hold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """Lost before a batch is written, or after the last one."""
    renewals, renew = itertools.count(), Hold.renew

    async def lose(self: Hold) -> None:
        if next(renewals) == batches:
            async with self.database.transaction() as connection:
                await take_over(connection, self.name)
        await renew(self)

    monkeypatch.setattr(Hold, "renew", lose)
    with pytest.raises(Conflict, match="taken over"):
        await write(hold, tmp_path)
    assert not contents(tmp_path)


async def test_what_a_former_holder_left_is_removed(hold: Hold, tmp_path: Path) -> None:
    for left in (f"{TABLE}.part", f"{TABLE}.{hold.fence - 1}.part"):
        (tmp_path / left).write_bytes(b"half a li")
    path = await write(hold, tmp_path)
    ((name, written),) = contents(tmp_path).items()
    assert name == path.name
    assert gzip.decompress(written) == b"1\n2\n3\n"


async def test_a_former_holder_does_not_write_into_the_file_of_the_next(
    hold: Hold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has opened its draft and stands still until the next one has begun to write."""
    opened: list[Path] = []

    async def keep_open(_connection: Any, _lines: str, draft: Path, _hold: Hold) -> None:
        opened.append(draft)
        await asyncio.to_thread(draft.write_text, f"by number {len(opened)}")
        if len(opened) == 1:
            async with hold.database.transaction() as connection:
                fence = await take_over(connection, hold.name)
            await write(Hold(hold.database, hold.name, "another", 900, fence), tmp_path)

    monkeypatch.setattr(module, "_write", keep_open)
    with pytest.raises(FileNotFoundError):
        await write(hold, tmp_path)
    assert len(set(opened)) == 2
    assert list(contents(tmp_path).values()) == [b"by number 2"]


async def test_rows_stay_if_the_lease_is_lost_after_the_file(
    own_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    async def write_and_lose(connection: Connection, table: str, *given: Any) -> Path:
        written.append(table)
        path = await write_events(connection, table, *given)
        await take_over(connection, retention.LEASE)
        return path

    monkeypatch.setattr(retention, "write_events", write_and_lose)
    await append(own_database, API_CALLS, [{"occurred_at": ago(130)}])
    with pytest.raises(Conflict, match="taken over"):
        await retention.enforce(
            own_database, Retention(), NOW, holder="a", archive=numbered(tmp_path)
        )
    async with own_database.connection() as connection:
        assert await connection.fetchval("select to_regclass($1)::text", *written) == written[0]
