"""What the evaluator knows of rules and instances, read again only where somebody changed them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from alerts.documents import rule_of
from alerts.rules import StoredRule
from alerts.states import FLAPPING_WITHIN, Phase
from alerts.turns import in_turns
from storage.alerts.instances import InstanceRow, Key, load_instances
from storage.alerts.rules import RuleRow, load_enabled, load_number, load_rules
from storage.alerts.ticks import Tick, load_ticks
from storage.connections.query import Fetch, SqlQuery
from storage.dimensions import projects

_log = logging.getLogger(__name__)

# What has been inactive for longer is as if it had never been: see FLAPPING_WITHIN.
QUIET_AFTER = FLAPPING_WITHIN + timedelta(minutes=5)
# All is read again after this time, also if no change was told.
READ_AFTER = timedelta(minutes=1)

_PROJECTS = SqlQuery("project_ids", select(projects.c.project_id))


async def all_projects(fetch: Fetch) -> list[int]:
    """Returns the ids of all projects."""
    return [row[0] for row in await fetch(_PROJECTS)]


@dataclass(slots=True)
class Memory:
    """The rules to evaluate, all instances, and all projects, as of the last tick of this name.

    ``ended`` are rules that are evaluated no more, of which instances are left.
    """

    name: str
    number: int = -1
    tick: Tick | None = None
    read_at: datetime | None = None
    rules: dict[UUID, StoredRule] = field(default_factory=dict)
    ended: dict[UUID, StoredRule] = field(default_factory=dict)
    instances: dict[UUID, dict[str, InstanceRow]] = field(default_factory=dict)
    projects: list[int] = field(default_factory=list)

    async def refresh(self, fetch: Fetch, now: datetime) -> None:
        """Reads what others have changed since the last tick."""
        tick = (await load_ticks(fetch)).get(self.name)
        number = await load_number(fetch)
        is_recent = self.read_at is not None and abs(now - self.read_at) < READ_AFTER
        if number == self.number and tick == self.tick and is_recent:
            return
        revisions = {id: rule.revision for id, rule in self.rules.items()}
        rows, gone = await load_enabled(fetch, revisions)
        for id in gone:
            del self.rules[id]
        self.rules |= await _stored(rows)
        self.instances = {}
        for row in await load_instances(fetch, now - QUIET_AFTER):
            self.instances.setdefault(row.rule_id, {})[row.instance] = row
        left = self.instances.keys() - self.rules.keys()
        self.ended = await _stored(await load_rules(fetch, left) if left else [])
        self.projects = await all_projects(fetch)
        self.number, self.tick, self.read_at = number, tick, now

    def doubt(self) -> None:
        """Notes that what is stored is not known: all but unchanged rules is read again."""
        self.number = -1

    def remember(self, rows: Iterable[InstanceRow], deleted: Iterable[Key], tick: Tick) -> None:
        """Notes what has been written."""
        for row in rows:
            self.instances.setdefault(row.rule_id, {})[row.instance] = row
        for rule_id, instance in deleted:
            self.instances.get(rule_id, {}).pop(instance, None)
        self.tick = tick

    def row(self, rule: StoredRule, instance: str) -> InstanceRow | None:
        """The instance of a rule as it is stored."""
        return self.instances.get(rule.id, {}).get(instance)

    def active(self, rule: StoredRule) -> dict[str, InstanceRow]:
        """The instances of a rule that are pending or firing."""
        rows = self.instances.get(rule.id, {})
        return {name: row for name, row in rows.items() if row.phase != Phase.INACTIVE}


async def _stored(rows: Iterable[RuleRow]) -> dict[UUID, StoredRule]:
    """The rules of rows by their ids, also those that cannot be read."""
    rules = {}
    async for row in in_turns(rows):
        rule, problem = rule_of(row.name, row.document)
        if problem is not None:
            _log.error("the alert rule %s cannot be evaluated: %s", row.rule_id, problem)
        stored = StoredRule(row.rule_id, row.project_id, row.revision, rule, problem)
        rules[row.rule_id] = stored
    return rules
