"""Gathers who used which token, and what crashed, for the audit log; no request waits for it.

Uses are gathered in the process: one entry a minute for each of their kind, with how often it was.
They are written in the background, and counted as lost where that cannot be done for long.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog

from storage.admin import audit
from storage.admin.audit import AuditRecord
from storage.connections.database import Database
from storage.errors import GatewayError

log = structlog.get_logger(component="audit")

FLUSH_SECONDS = 2.0
# After its first entry a use is gathered so long before the next one is written.
GATHERED_SECONDS = 60.0
GATHERED_AT_MOST = 10_000
# Strangers have a part of their own: a flood of them takes no room from those who are known.
STRANGERS_AT_MOST = 1_000
WAITING_AT_MOST = 2_000
STOP_SECONDS = 3.0


class Kind(NamedTuple):
    """What uses have in common that share an entry; the reason is that of a refusal."""

    subject: str
    token_id: UUID | None
    action: str
    outcome: str
    target: str | None
    address: str
    reason: str = ""


@dataclass(slots=True)
class _Gathered:
    """Uses not yet written, and when the last ones were."""

    entry: AuditRecord
    times: int = 0
    events: int = 0
    written_at: float = field(default=float("-inf"))

    def take(self) -> AuditRecord:
        """What has come together, which then counts as written."""
        details = {**self.entry.details, **({"events": self.events} if self.events else {})}
        taken = replace(self.entry, times=self.times, details=details)
        self.times = self.events = 0
        return taken

    def put_back(self, taken: AuditRecord) -> None:
        self.times += taken.times
        self.events += int(taken.details.get("events", 0))


class TokenUses:
    """Gathers uses and single entries, and writes them to the audit log."""

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
        self._known: dict[Kind, _Gathered] = {}
        self._strangers: dict[Kind, _Gathered] = {}
        self._waiting: list[AuditRecord] = []
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="token-uses")

    async def stop(self) -> None:
        """Write what has been gathered, as far as the database is there."""
        self._stopping.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                if self._task is not None:
                    await self._task
                await self.flush(everything=True)
        left = len(self._waiting) + sum(each.times for each in self._every())
        if left:
            log.warning("token_uses_lost", uses=left)
            self._on_lost(left)

    def used_again(self, kind: Kind, events: int = 0) -> bool:
        """One more use of a kind that is being gathered; False where it is none."""
        each = self._known.get(kind)
        if each is None:
            return False
        each.times += 1
        each.events += events
        return True

    def used(self, entry: AuditRecord, events: int = 0) -> None:
        """One more use of a known token."""
        kind = _kind(entry)
        if kind not in self._known and len(self._known) >= GATHERED_AT_MOST:
            self._on_lost(1)
            return
        self._gather(self._known, kind, entry, events)

    def refused(self, entry: AuditRecord) -> None:
        """One more request of somebody not known; too many kinds of them share one entry."""
        kind = _kind(entry)
        if kind not in self._strangers and len(self._strangers) >= STRANGERS_AT_MOST:
            entry = replace(entry, address="", request_id="", details={})
            kind = _kind(entry)
        self._gather(self._strangers, kind, entry, 0)

    def add(self, entry: AuditRecord) -> None:
        """An entry of its own, such as a crash."""
        if len(self._waiting) >= WAITING_AT_MOST:
            self._on_lost(1)
        else:
            self._waiting.append(entry)

    async def flush(self, *, everything: bool = False) -> None:
        """Write what is due; what cannot be written waits, what the log cannot hold is lost."""
        now = self._monotonic()
        due = [
            each
            for each in self._every()
            if each.times and (everything or now - each.written_at >= GATHERED_SECONDS)
        ]
        single, self._waiting = self._waiting, []
        taken = [each.take() for each in due]
        try:
            if taken or single:
                await self._write([*taken, *single])
        except (GatewayError, OSError, asyncio.CancelledError) as error:
            self._waiting = [*single, *self._waiting]
            for each, entry in zip(due, taken, strict=True):
                each.put_back(entry)
            if isinstance(error, asyncio.CancelledError):
                raise
            log.warning("token_uses_not_written", entries=len(taken), reason=str(error))
            return
        except Exception:
            # Nothing of it would ever be written, nor anything that comes after it.
            log.exception("token_uses_lost", entries=len(taken) + len(single))
            self._on_lost(len(single) + sum(entry.times for entry in taken))
        for each in due:
            each.written_at = now
        self._forget(now)

    async def _write(self, entries: Sequence[AuditRecord]) -> None:
        async with self._database.connection() as connection:
            await audit.add(connection, entries, self._clock())

    @staticmethod
    def _gather(
        gathered: dict[Kind, _Gathered], kind: Kind, entry: AuditRecord, events: int
    ) -> None:
        each = gathered.get(kind)
        if each is None:
            each = gathered[kind] = _Gathered(entry)
        each.times += 1
        each.events += events

    def _every(self) -> list[_Gathered]:
        return [*self._known.values(), *self._strangers.values()]

    def _forget(self, now: float) -> None:
        for gathered in (self._known, self._strangers):
            for kind, each in list(gathered.items()):
                if not each.times and now - each.written_at >= GATHERED_SECONDS:
                    del gathered[kind]

    async def _follow(self) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._stopping.wait()
            await self.flush()


def _kind(entry: AuditRecord) -> Kind:
    reason = str(entry.details.get("reason", ""))
    return Kind(
        entry.subject,
        entry.token_id,
        entry.action,
        entry.outcome,
        entry.target,
        entry.address,
        reason,
    )
