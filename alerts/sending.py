"""Sends what the dispatcher has made: with retries, at least once, and always under one id."""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from pydantic import ValidationError

from access.sealing import CannotOpenError, Seals
from alerts import outbox
from alerts.curves import Curves
from alerts.delivery import KINDS
from alerts.delivery.channel import ChannelKind, DeliveryError, Letter, Outside, delivered
from alerts.mail_limit import admitted
from alerts.messages import MESSAGE
from storage.alerts import mails, sends
from storage.alerts import outbox as store
from storage.alerts.instances import Key
from storage.alerts.sends import AttemptOutcome, Claimed, Ending
from storage.connections.database import Database
from storage.errors import GatewayError

log = structlog.get_logger(component="alerts")

SENT_AT_ONCE = 64
# While there is work, a step goes on for so long; other jobs of the worker run meanwhile.
BUSY_SECONDS = 5.0
_PAUSE_SECONDS = 0.02
# A try takes less than the lease of a send: 15 s of a request, or of a mail.
REMINDED_EVERY = timedelta(seconds=10)
FIRST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 600.0
LONGEST_WISH_SECONDS = 3_600.0  # of a Retry-After
ATTEMPTS_AT_MOST = 20
TRIED_FOR = timedelta(hours=24)
FINISH_SECONDS = 5.0

# Gets the kind of a channel, and what became of a try.
OnAttempt = Callable[[str, str], None]


