"""Records the gateway's own API calls as events of one project; no request waits for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import structlog

from access.viewers import Role, Viewer
from gateway.http.edge_route import UNMATCHED
from gateway.http.exchange import Exchange
from gateway.observability.telemetry import known_method
from ingest.events import EventStatus, Result
from ingest.identity import uuid7
from storage.background import running
from storage.errors import RateLimited, Timeout, Unavailable

log = structlog.get_logger(component="api-calls")

FLUSH_SECONDS = 1.0
STOP_SECONDS = 1.0
MAX_WAITING = 5_000

# Records events of the plain format.
Record = Callable[[Sequence[dict[str, Any]], Viewer], Awaitable[list[Result]]]

# The first events of an admin create their project.
_VIEWER = Viewer("gateway", frozenset({Role.ADMIN}), frozenset())


class ApiCalls:
    """Queues the calls of the API, and records them once a second.

    At most MAX_WAITING calls wait; further ones are lost, and `on_lost` gets their number.
    """

    def __init__(
        self,
        record: Record,
        project: str,
        environment: str,
        clock: Callable[[], datetime],
        on_lost: Callable[[int], None],
    ) -> None:
        self._record = record
        self._common: dict[str, Any] = {
            "type": "api.call",
            "project": project,
            "environment": environment,
        }
        self._clock = clock
        self._on_lost = on_lost
        self._waiting: deque[dict[str, Any]] = deque()

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """Records in the background; at the end, what waits has a second to be recorded."""
        async with running(self._follow(), "api-calls"):
            yield
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self.flush()
        if self._waiting:
            log.warning("api_calls_lost", calls=len(self._waiting))

    def add(self, exchange: Exchange, status: int, seconds: float) -> None:
        """Queues an answered request, unless it was for a probe, a page or no route at all."""
        route, viewer = exchange.route, exchange.viewer
        # Without a viewer, only pages and preflight requests succeed.
        if route.is_public or route is UNMATCHED or (viewer is None and status < 400):
            return
        if len(self._waiting) >= MAX_WAITING:
            self._on_lost(1)
            return
        call = self._common | {
            # Holds the time, and makes it harmless to send the call again.
            "id": str(uuid7(self._clock())),
            "endpoint": route.path,
            "method": known_method(exchange.method),
            "status": status,
        }
        if not exchange.is_stream:  # which lasts as long as its client reads
            call["durationMs"] = round(seconds * 1000, 3)
        if viewer is not None:
            call["user"] = viewer.subject
        self._waiting.append(call)

    async def flush(self) -> None:
        """Records the waiting calls; they wait longer while the intake cannot take them.

        Only one flush may run at a time.
        """
        calls = list(self._waiting)
        if not calls:
            return
        try:
            results = await self._record(calls, _VIEWER)
            lost = sum(result.status is EventStatus.REJECTED for result in results)
        except (Unavailable, Timeout, RateLimited, OSError) as error:
            log.warning("api_calls_not_recorded", calls=len(calls), reason=str(error))
            return
        except Exception:
            # A retry would fail again, and hold up everything that comes after it.
            log.exception("api_calls_lost", calls=len(calls))
            lost = len(calls)
        if lost:
            self._on_lost(lost)
        for _call in calls:
            self._waiting.popleft()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()
