"""Notes who used which token, and what crashed, without making any request wait for it.

Uses are gathered in the process: one entry a minute for each viewer, address, kind of request and
outcome, with how often it was. They are written in the background, and counted as lost where that
cannot be done for long.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.requests import CRASHES, address_of, request_id_of, state_of, viewer_or_none
from storage import audit
from storage.audit import OK, Entry
from storage.database import Database
from storage.errors import GatewayError

log = structlog.get_logger(component="audit")

FLUSH_SECONDS = 2.0
# After its first entry a use is gathered so long before the next one is written.
GATHERED_SECONDS = 60.0
GATHERED_AT_MOST = 10_000
AUDITED_PATHS = frozenset({"/graphql", "/v1/events"})

_OUTCOMES = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 429: "RATE_LIMITED"}

Key = tuple[str, str | None, str, str, str]


@dataclass(slots=True)
class _Gathered:
    """Uses not yet written, and when the last ones were."""

    entry: Entry
    times: int = 0
    written_at: float = field(default=float("-inf"))


class TokenUses:
    """Gathers uses and crashes, and writes them to the audit log."""

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
        self._gathered: dict[Key, _Gathered] = {}
        self._crashes: list[Entry] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="token-uses")

    async def stop(self) -> None:
        """Write what has been gathered, as far as the database is there."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.flush(everything=True)

    def used(self, entry: Entry) -> None:
        token_id = None if entry.token_id is None else str(entry.token_id)
        key = (entry.subject, token_id, entry.action, entry.outcome, entry.address)
        gathered = self._gathered.get(key)
        if gathered is None:
            if len(self._gathered) >= GATHERED_AT_MOST:
                self._on_lost(1)
                return
            gathered = self._gathered[key] = _Gathered(entry)
        gathered.times += 1

    def crashed(self, entry: Entry) -> None:
        if len(self._crashes) >= GATHERED_AT_MOST:
            self._on_lost(1)
        else:
            self._crashes.append(entry)

    async def flush(self, *, everything: bool = False) -> None:
        now = self._monotonic()
        due = [
            each
            for each in self._gathered.values()
            if each.times and (everything or now - each.written_at >= GATHERED_SECONDS)
        ]
        crashes = list(self._crashes)
        entries = [replace(each.entry, times=each.times) for each in due] + crashes
        if not entries:
            return
        counted = [each.times for each in due]
        try:
            async with self._database.connection() as connection:
                await audit.add(connection, entries, self._clock())
        except (GatewayError, OSError) as error:
            log.warning("token_uses_not_written", entries=len(entries), reason=str(error))
            return
        del self._crashes[: len(crashes)]
        for each, times in zip(due, counted, strict=True):
            each.times -= times
            each.written_at = now
        self._forget(now)

    def _forget(self, now: float) -> None:
        for key, each in list(self._gathered.items()):
            if not each.times and now - each.written_at >= GATHERED_SECONDS:
                del self._gathered[key]

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()


@dataclass(frozen=True, slots=True)
class Auditing:
    """Notes each request that came with a token, or with one that was not believed."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in AUDITED_PATHS:
            await self.app(scope, receive, send)
            return
        status = 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            uses: TokenUses | None = getattr(scope["app"].state, "token_uses", None)
            if uses is not None and status:
                _note(uses, HTTPConnection(scope), status)


def _note(uses: TokenUses, connection: HTTPConnection, status: int) -> None:
    state = state_of(connection.scope)
    viewer = viewer_or_none(connection)
    outcome = _OUTCOMES.get(status) or state.get("log", {}).get("outcome", OK)
    subject, token_id = (viewer.subject, viewer.token_id) if viewer else ("", None)
    if viewer is None and status < 400:  # a page, which needs no token
        return
    entry = Entry(
        subject=subject,
        action="token.used" if viewer else "token.refused",
        outcome=outcome,
        token_id=token_id,
        target=connection.scope["path"],
        request_id=request_id_of(connection),
        address=address_of(connection),
    )
    uses.used(entry)
    if crashes := state.get(CRASHES):
        endpoint = f"{connection.scope['method']} {connection.scope['path']}"
        details = {"errors": crashes[:10], "operation": state["log"].get("operation_name", "")}
        uses.crashed(
            replace(
                entry,
                action="request.crashed",
                outcome="INTERNAL",
                target=endpoint,
                details=details,
            )
        )
