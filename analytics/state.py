"""Keeps all aggregates of an operation to one state of the data."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import asyncpg

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.connections.snapshot import Snapshot
from storage.errors import Unavailable
from storage.feed.versions import Moment, Tags, read


class OneState:
    """The state of the data that all aggregates of one operation are read from.

    An ``optimistic`` state begins without a snapshot: answers cached at one version, or read by
    one statement, need none. If a later part of the operation needs a snapshot and the data has
    changed by then, ``data_changed`` is set: the caller discards the result and runs the operation
    again with a state that is not optimistic. The creator releases the state.
    """

    def __init__(self, database: Database, *, optimistic: bool = False) -> None:
        self._database = database
        self._optimistic = optimistic
        self._snapshot: Snapshot | None = None
        self._taking = asyncio.Lock()
        self._is_released = False
        self._unchecked: set[Tags] = set()
        self.versions: dict[Tags, str] = {}
        self.as_of: datetime | None = None
        self.data_changed = False
        self.turn = asyncio.Lock()  # batches run one after another

    @property
    def needs_snapshot(self) -> bool:
        return not self._optimistic or self._snapshot is not None

    def note(self, versions: Mapping[Tags, str], as_of: datetime) -> None:
        """Records the versions of answers given without a snapshot."""
        self.versions.update(versions)
        self._unchecked.update(versions)
        self.as_of = as_of

    async def look(self, tags: Collection[Tags]) -> Moment | None:
        """Returns the versions in the snapshot, taking one if needed; None for no tags."""
        await self._take()
        wanted = self._unchecked.union(tags)
        if not wanted:
            return None
        moment = await read(self.fetch, wanted)
        seen = moment.versions
        self.data_changed |= any(seen[tag] != self.versions[tag] for tag in self._unchecked)
        self._unchecked.clear()
        self.as_of = moment.as_of
        return moment

    async def fetch(self, query: SqlQuery, **parameters: Any) -> list[asyncpg.Record]:
        """Runs a statement in the snapshot, taking one if needed.

        The versions of answers given without a snapshot are checked by the next `look`.
        """
        snapshot = await self._take()
        return await snapshot.fetch(query, **parameters)

    async def _take(self) -> Snapshot:
        async with self._taking:
            if self._snapshot is None:
                if self._is_released:
                    raise Unavailable("The operation has ended, so its data cannot be read.")
                self._snapshot = await self._database.snapshot()
                self._release_if_ended()
            return self._snapshot

    def _release_if_ended(self) -> None:
        """Releases a snapshot taken by a task that outlived the operation."""
        if self._is_released and self._snapshot is not None:
            self._snapshot.release()

    def release(self) -> None:
        """Returns the snapshot's connection to the pool; the state cannot be used any more."""
        self._is_released = True
        self._release_if_ended()
