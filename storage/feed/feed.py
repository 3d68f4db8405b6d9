"""The change feed: the projects that have changed, and the changed entities of each."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from uuid import UUID

import asyncpg

from storage.connections.database import Connection, Database
from storage.errors import GatewayError
from storage.feed.counters import CATALOGUE

POLL_SECONDS = 0.25
# Changes within this time are returned together, and later ones after a pause.
GATHER_SECONDS = 0.2
PAUSE_SECONDS = 1.0
# The most changes that are read at once.
EVERY_CHANGE = 100_000
# The largest part of the time that goes into reading, if a read takes long.
_BUSY_PART = 0.2

_log = logging.getLogger(__name__)

_Counters = dict[tuple[int, str], int]
# By project id, the number up to which its changes have been read.
FeedPosition = dict[int, int]


class Listener:
    """Collects the projects in which some facts, or any fact, changed between calls of `wait`."""

    def __init__(self, facts: Collection[str]) -> None:
        self._facts = frozenset(facts)
        self._changed: set[int] = set()
        self._all = False
        self._wake = asyncio.Event()
        self._not_before = 0.0

    def notify(self, changed: Iterable[tuple[int, str]] | None) -> None:
        """Add changed projects and facts, and wake the reader; None means any may have changed."""
        if changed is None:
            self._all = True
        else:
            relevant = {p for p, fact in changed if not self._facts or fact in self._facts}
            if not relevant:
                return
            self._changed |= relevant
        self._wake.set()

    async def wait(self) -> frozenset[int] | None:
        """Wait for changes; returns the projects changed since the last call, or None for any.

        It gathers changes, and returns at most once per PAUSE_SECONDS.
        """
        await self._wake.wait()
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(max(GATHER_SECONDS, self._not_before - clock()))
        self._not_before = clock() + PAUSE_SECONDS
        self._wake.clear()
        changed = None if self._all else frozenset(self._changed)
        self._changed, self._all = set(), False
        return changed


class Feed:
    """Polls the counters while there are listeners, and passes them what changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[Listener] = set()
        self._joining = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._platform: _Counters = {}
        self._projects: _Counters = {}

    @contextlib.asynccontextmanager
    async def listening(self, *facts: str) -> AsyncIterator[Listener]:
        """A listener for the changes of these facts, or of all, committed from now on."""
        listener = Listener(facts)
        async with self._joining:
            if not self._listeners:
                await self.look()  # earlier changes must not be reported
            self._listeners.add(listener)
        self._wanted.set()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._wanted.clear()

    async def look(self) -> None:
        """Read the counters, and notify the listeners of those that changed."""
        async with self._database.connection() as connection:
            platform = await _counters(connection, _PLATFORM, CATALOGUE)
            facts = {fact for (_, fact), _ in platform.items() ^ self._platform.items()}
            if not facts:
                return
            numbers = await _counters(connection, _PROJECTS, list(facts))
        others = {key: number for key, number in self._projects.items() if key[1] not in facts}
        before, self._platform, self._projects = self._projects, platform, others | numbers
        changed = {counter for counter, _ in self._projects.items() ^ before.items()}
        # The catalogue's names are in answers about all projects.
        any_project = any(fact == CATALOGUE for _, fact in changed)
        for listener in self._listeners:
            listener.notify(None if any_project else changed)

    async def follow(self) -> None:
        """Poll until cancelled, while there are listeners."""
        failing = False
        while True:
            await self._wanted.wait()
            loop = asyncio.get_running_loop()
            began = loop.time()
            try:
                await self.look()
                failing = False
            except (GatewayError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not failing:
                    _log.warning("the change feed cannot be read: %s", error)
                failing = True
            took_seconds = loop.time() - began
            await asyncio.sleep(max(POLL_SECONDS, took_seconds * (1 / _BUSY_PART - 1)))


async def _counters(connection: Connection, statement: str, *arguments: object) -> _Counters:
    rows = await connection.fetch(statement, *arguments)
    return {(row["owner"], row["fact"]): row["number"] for row in rows}


async def current_position(
    connection: Connection, fact: str, project_ids: Sequence[int] | None
) -> FeedPosition:
    """The position after all changes committed so far."""
    ids = None if project_ids is None else list(project_ids)
    rows = await connection.fetch(_NUMBERS, fact, ids)
    return {row["project_id"]: row["number"] for row in rows}


async def entities_since(
    connection: Connection,
    fact: str,
    position: FeedPosition,
    project_ids: Sequence[int] | None,
    limit: int = EVERY_CHANGE,
) -> tuple[list[tuple[int, UUID]] | None, FeedPosition]:
    """The entities changed after a position, each project's oldest first, and the new position.

    None instead of entities means that any may have changed: there are `limit` changes or more, or
    a counter is lower than before.
    """
    numbers = await current_position(connection, fact, project_ids)
    after = {**position, **numbers}
    if any(number < position.get(project, 0) for project, number in numbers.items()):
        return None, after  # the database was restored from a backup
    risen = [project for project in numbers if numbers[project] > position.get(project, 0)]
    if not risen:
        return [], after
    since = [position.get(project, 0) for project in risen]
    upto = [numbers[project] for project in risen]
    rows = await connection.fetch(_SINCE, fact, risen, since, upto, limit)
    if len(rows) == limit:
        return None, after
    return list(dict.fromkeys((row["project_id"], row["entity_id"]) for row in rows)), after


# With the catalogue's counter, since provisioning changes no project's data.
_PLATFORM = """
select slot::bigint as owner, fact, number from platform_versions
union all select -1, fact, number from project_versions where project_id = 0 and fact = $1
"""

_PROJECTS = """
select project_id as owner, fact, number from project_versions where fact = any($1::text[])
"""

_NUMBERS = """
select project_id, number from project_versions
where fact = $1 and ($2::bigint[] is null or project_id = any($2::bigint[]))
"""

_SINCE = """
select project_id, entity_id
from unnest($2::bigint[], $3::bigint[], $4::bigint[]) as risen(project_id, since, upto)
join changes using (project_id)
where fact = $1 and number > since and number <= upto
order by project_id, number limit $5
"""
