"""How long what belongs to alerts is kept."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Table

from storage.alerts.sends import KEPT as SENDS_KEPT
from storage.alerts.tables import (
    alert_attempts,
    alert_events,
    alert_instances,
    alert_outbox,
    alert_revisions,
    alert_rules,
    alert_sends,
    alert_told,
)

# An instance that has been quiet for longer is as one that never was.
QUIET_KEPT = timedelta(days=1)
# What nobody has sent by then is no news.
UNSENT_KEPT = timedelta(days=7)

_QUIET = "phase = 0 and not flapping and since < $1 and (health = 0 or instance <> '')"
_OF_NO_RULE = """changed_at < $1 and not exists (
  select from alert_rules where alert_rules.rule_id = alert_revisions.rule_id)"""


def expired(now: datetime, floor: datetime | None) -> Iterator[tuple[Table, str, datetime]]:
    """Yields what to delete: tables, conditions and the time in them, in the order of deletion.

    The history goes as the audit log does, at ``floor``, and so do rules deleted before it.
    """
    yield alert_instances, _QUIET, now - QUIET_KEPT
    yield alert_outbox, "queued_at < $1", now - UNSENT_KEPT
    for table, column in (
        (alert_attempts, "at"),
        (alert_sends, "created_at"),
        (alert_told, "told_at"),
    ):
        yield table, f"{column} < $1", now - SENDS_KEPT
    if floor is not None:
        yield alert_events, "at < $1", floor
        yield alert_rules, "deleted_at < $1", floor
        yield alert_revisions, _OF_NO_RULE, floor
