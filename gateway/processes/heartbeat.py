"""The heartbeat of the alerts: a request to a checker outside, as long as rules are evaluated.

The checker tells people when it stops, whatever the reason: a dead-man's switch.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import structlog

from access.destinations import DestinationError
from access.outgoing import Outgoing
from alerts.delivery.http import CLIENT

log = structlog.get_logger(component="alerts")

EVERY = timedelta(seconds=30)


class Heartbeat:
    """Sends a GET after an evaluation of the rules by this process; none without an address."""

    def __init__(
        self,
        url: str,
        outgoing: Outgoing,
        ticked_at: Callable[[], datetime | None],
        on_beat: Callable[[str], None],
    ) -> None:
        """`ticked_at` is when this process last evaluated the rules."""
        self._url = url
        self._outgoing = outgoing
        self._ticked_at = ticked_at
        self._on_beat = on_beat
        self._last: datetime | None = None

    async def step(self) -> dict[str, object]:
        """Sends if there was an evaluation, at most one in `EVERY`; returns log fields.

        It is a job of its own, so that no evaluation waits for the checker.
        """
        at = self._ticked_at()
        if not self._url or at is None:
            return {}
        if self._last is not None and abs(at - self._last) < EVERY:
            return {}
        self._last = at
        fault = await self._fault()
        self._on_beat("failed" if fault else "delivered")
        if fault is not None:  # the address may be a secret
            log.warning("heartbeat_not_taken", reason=fault)
        return {}

    async def _fault(self) -> str | None:
        try:
            answer = await self._outgoing.get(self._url, {"user-agent": CLIENT})
        except (DestinationError, OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__
        return None if 200 <= answer.status < 300 else str(answer.status)
