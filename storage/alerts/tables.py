"""The tables of alerts.

A row without a project belongs to the platform. What a rule's document, evidence and messages hold
is decided in `alerts`.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.metadata import metadata

TIME = DateTime(timezone=True)


def _key(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _given(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _project() -> Column[Any]:
    return Column("project_id", BigInteger)


alert_rules = Table(
    "alert_rules",
    metadata,
    _key("rule_id", Uuid),
    _project(),
    _given("name", Text),
    _given("enabled", Boolean),
    _given("document", JSONB),
    _given("revision", Integer),
    _given("created_at", TIME),
    _given("created_by", Text),
    _given("changed_at", TIME),
    _given("changed_by", Text),
    Column("deleted_at", TIME),  # its history is kept
)
Index(
    "alert_rules_name_idx",
    alert_rules.c.project_id,
    alert_rules.c.name,
    unique=True,
    postgresql_nulls_not_distinct=True,
    postgresql_where=text("deleted_at is null"),
)

alert_revisions = Table(
    "alert_revisions",
    metadata,
    _key("rule_id", Uuid),
    _key("revision", Integer),
    _given("change", Text),
    Column("document", JSONB),  # null once the rule is deleted
    _given("changed_at", TIME),
    _given("changed_by", Text),
)

# Instances that are or were not inactive; a rule without groups has one, called ''.
alert_instances = Table(
    "alert_instances",
    metadata,
    _key("rule_id", Uuid),
    _key("instance", Text),
    _project(),
    _given("labels", JSONB),  # the names of the group, by dimension
    _given("phase", SmallInteger),
    _given("since", TIME),
    Column("clear_since", TIME),
    _given("health", SmallInteger),
    Column("health_since", TIME),
    _given("firings", JSONB),
    _given("flapping", Boolean),
    Column("episode_id", Uuid),  # of the firing that lasts; the key of its notifications
    Column("value", Float),
    Column("bound", Float),
    Column("evidence", JSONB),
    Column("acknowledged_at", TIME),
    Column("acknowledged_by", Text),
)
Index(
    "alert_instances_firing_idx",
    alert_instances.c.rule_id,
    alert_instances.c.instance,
    postgresql_where=text("phase = 2"),
)
Index("alert_instances_project_idx", alert_instances.c.project_id, alert_instances.c.phase)

# The history: one row for each transition.
alert_events = Table(
    "alert_events",
    metadata,
    _key("event_id", Uuid),
    _given("rule_id", Uuid),
    _given("instance", Text),
    _project(),
    Column("episode_id", Uuid),
    _given("transition", Text),
    _given("at", TIME),
    _given("revision", Integer),
    _given("severity", Text),
    _given("labels", JSONB),
    _given("evidence", JSONB),
    Column("by", Text),  # who did it, where a person did
)
Index("alert_events_at_idx", alert_events.c.at.desc(), alert_events.c.event_id)
Index(
    "alert_events_project_idx",
    alert_events.c.project_id,
    alert_events.c.at.desc(),
    alert_events.c.event_id,
)
Index("alert_events_rule_idx", alert_events.c.rule_id, alert_events.c.at.desc())
Index(
    "alert_events_instance_idx",
    alert_events.c.rule_id,
    alert_events.c.instance,
    alert_events.c.at.desc(),
)

# The last tick of the evaluator, under the fence of its lease.
alert_ticks = Table(
    "alert_ticks",
    metadata,
    _key("name", Text),
    _given("fence", BigInteger),
    _given("evaluated_at", TIME),
    _given("position", JSONB),  # up to where on-event rules have read
)

alert_channels = Table(
    "alert_channels",
    metadata,
    _key("channel_id", Uuid),
    _project(),
    _given("name", Text),
    _given("kind", Text),
    _given("enabled", Boolean),
    _given("settings", JSONB),
    _given("secrets", JSONB),  # sealed; never shown, logged or exported
    _given("sends_per_hour", Integer),
    _given("created_at", TIME),
    _given("created_by", Text),
    _given("changed_at", TIME),
    _given("changed_by", Text),
)
Index(
    "alert_channels_name_idx",
    alert_channels.c.project_id,
    alert_channels.c.name,
    unique=True,
    postgresql_nulls_not_distinct=True,
)

alert_silences = Table(
    "alert_silences",
    metadata,
    _key("silence_id", Uuid),
    _project(),
    _given("matchers", JSONB),
    _given("starts_at", TIME),
    _given("ends_at", TIME),
    _given("until_resolved", Boolean),
    Column("schedule", JSONB),  # of a maintenance window that recurs, in its time zone
    _given("comment", Text),
    _given("created_at", TIME),
    _given("created_by", Text),
    Column("ended_at", TIME),
    Column("ended_by", Text),
    Column("ending_told_at", TIME),
)
Index("alert_silences_project_idx", alert_silences.c.project_id, alert_silences.c.ends_at)

# Written in the transaction of the transition; the dispatcher makes sends of it.
alert_outbox = Table(
    "alert_outbox",
    metadata,
    _key("event_id", Uuid),
    _given("queued_at", TIME),
)

alert_sends = Table(
    "alert_sends",
    metadata,
    _key("send_id", Uuid),  # the idempotency key that receivers get
    _project(),
    _given("channel_id", Uuid),
    _given("group_key", Text),
    _given("event_ids", JSONB),
    _given("message", JSONB),
    _given("status", Text),  # waiting, sent, dead, held
    Column("reason", Text),  # why it is held or dead
    _given("attempts", Integer),
    _given("created_at", TIME),
    Column("due_at", TIME),
    Column("sent_at", TIME),
    Column("addresses", Integer),  # of a mail of a project, when it was last tried
    Column("counted_at", TIME),  # when these were counted
)
Index(
    "alert_sends_mails_idx",
    alert_sends.c.project_id,
    alert_sends.c.counted_at,
    postgresql_where=text("counted_at is not null"),
)
Index("alert_sends_due_idx", alert_sends.c.due_at, postgresql_where=text("status = 'waiting'"))
Index("alert_sends_channel_idx", alert_sends.c.channel_id, alert_sends.c.created_at.desc())
Index("alert_sends_project_idx", alert_sends.c.project_id, alert_sends.c.created_at.desc())
Index(
    "alert_sends_order_idx",
    alert_sends.c.channel_id,
    alert_sends.c.group_key,
    alert_sends.c.created_at,
    postgresql_where=text("status = 'waiting'"),
)
Index("alert_sends_created_idx", alert_sends.c.created_at)

# What a channel was last told of an episode: of firing, an acknowledgement, or the end.
alert_told = Table(
    "alert_told",
    metadata,
    _key("channel_id", Uuid),
    _key("episode_id", Uuid),
    _given("action", Text),
    _given("told_at", TIME),
)
Index("alert_told_at_idx", alert_told.c.told_at)
Index("alert_told_episode_idx", alert_told.c.episode_id)

alert_attempts = Table(
    "alert_attempts",
    metadata,
    _key("send_id", Uuid),
    _key("attempt", Integer),
    _given("at", TIME),
    _given("outcome", Text),
    Column("detail", Text),
    Column("duration_ms", Integer),
)

Index("alert_attempts_at_idx", alert_attempts.c.at)

# Up to when somebody has read the list of what happened.
alert_reads = Table(
    "alert_reads",
    metadata,
    _key("subject", Text),
    _given("read_at", TIME),
)
