"""The evaluator over a database of its own, on a clock that tests move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from access.viewers import Role, Viewer
from alerts.evaluator import Evaluator, Report
from alerts.leader import Leader
from alerts.on_events import OnEvents
from alerts.rules import RULE, OnEvent, Rule, Watch
from ingest.events import EventStatus
from ingest.intake import Intake
from storage.alerts.changes import publish
from storage.alerts.rules import RuleChange, RuleRow, add, change, delete, lock
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.keeping.windows import DEFAULT

ADMIN = Viewer("admin", frozenset({Role.ADMIN}), frozenset())
TICK = timedelta(seconds=10)


@dataclass
class Engine:
    """An evaluator that leads, with ways to make rules and events and to see what it wrote."""

    database: Database
    intake: Intake
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    holder: str = "first"

    def __post_init__(self) -> None:
        self.leader = Leader(self.database, self.holder)
        self.evaluator = Evaluator(self.database, DEFAULT, self.leader, lambda: self.now)
        self.on_events = OnEvents(self.database, self.leader, lambda: self.now)

    async def tick(self, after: timedelta = TICK) -> Report:
        """Moves the clock, and evaluates all rules."""
        self.now += after
        fence = await self.leader.renew()
        assert fence is not None
        return await self.evaluator.tick(fence)

    async def follow(self, after: timedelta = timedelta(seconds=1)) -> int:
        """Moves the clock, and fires for what the change feed names."""
        self.now += after
        fence = await self.leader.renew()
        assert fence is not None
        return await self.on_events.step(fence)

    async def project(self, slug: str) -> int:
        async with self.database.transaction() as connection:
            return (await Dictionaries(self.database).create_projects(connection, [slug]))[slug]

    async def rule(self, project: str | None, trigger: Watch | OnEvent, **more: Any) -> UUID:
        """Stores a rule of a project, or of the platform."""
        rule = Rule(more.pop("name", str(uuid4())), trigger, **more)
        project_id = None if project is None else await self.project(project)
        row = RuleRow(
            uuid4(),
            project_id,
            rule.name,
            rule.enabled,
            RULE.dump_python(rule, mode="json"),
            1,
            *(self.now, "test", self.now, "test"),
        )
        async with self.database.transaction() as connection:
            assert await add(connection, row) is None
            await publish(connection, [(project_id, row.rule_id)])
        return row.rule_id

    async def disable(self, rule_id: UUID) -> None:
        await self._change(rule_id, RuleChange.DISABLED, enabled=False)

    async def change(self, rule_id: UUID, trigger: Watch | OnEvent) -> None:
        document = RULE.dump_python(Rule(str(rule_id), trigger), mode="json")
        await self._change(rule_id, RuleChange.CHANGED, document=document)

    async def _change(self, rule_id: UUID, what: RuleChange, **fields: Any) -> None:
        async with self.database.transaction() as connection:
            row = await lock(connection, rule_id)
            assert row is not None
            assert await change(connection, row, replace(row, **fields), what) is None
            await publish(connection, [(row.project_id, rule_id)])

    async def delete(self, rule_id: UUID) -> None:
        async with self.database.transaction() as connection:
            row = await lock(connection, rule_id)
            assert row is not None
            await delete(connection, row, "test", self.now)
            await publish(connection, [(row.project_id, rule_id)])

    async def deployments(
        self, project: str, *, failed: int = 0, succeeded: int = 0, **fields: Any
    ) -> None:
        """Records deployments that were started and finished a minute ago."""
        at = self.now - fields.pop("ago", timedelta(minutes=1))
        kinds = ["failed"] * failed + ["succeeded"] * succeeded
        await self.record(
            [
                {
                    "type": f"deployment.{kind}",
                    "time": at.isoformat(),
                    "project": project,
                    "deployment": str(uuid4()),
                    **fields,
                }
                for kind in kinds
            ]
        )

    async def record(self, events: Sequence[dict[str, Any]]) -> None:
        if events:
            results = await self.intake.record(events, ADMIN)
            assert {each.status for each in results} <= {EventStatus.ACCEPTED}, results

    async def history(self, rule_id: UUID | None = None) -> list[tuple[str, str]]:
        """The instances and transitions that are stored, in order."""
        rows = await self.rows("alert_events", rule_id)
        rows.sort(key=lambda row: (row["at"], row["transition"] != "firing", row["instance"]))
        return [(row["instance"], row["transition"]) for row in rows]

    async def rows(self, table: str, rule_id: UUID | None = None) -> list[Any]:
        where = "" if rule_id is None else f" where rule_id = '{rule_id}'"
        async with self.database.connection() as connection:
            return list(await connection.fetch(f"select * from {table}{where}"))
