"""Notes that somebody takes care of an instance that fires."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from storage.alerts import history
from storage.alerts.history import EventRow
from storage.alerts.rules import RuleRow
from storage.connections.database import Connection


async def acknowledge(
    connection: Connection, rule: RuleRow, instance: str, by: str, now: datetime
) -> bool:
    """Acknowledges an instance, and puts that into its history and the outbox.

    Returns whether it fires; one that is acknowledged already stays as it is.
    """
    row: Any = await connection.fetchrow(_FIRING, rule.rule_id, instance)
    if row is None or row["acknowledged_at"] is not None:
        return row is not None
    await connection.execute(_ACKNOWLEDGE, rule.rule_id, instance, by, now)
    event = EventRow(
        uuid4(),
        rule.rule_id,
        instance,
        rule.project_id,
        row["episode_id"],
        "acknowledged",
        now,
        rule.revision,
        rule.document["severity"],
        row["labels"],
        row["evidence"],
        by,
    )
    await history.add(connection, [event], {event.event_id})
    return True


_FIRING = """
select acknowledged_at, episode_id, labels, evidence from alert_instances
where rule_id = $1 and instance = $2 and phase = 2 for update
"""

_ACKNOWLEDGE = """
update alert_instances set acknowledged_at = $4, acknowledged_by = $3
where rule_id = $1 and instance = $2
"""
