"""A database with rules, channels and transitions, and a worker's sending on a clock of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from access.sealing import Seals
from alerts.delivery.channel import Outside
from alerts.evidence import EVIDENCE, Evidence, Measured
from alerts.rules import RULE, Operator, Rule, Severity, Threshold, Watch
from alerts.sending import Sending
from alerts.silences import MATCHERS, SCHEDULE, Matcher, Schedule
from alerts.states import Outcome, Transition
from storage.connections.database import Database
from tests.gateway.graphql import edge

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "correct horse battery"
SETTINGS_SECRET = edge.SECRET  # as real workers of tests have it
SEALS = Seals([SETTINGS_SECRET])
MEASURE = "deployments.failure_rate"


def watch(**fields: Any) -> Watch:
    """A rule's trigger: failures above a tenth in an hour."""
    given: dict[str, Any] = {
        "measure": MEASURE,
        "window_seconds": 3_600,
        "comparison": Threshold(Operator.ABOVE, 0.1),
        **fields,
    }
    return Watch(**given)


def evidence(value: float | None = 0.125, bound: float = 0.1, **fields: Any) -> Evidence:
    """What was found in the last hour."""
    window = Measured(NOW - timedelta(hours=1), NOW, value, {"failed": 1, "finished": 8})
    return Evidence(NOW, Outcome.BREACH, MEASURE, window, bound=bound, **fields)


@dataclass
class Stage:
    """What a test sets up and looks at."""

    database: Database
    now: datetime = NOW
    rules: dict[UUID, Rule] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now

    def sending(self, outside: Outside, seals: Seals = SEALS) -> Sending:
        return Sending(self.database, outside, seals, self.clock)

    async def pass_time(self, sending: Sending, span: timedelta, steps: int = 1) -> None:
        """Moves the clock, and lets the worker do its work, in as many steps."""
        for _ in range(steps):
            self.now += span / steps
            await self.settle(sending)

    async def settle(self, sending: Sending) -> None:
        """Lets the worker work until nothing is left to do now."""
        while await sending.step():
            await sending.settle()
        await sending.settle()

    async def project(self, slug: str) -> int:
        return int(
            await self.fetchval(
                "insert into projects (slug, name, created_at) values ($1, $1, $2)"
                " returning project_id",
                slug,
                NOW,
            )
        )

    async def rule(self, rule: Rule, project_id: int | None = None) -> UUID:
        rule_id = uuid4()
        self.rules[rule_id] = rule
        await self.execute(
            "insert into alert_rules values ($1, $2, $3, true, $4, 1, $5, '', $5, '')",
            *(rule_id, project_id, rule.name, RULE.dump_python(rule, mode="json"), NOW),
        )
        return rule_id

    async def channel(
        self,
        name: str,
        kind: str,
        settings: dict[str, Any],
        secrets: dict[str, Any] | None = None,
        project_id: int | None = None,
        sends_per_hour: int = 60,
    ) -> UUID:
        channel_id, sealed = uuid4(), SEALS.seal(secrets or {})
        await self.execute(
            "insert into alert_channels values ($1, $2, $3, $4, true, $5, $6, $7, $8, '', $8, '')",
            *(channel_id, project_id, name, kind, settings, sealed, sends_per_hour, NOW),
        )
        return channel_id

    async def webhook(self, url: str, name: str = "hook", **fields: Any) -> UUID:
        return await self.channel(name, "webhook", {"url": url}, {"secret": SECRET}, **fields)

    async def happen(
        self,
        rule_id: UUID,
        transition: Transition = Transition.FIRING,
        *,
        instance: str = "",
        episode: UUID | None = None,
        project_id: int | None = None,
        found: Evidence | None = None,
        labels: dict[str, str] | None = None,
        by: str | None = None,
    ) -> UUID:
        """Stores a transition and queues it, as the evaluator does; returns the episode."""
        episode, event_id = episode or uuid4(), uuid4()
        document = EVIDENCE.dump_python(found or evidence(), mode="json")
        severity = self.rules[rule_id].severity.value
        row = (rule_id, instance, project_id, episode, transition.value, self.now, 1, severity)
        await self.execute(
            "insert into alert_events values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
            *(event_id, *row, labels or {}, document, by),
        )
        await self.execute("insert into alert_outbox values ($1, $2)", event_id, self.now)
        phase = 0 if transition in (Transition.RESOLVED, Transition.GONE) else 2
        await self.execute(
            "insert into alert_instances (rule_id, instance, project_id, labels, phase, since,"
            " health, firings, flapping, episode_id, evidence)"
            " values ($1, $2, $3, $4, $5, $6, 0, '[]', false, $7, $8)"
            " on conflict (rule_id, instance) do update set phase = $5, episode_id = $7",
            *(rule_id, instance, project_id, labels or {}, phase, self.now, episode, document),
        )
        return episode

    async def silence(
        self,
        matcher: Matcher,
        span: timedelta,
        project_id: int | None = None,
        schedule: Schedule | None = None,
        *,
        until_resolved: bool = False,
    ) -> UUID:
        silence_id = uuid4()
        hours = None if schedule is None else SCHEDULE.dump_python(schedule, mode="json")
        matchers = MATCHERS.dump_python((matcher,), mode="json")
        await self.execute(
            "insert into alert_silences values ($1,$2,$3,$4,$5,$6,$7,'maintenance',$4,'ann')",
            *(silence_id, project_id, matchers, self.now, self.now + span, until_resolved, hours),
        )
        return silence_id

    async def sends(self) -> list[Any]:
        return await self.fetch("select * from alert_sends order by created_at, send_id")

    async def attempts(self) -> list[Any]:
        return await self.fetch("select * from alert_attempts order by at, attempt")

    async def fetch(self, text: str, *given: Any) -> list[Any]:
        async with self.database.connection() as connection:
            rows: list[Any] = await connection.fetch(text, *given)
            return rows

    async def fetchval(self, text: str, *given: Any) -> Any:
        async with self.database.transaction() as connection:
            return await connection.fetchval(text, *given)

    async def execute(self, text: str, *given: Any) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(text, *given)


@asynccontextmanager
async def stage(url: str) -> AsyncIterator[Stage]:
    """A stage on a database of its own."""
    database = await Database.open(url)
    try:
        yield Stage(database)
    finally:
        await database.close()


def rule(name: str = "Failure rate", **fields: Any) -> Rule:
    """A rule that tells the channel called hook."""
    given: dict[str, Any] = {
        "name": name,
        "trigger": watch(),
        "severity": Severity.WARNING,
        "channels": ("hook",),
        **fields,
    }
    return Rule(**given)