class Sending:
    """Dispatches and sends in steps; what it sends goes on in the background between them."""

    def __init__(
        self,
        database: Database,
        outside: Outside,
        seals: Seals,
        clock: Callable[[], datetime],
        on_attempt: OnAttempt = lambda _kind, _outcome: None,
        curves: Curves | None = None,
    ) -> None:
        self._database = database
        self._outside = outside
        self._seals = seals
        self._clock = clock
        self._on_attempt = on_attempt
        self._curves = curves
        self._running: dict[asyncio.Task[None], Claimed] = {}
        self._reminded_at: datetime | None = None
        self._reminded_of: Key | None = None

    async def step(self) -> dict[str, object]:
        """Makes sends of what has happened, and begins to send what is due; returns log fields.

        It goes on as long as there is more to do and tries end, at most for `BUSY_SECONDS`.
        """
        until, dispatched, begun = time.monotonic() + BUSY_SECONDS, 0, 0
        while True:
            more = await self._round()
            dispatched, begun = dispatched + more[0], begun + more[1]
            is_over = not (any(more) or await self._has_ended()) or time.monotonic() >= until
            if is_over:
                return {"dispatched": dispatched, "sends": begun} if dispatched or begun else {}
            if len(self._running) >= SENT_AT_ONCE:
                await self._has_ended(BUSY_SECONDS)

    async def _has_ended(self, within_seconds: float = 0.1) -> bool:
        """Whether a try ends soon, so that there is room for another one."""
        if not self._running:
            return False
        first = asyncio.FIRST_COMPLETED
        ended, _ = await asyncio.wait(self._running, timeout=within_seconds, return_when=first)
        await asyncio.sleep(_PAUSE_SECONDS)  # so that the next ones are taken together
        return bool(ended)

    async def _round(self) -> tuple[int, int]:
        now, dispatched = self._clock(), 0
        try:
            dispatched = await self._dispatch(now)
            await self._remind(now)
        finally:  # what is due is sent, whatever else fails
            begun = await self._begin()
        return dispatched, begun

    async def _dispatch(self, now: datetime) -> int:
        async with self._database.connection() as connection:
            is_waiting = await store.is_waiting(connection)
        if not is_waiting:
            return 0
        async with self._database.transaction() as connection:
            return await outbox.dispatch(connection, now, self._outside.base_url)

    async def _remind(self, now: datetime) -> None:
        if self._reminded_at is None or abs(now - self._reminded_at) >= REMINDED_EVERY:
            async with self._database.transaction() as connection:
                self._reminded_of = await outbox.remind(
                    connection, now, self._outside.base_url, self._reminded_of
                )
            self._reminded_at = now

    async def finish(self) -> None:
        """Lets the tries that run end, for some seconds; what is cut off is sent again later."""
        tasks = list(self._running)
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=FINISH_SECONDS)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def settle(self) -> None:
        """Waits until no try runs."""
        while self._running:
            await asyncio.wait(list(self._running))

    async def _begin(self) -> int:
        """Takes as many sends as there is room for, and sends each in a task of its own."""
        room = SENT_AT_ONCE - len(self._running)
        if room <= 0:
            return 0
        async with self._database.connection() as connection:
            if not await sends.is_due(connection, self._clock()):
                return 0
        async with self._database.transaction() as connection:
            server = self._outside.mail
            if server is not None:  # before any row is locked, or two workers could lock crosswise
                await mails.lock(connection)
            busy, now = list(self._running.values()), self._clock()
            claimed = begun = await sends.claim(connection, now, room, busy)
            if server is not None:
                begun = await admitted(connection, claimed, server, now)
        for each in begun:
            task = asyncio.create_task(self._send(each), name="alert-send")
            self._running[task] = each
            task.add_done_callback(self._running.pop)
        return len(claimed)

    async def _send(self, claimed: Claimed) -> None:
        began = time.perf_counter()
        try:
            outcome, detail, again_at = await self._try(claimed)
            end = Ending(outcome, detail, round((time.perf_counter() - began) * 1000), again_at)
            async with self._database.transaction() as connection:
                await sends.finish(connection, claimed, end, self._clock())
            self._on_attempt(claimed.kind or "", outcome.value)
        except GatewayError as error:
            log.warning("send_not_finished", send=str(claimed.send_id), reason=error.message)
        except Exception:
            # The lease of the send ends, and it is tried again.
            log.exception("send_not_finished", send=str(claimed.send_id))

    async def _try(self, claimed: Claimed) -> tuple[AttemptOutcome, str, datetime | None]:
        try:
            channel = _channel(claimed, self._seals)
        except CannotOpenError as error:  # the key may come back
            return self._failed(claimed, DeliveryError(error.message))
        if isinstance(channel, str):
            return AttemptOutcome.REFUSED, channel, None
        owners: tuple[str, ...] = ()
        if claimed.project_id is not None and getattr(channel, "owners", False):
            async with self._database.connection() as connection:
                owners = await mails.owners(connection, claimed.project_id)
        try:
            message = MESSAGE.validate_python(claimed.message)
        except ValidationError:
            return AttemptOutcome.REFUSED, "The message cannot be read", None
        if channel.SHOWS_CURVE and self._curves is not None:
            message = await self._curves.added(message)
        try:
            letter = Letter(claimed.send_id, message, self._clock(), owners)
            outside = self._outside.for_owner(claimed.owner_id)
            return AttemptOutcome.DELIVERED, await delivered(channel, letter, outside), None
        except DeliveryError as error:
            return self._failed(claimed, error)

    def _failed(
        self, claimed: Claimed, error: DeliveryError
    ) -> tuple[AttemptOutcome, str, datetime | None]:
        if error.is_final:
            return AttemptOutcome.REFUSED, error.detail, None
        again_at = next_try(claimed.attempt, claimed.created_at, self._clock(), error)
        outcome = AttemptOutcome.FAILED if again_at else AttemptOutcome.REFUSED
        return outcome, error.detail, again_at


def next_try(
    attempt: int, created_at: datetime, now: datetime, error: DeliveryError
) -> datetime | None:
    """When a send is tried again after so many tries; None where it is given up.

    The pause doubles from 10 s to 10 minutes, less up to half of it by chance, and is never
    shorter than the receiver wishes.
    """
    if attempt >= ATTEMPTS_AT_MOST or now - created_at >= TRIED_FOR:
        return None
    pause = min(FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
    wish = min(error.retry_after_seconds or 0.0, LONGEST_WISH_SECONDS)
    return now + timedelta(seconds=max(pause * random.uniform(0.5, 1.0), wish))


def _channel(claimed: Claimed, seals: Seals) -> ChannelKind | str:
    """The channel of a send, or why there is none; raises CannotOpenError for its secrets."""
    if claimed.kind is None:
        return "The channel has been deleted"
    if not claimed.enabled:
        return "The channel is switched off"
    kind = KINDS.get(claimed.kind)
    if kind is None:
        return "The channel is of an unknown kind"
    try:
        return kind.of(claimed.settings or {}, seals.open(claimed.secrets or {}))
    except ValidationError:
        return "The settings of the channel are wrong"
