"""Sends recorded errors on to another Sentry server, in the background and never in their way."""

import asyncio
import gzip
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import httpx
import orjson
import structlog

from access.destinations import DestinationError
from access.drops import Category, Drops, Reason
from access.dsn import Dsn
from access.outgoing import Answer, Outgoing
from ingest.formats.sentry.items import SdkEvent
from storage.admin.project_keys import ProjectKey
from storage.recent import Recent

log = structlog.get_logger(component="forwarding")

MAX_WAITING_EVENTS = 1_000
MAX_WAITING_BYTES = 32_000_000
# One project takes at most this part of both, and of what is sent at once: the rest is for others.
PROJECT_PART = 4
SENT_AT_ONCE = 16
# The pauses before another try, after an answer that promises better or none at all.
RETRY_SECONDS = (1.0, 5.0)
# A destination that failed each time gets nothing for a while, so that others do not wait for it.
PAUSE_SECONDS = 30.0
# A failure that took longer kept others from being sent: the second one ends all tries.
SLOW_SECONDS = 1.0
MAX_PAUSE_SECONDS = 300.0
REMEMBERED_DESTINATIONS = 1_000
CLIENT = "deployment-analytics-gateway/1"

# Takes a key and the body of an event; returns the body without secrets.
Scrub = Callable[[ProjectKey, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class _Waiting(NamedTuple):
    key: ProjectKey
    event: SdkEvent


@dataclass(slots=True)
class _Line:
    """The errors of one project that wait, and how many tasks send them.

    Both numbers count those too that are on their way, or wait for another try.
    """

    waiting: deque[_Waiting] = field(default_factory=deque)
    events: int = 0
    size_bytes: int = 0
    senders: int = 0


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends one envelope to an address that was judged just before."""

    outgoing: Outgoing

    async def send(self, dsn: Dsn, body: bytes) -> Answer:
        """Raises as `Outgoing.post` does."""
        headers = {
            "user-agent": CLIENT,
            "content-type": "application/x-sentry-envelope",
            "content-encoding": "gzip",
            "x-sentry-auth": f"Sentry sentry_version=7, sentry_client={CLIENT}, "
            f"sentry_key={dsn.public_key}",
        }
        return await self.outgoing.post(dsn.envelope_url, headers, body)


class Forwarder:
    """A bounded line of errors for each project, and the tasks that send them.

    What does not fit, or cannot be sent in three tries, is counted as not forwarded.
    """

    def __init__(
        self,
        sender: Sender,
        drops: Drops,
        clock: Callable[[], datetime],
        scrub: Scrub,
        retry_seconds: tuple[float, ...] = RETRY_SECONDS,
    ) -> None:
        self._sender = sender
        self._drops = drops
        self._clock = clock
        self._scrub = scrub
        self._retry_seconds = retry_seconds
        self._lines: dict[int, _Line] = {}  # by project
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(SENT_AT_ONCE)
        self._paused_until = Recent[str, float](REMEMBERED_DESTINATIONS)  # by host or DSN
        self._slow_hosts = Recent[str, None](REMEMBERED_DESTINATIONS)

    def offer(self, key: ProjectKey, event: SdkEvent) -> None:
        """Queues an error whose key forwards; never waits."""
        if key.forward_to is None:
            return
        line = self._lines.get(key.project_id) or _Line()
        if self._is_paused(Dsn.parse(key.forward_to)) or not self._has_room(line, event):
            self._lose(key)
            return
        self._lines[key.project_id] = line
        line.waiting.append(_Waiting(key, event))
        line.events += 1
        line.size_bytes += event.size_bytes
        if line.senders < SENT_AT_ONCE // PROJECT_PART:
            line.senders += 1
            task = asyncio.create_task(self._send_line(key.project_id, line), name="forwarding")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _has_room(self, line: _Line, event: SdkEvent) -> bool:
        """Whether the event may wait in the line of its project, and beside those of all others."""
        return all(
            sum(one.events for one in lines) < MAX_WAITING_EVENTS // part
            and sum(one.size_bytes for one in lines) + event.size_bytes <= MAX_WAITING_BYTES // part
            for lines, part in (((line,), PROJECT_PART), (self._lines.values(), 1))
        )

    @asynccontextmanager
    async def forwarding(self) -> AsyncIterator[None]:
        """Sends in the background; at the end, what still waits is counted as lost."""
        try:
            yield
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for line in self._lines.values():
                for key, _event in line.waiting:
                    self._lose(key)

    async def _send_line(self, project_id: int, line: _Line) -> None:
        try:
            while line.waiting:
                await self._send(line)
        finally:
            line.senders -= 1
            if not line.senders and not line.waiting:
                self._lines.pop(project_id, None)

    async def _send(self, line: _Line) -> None:
        key, event = line.waiting.popleft()
        is_sent = False
        try:
            is_sent = await self._forward(key, event)
        except Exception:
            log.exception("forwarding_failed")
        finally:
            line.events -= 1
            line.size_bytes -= event.size_bytes
            if not is_sent:
                self._lose(key)

    async def _forward(self, key: ProjectKey, event: SdkEvent) -> bool:
        """Whether the event was taken. Each try waits for its turn, and no pause takes one."""
        dsn = Dsn.parse(key.forward_to or "")
        async with self._turns:
            body = await self._envelope(key, event)
        for pause in (*self._retry_seconds, None):
            async with self._turns:
                if self._is_paused(dsn):
                    return False
                is_sent = await self._try(key, dsn, body)
            if is_sent is not None:
                return is_sent
            if pause is not None:
                await asyncio.sleep(pause)
        self._pause(dsn.host, PAUSE_SECONDS)
        return False

    async def _try(self, key: ProjectKey, dsn: Dsn, body: bytes) -> bool | None:
        """Whether the event was taken; None where another try may help."""
        began = time.monotonic()
        try:
            answer = await self._sender.send(dsn, body)
        except DestinationError as error:
            log.warning("forwarding_refused", key=key.public_key, reason=str(error))
            self._pause(str(dsn), PAUSE_SECONDS)
            return False
        except (OSError, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            log.info("forwarding_failed", key=key.public_key, reason=type(error).__name__)
        else:
            if answer.status == 429:  # a quota of this DSN: others of the host go on
                self._pause(str(dsn), answer.retry_after_seconds or PAUSE_SECONDS)
            if answer.status < 500:
                self._slow_hosts.pop(dsn.host, None)
                return 200 <= answer.status < 300
        if time.monotonic() - began < SLOW_SECONDS:
            return None
        if dsn.host not in self._slow_hosts:
            self._slow_hosts[dsn.host] = None
            return None
        self._pause(dsn.host, PAUSE_SECONDS)
        return False

    async def _envelope(self, key: ProjectKey, event: SdkEvent) -> bytes:
        scrubbed = await self._scrub(key, event.body)
        sent = {**scrubbed, "event_id": event.event_id.hex}
        payload = orjson.dumps(sent, default=str)
        header = {"event_id": event.event_id.hex, "sent_at": self._clock().isoformat()}
        item = {"type": "event", "length": len(payload), "content_type": "application/json"}
        lines = b"\n".join((orjson.dumps(header), orjson.dumps(item), payload, b""))
        return gzip.compress(lines, compresslevel=4)

    def _lose(self, key: ProjectKey) -> None:
        self._drops.add(key, Category.ERROR, Reason.NOT_FORWARDED)

    def _pause(self, destination: str, seconds: float) -> None:
        """Sends nothing for a while to a host, or with a DSN."""
        until = time.monotonic() + min(seconds, MAX_PAUSE_SECONDS)
        self._paused_until[destination] = until

    def _is_paused(self, dsn: Dsn) -> bool:
        now = time.monotonic()
        return any(self._paused_until.get(each, 0.0) > now for each in (dsn.host, str(dsn)))
