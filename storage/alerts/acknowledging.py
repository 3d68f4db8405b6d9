"""Notes that somebody takes care of an instance that fires."""

from datetime import datetime
from uuid import uuid4

from storage.alerts.rules import RuleRow
from storage.connections.database import Connection


async def acknowledge(
    connection: Connection, rule: RuleRow, instance: str, by: str, now: datetime
) -> bool:
    """Acknowledges an instance, and puts that into its history and the outbox.

    Returns whether it fires; one that is acknowledged already stays as it is.
    """
    fires = await connection.fetchval(_FIRES, rule.rule_id, instance)
    if fires:
        given = rule.rule_id, instance, by, now, uuid4(), rule.revision
        await connection.execute(_ACKNOWLEDGE, *given, rule.document["severity"])
    return bool(fires)


_FIRES = """
select true from alert_instances where rule_id = $1 and instance = $2 and phase = 2 for update
"""

_ACKNOWLEDGE = """
with acknowledged as (
  update alert_instances set acknowledged_at = $4, acknowledged_by = $3
  where rule_id = $1 and instance = $2 and acknowledged_at is null
  returning *),
noted as (
  insert into alert_events (event_id, rule_id, instance, project_id, episode_id, transition, at,
    revision, severity, labels, evidence, by)
  select $5::uuid, rule_id, instance, project_id, episode_id, 'acknowledged', $4, $6::int,
    $7::text, labels, evidence, $3
  from acknowledged
  returning event_id)
insert into alert_outbox (event_id, queued_at) select event_id, $4 from noted
"""
