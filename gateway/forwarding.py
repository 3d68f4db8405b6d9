"""Sends recorded errors on to another Sentry server, in the background and never in their way."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import orjson
import structlog

from access.drops import Category, Drops, Reason
from access.dsn import Dsn
from gateway.http.destinations import DestinationError, Destinations
from ingest.formats.sentry.items import SdkEvent
from storage.admin.project_keys import ProjectKey
from storage.background import running
from storage.recent import Recent

log = structlog.get_logger(component="forwarding")

MAX_WAITING_EVENTS = 1_000
MAX_WAITING_BYTES = 32_000_000
WORKERS = 4
TIMEOUT_SECONDS = 10.0
# The pauses before another try, after an answer that promises better or none at all.
RETRY_SECONDS = (1.0, 5.0)
# A destination that failed each time gets nothing for a while, so that others do not wait for it.
PAUSE_SECONDS = 30.0
MAX_PAUSE_SECONDS = 300.0
REMEMBERED_DESTINATIONS = 1_000
CLIENT = "deployment-analytics-gateway/1"

# Takes a key and the body of an event; returns the body without secrets.
Scrub = Callable[[ProjectKey, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class _Waiting(NamedTuple):
    key: ProjectKey
    event: SdkEvent


class _Answer(NamedTuple):
    status: int
    retry_after_seconds: float | None


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends one envelope to an address that was judged just before."""

    destinations: Destinations

    async def send(self, dsn: Dsn, body: bytes) -> _Answer:
        """Raises DestinationError, OSError or httpx.HTTPError. Redirects are not followed."""
        url = httpx.URL(dsn.envelope_url)
        address = await self.destinations.address(dsn.envelope_url)
        headers = {
            "host": dsn.host,
            "user-agent": CLIENT,
            "content-type": "application/x-sentry-envelope",
            "content-encoding": "gzip",
            "x-sentry-auth": f"Sentry sentry_version=7, sentry_client={CLIENT}, "
            f"sentry_key={dsn.public_key}",
        }
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx.AsyncClient(
                timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
            ) as client,
            # By address, so that no second look-up can lead elsewhere; TLS checks the name.
            client.stream(
                "POST",
                url.copy_with(host=address),
                headers=headers,
                content=body,
                extensions={"sni_hostname": urlsplit(dsn.envelope_url).hostname},
            ) as response,
        ):
            return _Answer(response.status_code, _seconds(response.headers.get("retry-after")))


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdigit() else None


class Forwarder:
    """A bounded queue of errors, and the workers that send them.

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
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(MAX_WAITING_EVENTS)
        self._waiting_bytes = 0
        self._paused_until = Recent[str, float](REMEMBERED_DESTINATIONS)

    def offer(self, key: ProjectKey, event: SdkEvent) -> None:
        """Queues an error whose key forwards; never waits."""
        if key.forward_to is None:
            return
        is_full = self._waiting_bytes + event.size_bytes > MAX_WAITING_BYTES
        if is_full or self._queue.full() or self._is_paused(Dsn.parse(key.forward_to).host):
            self._lose(key)
            return
        self._waiting_bytes += event.size_bytes
        self._queue.put_nowait(_Waiting(key, event))

    @asynccontextmanager
    async def forwarding(self) -> AsyncIterator[None]:
        """Sends in the background; at the end, what still waits is counted as lost."""
        async with running(self._work_all(), "forwarding"):
            yield
        while not self._queue.empty():
            self._lose(self._queue.get_nowait().key)

    async def _work_all(self) -> None:
        await asyncio.gather(*(self._work() for _ in range(WORKERS)))

    async def _work(self) -> None:
        while True:
            key, event = await self._queue.get()
            self._waiting_bytes -= event.size_bytes
            is_sent = False
            try:
                is_sent = await self._forward(key, event)
            except Exception:
                log.exception("forwarding_failed")
            finally:
                if not is_sent:
                    self._lose(key)

    async def _forward(self, key: ProjectKey, event: SdkEvent) -> bool:
        """Whether the event was taken."""
        dsn = Dsn.parse(key.forward_to or "")
        body = await self._envelope(key, event)
        for pause in (*self._retry_seconds, None):
            if self._is_paused(dsn.host):
                return False
            try:
                answer = await self._sender.send(dsn, body)
            except DestinationError as error:
                log.warning("forwarding_refused", key=key.public_key, reason=str(error))
                break
            except (OSError, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                log.info("forwarding_failed", key=key.public_key, reason=type(error).__name__)
            else:
                if answer.status == 429:
                    self._pause(dsn.host, answer.retry_after_seconds or PAUSE_SECONDS)
                    return False
                if answer.status < 500:
                    return 200 <= answer.status < 300
            if pause is not None:
                await asyncio.sleep(pause)
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
        until = time.monotonic() + min(seconds, MAX_PAUSE_SECONDS)
        self._paused_until[destination] = until

    def _is_paused(self, destination: str) -> bool:
        return self._paused_until.get(destination, 0.0) > time.monotonic()
