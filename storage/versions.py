"""How new the data of a project or network is: numbers that change when its facts change.

They are read from the change feed, so every process derives the same number from the same
commits, and a crash between a commit and a publish loses nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from storage.database import Database
from storage.errors import GatewayError

POLL_SECONDS = 0.25
# Beyond this, what we know is too old to vouch for a kept answer.
LAG_LIMIT_SECONDS = 2.0
# At start, changes older than any kept answer can be left unread.
HORIZON_MINUTES = 65

# A row is read once every transaction older than it has ended: so nothing is skipped, and the
# largest transaction id seen for a project grows with each change to it.
_CHANGED_SINCE = f"""
with horizon as (select pg_snapshot_xmin(pg_current_snapshot()) as xmin)
select null::bigint as project_id, null::int as network_id, xmin::text::bigint as version
from horizon
union all
select project_id, network_id, max(transaction_id::text::bigint)
from changes, horizon
where transaction_id >= $1::text::xid8 and transaction_id < horizon.xmin
  and ($1 <> '0' or recorded_at > now() - interval '{HORIZON_MINUTES} minutes')
group by project_id, network_id
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tags:
    """Whose changes a kept answer depends on; None means any."""

    project_ids: tuple[int, ...] | None
    network_ids: tuple[int, ...] | None


class Versions:
    """Follows the change feed and knows the newest change of each project and network."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._cursor = 0
        self._newest = 0
        self._projects: dict[int, int] = {}
        self._networks: dict[int, int] = {}
        self._read_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="versions")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def known(self) -> bool:
        """Whether the feed was read recently enough to vouch for kept answers."""
        return self._read_at is not None and self._monotonic() - self._read_at <= LAG_LIMIT_SECONDS

    def of(self, tags: Tags) -> int:
        """The version of everything that ``tags`` name: it grows with each change to any of it."""
        if tags.project_ids is not None:
            return max((self._projects.get(key, 0) for key in tags.project_ids), default=0)
        if tags.network_ids is not None:
            return max((self._networks.get(key, 0) for key in tags.network_ids), default=0)
        return self._newest

    async def refresh(self) -> None:
        """Read what the feed has gained."""
        began = self._monotonic()
        async with self._database.connection() as connection:
            rows = await connection.fetch(_CHANGED_SINCE, str(self._cursor))
        self._take(rows)
        self._read_at = began

    def _take(self, rows: list[asyncpg.Record]) -> None:
        for row in rows:
            version: int = row["version"]
            if row["project_id"] is None:
                self._cursor = version
                continue
            self._newest = max(self._newest, version)
            self._projects[row["project_id"]] = max(
                version, self._projects.get(row["project_id"], 0)
            )
            self._networks[row["network_id"]] = max(
                version, self._networks.get(row["network_id"], 0)
            )

    async def _follow(self) -> None:
        failing = False
        while True:
            try:
                await self.refresh()
                failing = False
            except (GatewayError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not failing:
                    _log.warning("change feed unreadable, answers go uncached: %s", error)
                failing = True
            await asyncio.sleep(POLL_SECONDS)
