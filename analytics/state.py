"""One answer, one state: what holds the aggregates of an operation to one state of the data."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime

from storage.connections.database import Database
from storage.connections.query import Fetch
from storage.connections.snapshot import Snapshot
from storage.errors import Unavailable
from storage.feed.versions import Moment, Tags, read


class OneState:
    """The state of the data that all aggregates of one operation are of.

    An ``optimistic`` one begins without a snapshot: what is kept at one version, or read by one
    statement, is of one state by itself. If a later part of the operation needs a snapshot and
    the data has changed by then, ``moved`` is set: the answer must be thrown away, and the
    operation run again with a state that is not optimistic. Whoever makes one releases it.
    """

    def __init__(self, database: Database, *, optimistic: bool = False) -> None:
        self._database = database
        self._optimistic = optimistic
        self._snapshot: Snapshot | None = None
        self._is_released = False
        self._unchecked: set[Tags] = set()
        self.versions: dict[Tags, str] = {}
        self.as_of: datetime | None = None
        self.moved = False
        self.turn = asyncio.Lock()  # its batches are answered one after another

    @property
    def needs_snapshot(self) -> bool:
        return not self._optimistic or self._snapshot is not None

    def note(self, versions: Mapping[Tags, str], as_of: datetime) -> None:
        """Something was answered that is of these versions, without a snapshot."""
        self.versions.update(versions)
        self._unchecked.update(versions)
        self.as_of = as_of

    async def look(self, tags: Collection[Tags]) -> Moment | None:
        """The versions that the snapshot sees, which is taken now if there is none yet.

        None where there is nothing to look at.
        """
        fetch = await self._fetch()
        wanted = self._unchecked.union(tags)
        if not wanted:
            return None
        moment = await read(fetch, wanted)
        seen = moment.versions
        self.moved |= any(seen[tag] != self.versions[tag] for tag in self._unchecked)
        self._unchecked.clear()
        self.as_of = moment.as_of
        return moment

    async def _fetch(self) -> Fetch:
        if self._snapshot is None:
            if self._is_released:
                raise Unavailable("The operation has ended.")
            self._snapshot = await self._database.snapshot()
            self._release_if_ended()
        return self._snapshot.fetch

    def _release_if_ended(self) -> None:
        """Batches are read by tasks that outlive the operation: it may have ended meanwhile."""
        if self._is_released and self._snapshot is not None:
            self._snapshot.release()

    @property
    def fetch(self) -> Fetch:
        """Runs a statement in the snapshot, after `look`."""
        assert self._snapshot is not None
        return self._snapshot.fetch

    def release(self) -> None:
        """Nothing more will be asked: the snapshot's connection goes back to the pool."""
        self._is_released = True
        self._release_if_ended()
