"""How new the data of a project or network is: a version that changes when its facts change.

Versions are read from the change feed, so every process derives the same one from the same
commits, and a crash between a commit and a publish loses nothing.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import asyncpg

from storage.database import Connection, Database
from storage.errors import GatewayError

POLL_SECONDS = 0.25
# Beyond this, what we know is too old to vouch for a kept answer.
LAG_LIMIT_SECONDS = 1.0
# So much of the feed is read at once; a follower that is further behind begins at its end.
ROWS_AT_MOST = 100_000
# Where reading takes long, no more than this part of the time goes into it.
_BUSY_PART = 0.2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tags:
    """Whose changes a kept answer depends on; None means any."""

    project_ids: tuple[int, ...] | None
    network_ids: tuple[int, ...] | None


@dataclass(slots=True)
class _Seen:
    """Committed transactions by what they changed.

    ``settled`` holds the newest of those older than every transaction still running: no other
    can come before it. ``unsettled`` holds each of the others, because an earlier one may follow.
    Together they stand for one set of commits, whenever and however often they are read.
    """

    settled: dict[int, int] = field(default_factory=dict)
    unsettled: dict[int, set[int]] = field(default_factory=dict)

    def add(self, key: int, settled: int | None, unsettled: Iterable[int] | None) -> None:
        if settled is not None:
            self.settled[key] = max(settled, self.settled.get(key, 0))
        if unsettled:
            self.unsettled.setdefault(key, set()).update(unsettled)

    def version(self, keys: Iterable[int], floor: int) -> str:
        newest, early = floor, set[int]()
        for key in keys:
            newest = max(newest, self.settled.get(key, 0))
            early |= self.unsettled.get(key, set())
        if not early:
            return str(newest)
        digest = hashlib.blake2b(repr(sorted(early)).encode(), digest_size=8)
        return f"{newest}+{digest.hexdigest()}"


class Listener:
    """Gathers which projects have changed until somebody looks."""

    def __init__(self) -> None:
        self._changed: set[int] = set()
        self._all = False
        self._wake = asyncio.Event()

    def tell(self, projects: Iterable[int] | None) -> None:
        """These have changed; None stands for any, where that cannot be told."""
        if projects is None:
            self._all = True
        else:
            self._changed.update(projects)
        self._wake.set()

    async def wait(self) -> frozenset[int] | None:
        """The projects that have changed since the last look, once there are some."""
        await self._wake.wait()
        self._wake.clear()
        changed = None if self._all else frozenset(self._changed)
        self._changed, self._all = set(), False
        return changed


class Versions:
    """Follows the change feed and knows which changes each project and network has had."""

    def __init__(
        self,
        database: Database,
        monotonic: Callable[[], float],
        rows_at_most: int = ROWS_AT_MOST,
    ) -> None:
        self._database = database
        self._monotonic = monotonic
        self._rows_at_most = rows_at_most
        self._cursor: int | None = None
        self._floor = 0
        self._everything, self._projects, self._networks = _Seen(), _Seen(), _Seen()
        self._read_at: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._listeners: set[Listener] = set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="versions")

    @contextlib.contextmanager
    def listening(self) -> Iterator[Listener]:
        """Hears of what is committed from now on, once the versions say so as well."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def known(self) -> bool:
        """Whether the feed was read recently enough to vouch for kept answers."""
        return self._read_at is not None and self._monotonic() - self._read_at <= LAG_LIMIT_SECONDS

    def of(self, tags: Tags) -> str:
        """The version of everything that ``tags`` name: another one after each change to any."""
        if tags.project_ids is not None:
            return self._projects.version(tags.project_ids, self._floor)
        if tags.network_ids is not None:
            return self._networks.version(tags.network_ids, self._floor)
        return self._everything.version((_ANY,), self._floor)

    async def refresh(self) -> None:
        """Read what the feed has gained."""
        began = self._monotonic()
        async with self._database.connection() as connection:
            if self._cursor is None:
                await self._begin(connection)
            complete, changed = await self._go_on(connection)
            # At once: what comes after may fail, and the versions are new already.
            self._read_at = began if complete else None
            if not complete:
                self._renew(None)
            elif changed:
                self._renew(changed)

    async def _begin(self, connection: Connection) -> None:
        """Take up the feed at its end: what is older than the newest rows counts as one change."""
        self._read_at = None
        rows = await connection.fetch(_NEWEST, self._rows_at_most)
        told = rows[0]
        self._everything, self._projects, self._networks = _Seen(), _Seen(), _Seen()
        self._floor = told["oldest"] if told["count"] == self._rows_at_most else 0
        self._take(rows)
        self._cursor = told["xmin"]
        self._renew(None)

    async def _go_on(self, connection: Connection) -> tuple[bool, set[int]]:
        """Read on: false where that fell short and the feed is to be taken up anew, and which
        projects have changed."""
        rows = await connection.fetch(_GAINED, str(self._cursor), self._rows_at_most)
        told = rows[0]
        # What is not settled is read each time: only another version tells of a change.
        touched = {row["project_id"] for row in rows if row["project_id"] is not None}
        before = {key: self._projects.version((key,), self._floor) for key in touched}
        for seen in (self._everything, self._projects, self._networks):
            seen.unsettled = {}
        self._take(rows)
        # A database restored from a copy counts its transactions from a smaller number.
        set_back = self._cursor is not None and told["xmin"] < self._cursor
        complete = not set_back and told["count"] < self._rows_at_most
        self._cursor = told["xmin"] if complete else None
        after = {key: self._projects.version((key,), self._floor) for key in touched}
        return complete, {key for key in touched if after[key] != before[key]}

    def _renew(self, projects: Iterable[int] | None) -> None:
        """The versions of these projects are others now; None stands for any."""
        for listener in self._listeners:
            listener.tell(projects)

    def _take(self, rows: list[asyncpg.Record]) -> None:
        for row in rows:
            if row["project_id"] is not None:
                changed = row["settled"], row["unsettled"]
                self._projects.add(row["project_id"], *changed)
                self._networks.add(row["network_id"], *changed)
                self._everything.add(_ANY, *changed)

    async def _follow(self) -> None:
        failing = False
        while True:
            began = self._monotonic()
            try:
                await self.refresh()
                failing = False
            except (GatewayError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not failing:
                    _log.warning("change feed unreadable, answers go uncached: %s", error)
                failing = True
            took_seconds = self._monotonic() - began
            await asyncio.sleep(max(POLL_SECONDS, took_seconds * (1 / _BUSY_PART - 1)))


_ANY = 0


def _changed(part: str) -> str:
    """SQL for a row that tells how much was read, then one for each project and network in it."""
    return f"""
with horizon as (select pg_snapshot_xmin(pg_current_snapshot()) as xmin),
part as materialized (
  select project_id, network_id, transaction_id::text::bigint as id,
    transaction_id < xmin as is_settled
  from horizon cross join lateral (
    select project_id, network_id, transaction_id from changes {part}) as changes)
select null::bigint as project_id, null::int as network_id,
  null::bigint as settled, null::bigint[] as unsettled,
  (select xmin::text::bigint from horizon) as xmin, count(*) as count, min(id) as oldest
from part
union all
select project_id, network_id, max(id) filter (where is_settled),
  array_agg(distinct id) filter (where not is_settled), null, null, null
from part group by project_id, network_id
"""


# In the order of the key, so that the work is bounded however much the feed holds.
_NEWEST = _changed(
    "where transaction_id < horizon.xmin order by transaction_id desc, sequence desc limit $1"
)
_GAINED = _changed(
    "where transaction_id >= $1::text::xid8 order by transaction_id, sequence limit $2"
)
