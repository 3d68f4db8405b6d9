"""Alerts: rules, instances, history, channels, silences, and what is to be sent.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
create table alert_rules (
  rule_id uuid not null,
  project_id bigint,
  name text not null,
  enabled boolean not null,
  document jsonb not null,
  revision integer not null,
  created_at timestamptz not null,
  created_by text not null,
  changed_at timestamptz not null,
  changed_by text not null,
  deleted_at timestamptz,
  constraint alert_rules_pkey primary key (rule_id)
)
""",
    "create unique index alert_rules_name_idx"
    " on alert_rules (project_id, name) nulls not distinct where deleted_at is null",
    """
create table alert_revisions (
  rule_id uuid not null,
  revision integer not null,
  change text not null,
  document jsonb,
  changed_at timestamptz not null,
  changed_by text not null,
  constraint alert_revisions_pkey primary key (rule_id, revision)
)
""",
    """
create table alert_instances (
  rule_id uuid not null,
  instance text not null,
  project_id bigint,
  labels jsonb not null,
  phase smallint not null,
  since timestamptz not null,
  clear_since timestamptz,
  health smallint not null,
  health_since timestamptz,
  firings jsonb not null,
  flapping boolean not null,
  episode_id uuid,
  value float,
  bound float,
  evidence jsonb,
  acknowledged_at timestamptz,
  acknowledged_by text,
  constraint alert_instances_pkey primary key (rule_id, instance)
)
""",
    "create index alert_instances_project_idx on alert_instances (project_id, phase)",
    """
create table alert_events (
  event_id uuid not null,
  rule_id uuid not null,
  instance text not null,
  project_id bigint,
  episode_id uuid,
  transition text not null,
  at timestamptz not null,
  revision integer not null,
  severity text not null,
  labels jsonb not null,
  evidence jsonb not null,
  by text,
  constraint alert_events_pkey primary key (event_id)
)
""",
    "create index alert_events_at_idx on alert_events (at desc, event_id)",
    "create index alert_events_project_idx on alert_events (project_id, at desc, event_id)",
    "create index alert_events_rule_idx on alert_events (rule_id, at desc)",
    """
create table alert_ticks (
  name text not null,
  fence bigint not null,
  evaluated_at timestamptz not null,
  position jsonb not null,
  constraint alert_ticks_pkey primary key (name)
)
""",
    """
create table alert_channels (
  channel_id uuid not null,
  project_id bigint,
  name text not null,
  kind text not null,
  enabled boolean not null,
  settings jsonb not null,
  secrets jsonb not null,
  sends_per_hour integer not null,
  created_at timestamptz not null,
  created_by text not null,
  changed_at timestamptz not null,
  changed_by text not null,
  constraint alert_channels_pkey primary key (channel_id)
)
""",
    "create unique index alert_channels_name_idx"
    " on alert_channels (project_id, name) nulls not distinct",
    """
create table alert_silences (
  silence_id uuid not null,
  project_id bigint,
  matchers jsonb not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  until_resolved boolean not null,
  schedule jsonb,
  comment text not null,
  created_at timestamptz not null,
  created_by text not null,
  ended_at timestamptz,
  ended_by text,
  ending_told_at timestamptz,
  constraint alert_silences_pkey primary key (silence_id)
)
""",
    "create index alert_silences_project_idx on alert_silences (project_id, ends_at)",
    """
create table alert_outbox (
  event_id uuid not null,
  queued_at timestamptz not null,
  constraint alert_outbox_pkey primary key (event_id)
)
""",
    """
create table alert_sends (
  send_id uuid not null,
  project_id bigint,
  channel_id uuid not null,
  group_key text not null,
  event_ids jsonb not null,
  message jsonb not null,
  status text not null,
  reason text,
  attempts integer not null,
  created_at timestamptz not null,
  due_at timestamptz,
  sent_at timestamptz,
  constraint alert_sends_pkey primary key (send_id)
)
""",
    "create index alert_sends_channel_idx on alert_sends (channel_id, created_at desc)",
    "create index alert_sends_due_idx on alert_sends (due_at) where status = 'waiting'",
    "create index alert_sends_project_idx on alert_sends (project_id, created_at desc)",
    """
create table alert_attempts (
  send_id uuid not null,
  attempt integer not null,
  at timestamptz not null,
  outcome text not null,
  detail text,
  duration_ms integer,
  constraint alert_attempts_pkey primary key (send_id, attempt)
)
""",
    """
create table alert_reads (
  subject text not null,
  read_at timestamptz not null,
  constraint alert_reads_pkey primary key (subject)
)
""",
)

TABLES = (
    "alert_rules",
    "alert_revisions",
    "alert_instances",
    "alert_events",
    "alert_ticks",
    "alert_channels",
    "alert_silences",
    "alert_outbox",
    "alert_sends",
    "alert_attempts",
    "alert_reads",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"drop table {table}")
