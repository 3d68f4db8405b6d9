"""Events that SDKs sent and that are not stored: counted by reason, and written now and then."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

import asyncpg
import structlog

from storage.admin import assigned_times, dropped_events
from storage.admin.dropped_events import Drop
from storage.admin.project_keys import ProjectKey
from storage.background import repeating
from storage.connections.database import Database
from storage.errors import GatewayError

log = structlog.get_logger(component="dropped-events")

WRITTEN_SECONDS = 2.0
TIDIED_SECONDS = 3600.0
COUNTS_KEPT = timedelta(days=90)
# Longer than SDKs keep an event to send it again.
TIMES_KEPT = timedelta(days=30)


class Category(StrEnum):
    """Kinds of what an SDK sends."""

    ERROR = "error"
    TRANSACTION = "transaction"
    SESSION = "session"
    ATTACHMENT = "attachment"
    FEEDBACK = "feedback"
    PROFILE = "profile"
    REPLAY = "replay"
    CHECK_IN = "check_in"
    LOG = "log"
    METRIC = "metric"
    SPAN = "span"
    CLIENT_REPORT = "client_report"
    OTHER = "other"
    ENVELOPE = "envelope"  # one whose items were not read


class Reason(StrEnum):
    """Why something that was sent is not stored."""

    DUPLICATE = "duplicate"
    NOT_USED = "not_used"
    RELEASE_FILTER = "release_filter"
    TEXT_FILTER = "text_filter"
    BROWSER_FILTER = "browser_filter"
    KEY_BUDGET = "key_budget"
    PROJECT_BUDGET = "project_budget"
    SIZE_BUDGET = "size_budget"
    TRANSACTIONS_OFF = "transactions_off"
    NO_REQUEST = "no_request"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    TOO_OLD = "too_old"
    UNREADABLE = "unreadable"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    CLIENT_RATE_LIMITED = "client_rate_limited"
    CLIENT_SAMPLED = "client_sampled"
    CLIENT_FILTERED = "client_filtered"
    CLIENT_LOST = "client_lost"
    NOT_FORWARDED = "not_forwarded"


class Drops:
    """Counts dropped events; `on_dropped` gets the category, the reason and the number."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        on_dropped: Callable[[str, str, int], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_dropped = on_dropped
        self._counts: Counter[Drop] = Counter()
        self._writing = asyncio.Lock()
        self._tidied_at: datetime | None = None

    def add(self, key: ProjectKey, category: Category, reason: Reason, events: int = 1) -> None:
        """Counts events of a key, on the day of now."""
        day = self._clock().date()
        self._counts[Drop(key.project_id, day, key.public_key, category, reason)] += events
        self._on_dropped(category, reason, events)

    async def write(self) -> None:
        """Adds the counts to those stored; they wait longer if the database is unavailable."""
        async with self._writing:  # who waits here finds all counts written
            counts, self._counts = self._counts, Counter()
            if not counts:
                return
            try:
                async with self._database.transaction() as connection:
                    await dropped_events.add(connection, counts)
            except (GatewayError, OSError) as error:
                log.warning("dropped_events_not_written", events=counts.total(), reason=str(error))
                self._counts.update(counts)

    async def follow(self) -> None:
        """Writes from time to time, and once more when cancelled."""
        await repeating(WRITTEN_SECONDS, self._write_and_tidy)

    async def _write_and_tidy(self) -> None:
        await self.write()
        await self._tidy()

    async def _tidy(self) -> None:
        """Deletes what is too old, once an hour; a database may have no tables yet."""
        now = self._clock()
        if self._tidied_at and now - self._tidied_at < timedelta(seconds=TIDIED_SECONDS):
            return
        self._tidied_at = now
        try:
            async with self._database.transaction() as connection:
                await dropped_events.delete_before(connection, (now - COUNTS_KEPT).date())
                await assigned_times.delete_before(connection, now - TIMES_KEPT)
        except (GatewayError, OSError, asyncpg.UndefinedTableError) as error:
            log.warning("dropped_events_not_tidied", reason=str(error))
