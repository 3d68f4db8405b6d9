"""The rules that a new project begins with; they say so, and can be changed like any others."""

from datetime import datetime
from uuid import uuid4

from alerts.presets import OF_NEW_PROJECTS
from alerts.rules import RULE, Rule
from storage.alerts import new_projects, rules
from storage.alerts.changes import publish
from storage.alerts.rules import RuleRow
from storage.connections.database import Database

# Who creates them.
AUTHOR = "gateway"


async def give_new_projects(database: Database, now: datetime) -> int:
    """Gives new projects their rules; returns the number of projects."""
    async with database.transaction() as connection:
        found = await new_projects.take(connection, now)
        rows = [row for project_id in found for row in rows_of(project_id, now)]
        for row in rows:
            await rules.add(connection, row)  # one with such a name stays as it is
        await publish(connection, [(row.project_id, row.rule_id) for row in rows])
    return len(found)


def rows_of(project_id: int, now: datetime, channels: tuple[str, ...] = ()) -> list[RuleRow]:
    """The rules of a new project."""
    rules = (preset.rule(channels) for preset in OF_NEW_PROJECTS)
    return [row_of(rule, project_id, now) for rule in rules]


def row_of(rule: Rule, project_id: int | None, now: datetime, by: str = AUTHOR) -> RuleRow:
    """A new rule as it is stored at first."""
    return RuleRow(
        rule_id=uuid4(),
        project_id=project_id,
        name=rule.name,
        enabled=rule.enabled,
        document=RULE.dump_python(rule, mode="json"),
        revision=1,
        created_at=now,
        created_by=by,
        changed_at=now,
        changed_by=by,
    )
