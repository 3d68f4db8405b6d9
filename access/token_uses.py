"""Records in the audit log who used which token, and what crashed; no request waits for it.

Equal uses are counted in the process: the log gets one entry a minute for each, with their number.
Entries are written in the background. Those that cannot be written for long are counted as lost.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog

from storage.admin import audit
from storage.admin.audit import OK, AuditRecord
from storage.connections.database import Database
from storage.errors import GatewayError

log = structlog.get_logger(component="audit")

FLUSH_SECONDS = 2.0
# The first of equal uses is written at once, the others together this long after it.
COUNTED_SECONDS = 60.0
MAX_KINDS = 10_000
# Refused requests have a limit of their own: a flood of them does not crowd out known tokens.
MAX_REFUSED_KINDS = 1_000
MAX_WAITING = 2_000
STOP_SECONDS = 3.0


class TokenUse(NamedTuple):
    """One kind of use: equal ones share an entry."""

    subject: str
    action: str = "token.used"
    outcome: str = OK
    token_id: UUID | None = None
    target: str | None = None
    address: str = ""
    reason: str = ""  # why a token was refused


@dataclass(slots=True)
class _Count:
    """Equal uses that are not written yet, and when the last ones were."""

    request_id: str  # of the first use
    times: int = 0
    events: int = 0
    written_at: float = float("-inf")

    def take(self, use: TokenUse) -> AuditRecord:
        """The entry for the counted uses, which then count as written."""
        details = {"reason": use.reason} if use.reason else {}
        record = AuditRecord(
            use.subject,
            use.action,
            use.outcome,
            use.token_id,
            use.target,
            self.times,
            self.request_id,
            use.address,
            details | ({"events": self.events} if self.events else {}),
        )
        self.times = self.events = 0
        return record

    def put_back(self, record: AuditRecord) -> None:
        self.times += record.times
        self.events += int(record.details.get("events", 0))


_Counts = dict[TokenUse, _Count]


class TokenUses:
    """Counts uses, and writes them to the audit log together with single entries."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        on_lost: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._on_lost = on_lost
        self._used: _Counts = {}
        self._refused: _Counts = {}
        self._waiting: list[AuditRecord] = []
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="token-uses")

    async def stop(self) -> None:
        """Writes everything, if the database answers within a few seconds."""
        self._stopping.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                if self._task is not None:
                    await self._task
                await self.flush(everything=True)
        left = len(self._waiting) + sum(count.times for _use, count in self._counts())
        if left:
            log.warning("token_uses_lost", uses=left)
            self._on_lost(left)

    def used(self, use: TokenUse, request_id: str = "", events: int = 0) -> None:
        """Counts one use of a valid token, with the number of events it sent."""
        if use not in self._used and len(self._used) >= MAX_KINDS:
            self._on_lost(1)
        else:
            _count(self._used, use, request_id, events)

    def refused(self, use: TokenUse, request_id: str = "") -> None:
        """Counts one refused request; above the limit of kinds, all addresses share an entry."""
        if use not in self._refused and len(self._refused) >= MAX_REFUSED_KINDS:
            use, request_id = use._replace(address="", reason=""), ""
        _count(self._refused, use, request_id)

    def add(self, record: AuditRecord) -> None:
        """Adds an entry of its own, such as a crash."""
        if len(self._waiting) >= MAX_WAITING:
            self._on_lost(1)
        else:
            self._waiting.append(record)

    async def flush(self, *, everything: bool = False) -> None:
        """Writes the counts that are due.

        They wait while the database is away; what the table cannot hold is lost.
        """
        now = self._monotonic()
        due = [
            (use, count)
            for use, count in self._counts()
            if count.times and (everything or now - count.written_at >= COUNTED_SECONDS)
        ]
        single, self._waiting = self._waiting, []
        taken = [count.take(use) for use, count in due]
        try:
            if taken or single:
                await self._write([*taken, *single])
        except (GatewayError, OSError, asyncio.CancelledError) as error:
            self._waiting = [*single, *self._waiting]
            for (_use, count), record in zip(due, taken, strict=True):
                count.put_back(record)
            if isinstance(error, asyncio.CancelledError):
                raise
            log.warning("token_uses_not_written", entries=len(taken), reason=str(error))
            return
        except Exception:
            # A retry would fail again, and hold up everything that comes after it.
            log.exception("token_uses_lost", entries=len(taken) + len(single))
            self._on_lost(len(single) + sum(record.times for record in taken))
        for _use, count in due:
            count.written_at = now
        self._forget(now)

    async def _write(self, records: Sequence[AuditRecord]) -> None:
        async with self._database.connection() as connection:
            await audit.add(connection, records, self._clock())

    def _counts(self) -> list[tuple[TokenUse, _Count]]:
        return [*self._used.items(), *self._refused.items()]

    def _forget(self, now: float) -> None:
        for counts in (self._used, self._refused):
            for use, count in list(counts.items()):
                if not count.times and now - count.written_at >= COUNTED_SECONDS:
                    del counts[use]

    async def _follow(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._stopping.wait()
            await self.flush()


def _count(counts: _Counts, use: TokenUse, request_id: str, events: int = 0) -> None:
    count = counts.get(use)
    if count is None:
        count = counts[use] = _Count(request_id)
    count.times += 1
    count.events += events
