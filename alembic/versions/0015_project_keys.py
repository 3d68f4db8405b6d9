"""Project keys for Sentry SDKs, counts of dropped events, and times given to events.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table project_keys (
          public_key text not null,
          project_id bigint not null,
          name text not null,
          events_per_minute integer not null,
          origins text[] not null,
          refused_releases text[] not null,
          refused_texts text[] not null,
          refuses_legacy_browsers boolean not null,
          takes_transactions boolean not null,
          forward_to text,
          created_by text not null,
          created_at timestamptz not null,
          revoked_at timestamptz,
          revoked_by text,
          last_used_at timestamptz,
          constraint project_keys_pkey primary key (public_key)
        )
        """
    )
    op.execute("create index project_keys_project_id_idx on project_keys (project_id)")
    op.execute(
        """
        create table dropped_events (
          project_id bigint not null,
          day date not null,
          public_key text not null,
          category text not null,
          reason text not null,
          events bigint not null,
          constraint dropped_events_pkey
            primary key (project_id, day, public_key, category, reason)
        )
        """
    )
    op.execute(
        """
        create table assigned_times (
          project_id bigint not null,
          event_id uuid not null,
          occurred_at timestamptz not null,
          assigned_at timestamptz not null,
          constraint assigned_times_pkey primary key (project_id, event_id)
        )
        """
    )
    op.execute("create index assigned_times_assigned_at_idx on assigned_times (assigned_at)")


def downgrade() -> None:
    op.execute("drop table assigned_times")
    op.execute("drop table dropped_events")
    op.execute("drop table project_keys")
