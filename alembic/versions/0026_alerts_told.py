"""What each channel was last told of an episode, so that nothing is told twice or without a start.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
create table alert_told (
  channel_id uuid not null,
  episode_id uuid not null,
  action text not null,
  told_at timestamptz not null,
  constraint alert_told_pkey primary key (channel_id, episode_id)
)
""",
    "create index alert_told_at_idx on alert_told (told_at)",
    "create index alert_told_episode_idx on alert_told (episode_id)",
    """
create index alert_sends_order_idx on alert_sends (channel_id, group_key, created_at)
  where status = 'waiting'
""",
    "create index alert_sends_created_idx on alert_sends (created_at)",
    "create index alert_attempts_at_idx on alert_attempts (at)",
    "create index alert_events_instance_idx on alert_events (rule_id, instance, at desc)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop index alert_events_instance_idx")
    op.execute("drop index alert_attempts_at_idx")
    op.execute("drop index alert_sends_created_idx")
    op.execute("drop index alert_sends_order_idx")
    op.execute("drop table alert_told")
