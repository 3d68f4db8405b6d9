"""Rate limits that admins have set, over those of the settings.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table rate_limits (
          budget text not null,
          subject text not null,
          refill integer not null,
          period_seconds integer not null,
          burst integer not null,
          exempt boolean not null,
          updated_by text not null,
          updated_at timestamptz not null,
          constraint rate_limits_pkey primary key (budget, subject)
        )
        """
    )
    # What is in it is of no worth after a crash, so it need not be in the log.
    op.execute(
        """
        create unlogged table rate_buckets (
          key text not null,
          full_at_us bigint not null,
          constraint rate_buckets_pkey primary key (key)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table rate_buckets")
    op.execute("drop table rate_limits")
