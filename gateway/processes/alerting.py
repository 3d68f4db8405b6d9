"""The worker's jobs that evaluate alert rules: of all workers one leads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from alerts.evaluator import TICK, TICK_SECONDS, Evaluator
from alerts.leader import Leader
from alerts.on_events import TICK as EVENTS
from alerts.on_events import OnEvents
from gateway.observability.alert_metrics import AlertMetrics
from gateway.observability.health import Check
from gateway.observability.telemetry import Telemetry
from storage.alerts.ticks import load_ticks
from storage.connections.database import Database
from storage.errors import GatewayError
from storage.keeping.windows import Retention

# Without a tick for so long, alerts are late.
LATE_AFTER = timedelta(seconds=60)


class Alerting:
    """Evaluates rules while this process leads, at every full ten seconds."""

    def __init__(
        self,
        database: Database,
        retention: Retention,
        holder: str,
        telemetry: Telemetry,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._clock = clock
        self.metrics = AlertMetrics(telemetry.registry)
        self._leader = Leader(database, holder)
        self._evaluator = Evaluator(database, retention, self._leader, clock)
        self._on_events = OnEvents(database, self._leader, clock)
        self._last = 0
        self._followed_at: datetime | None = None
        # When this process last evaluated the rules: those on events too within LATE_AFTER, and not
        # all of the others in vain.
        self.ticked_at: datetime | None = None

    def check(self) -> Check:
        """A check that some worker evaluates the rules; it makes this process degraded at most."""
        return Check("alerts", needed=False, probe=self._fault)

    async def _fault(self) -> str | None:
        ticks = await load_ticks(self._database.fetch)
        if not ticks.keys() >= {TICK, EVENTS}:
            return "no worker has evaluated the alert rules yet"
        age = self._clock() - min(ticks[name].evaluated_at for name in (TICK, EVENTS))
        if age <= LATE_AFTER:
            return None
        return f"the alert rules were last evaluated {age.total_seconds():.0f} seconds ago"

    async def lead(self) -> dict[str, object]:
        """Takes the lease, or renews it."""
        fence = await self._leader.renew()
        self.metrics.leading(fence is not None)
        return {}

    async def resign(self) -> None:
        """Leaves the lease to another worker at once; without the database it ends by itself."""
        with suppress(GatewayError):
            await self._leader.resign()

    async def follow(self) -> dict[str, object]:
        """Fires for what the change feed names, if this process leads."""
        fence = self._leader.fence
        if fence is None:
            return {}
        transitions = await self._on_events.step(fence)
        self._followed_at = self._clock()
        self.metrics.told(transitions)
        return {"transitions": transitions} if transitions else {}

    async def tick(self) -> dict[str, object]:
        """Evaluates all rules, if this process leads and a tick is due."""
        fence, number = self._leader.fence, int(self._clock().timestamp()) // TICK_SECONDS
        if fence is None or number == self._last:
            return {}
        self._last = number
        report = await self._evaluator.tick(fence)
        self.metrics.ticked(report)
        followed = self._followed_at
        if followed and abs(report.at - followed) <= LATE_AFTER and not report.is_blind:
            self.ticked_at = report.at
        if not report.transitions and not report.missed:
            return {}
        return {
            "rules": report.rules,
            "transitions": report.transitions,
            "failing": report.failing,
            "missed": report.missed,
        }
