"""Rate limits are counted in Redis, or by each process for itself: no table holds them.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("drop table rate_buckets")


def downgrade() -> None:
    op.execute(
        """
        create unlogged table rate_buckets (
          key text not null,
          full_at_us bigint not null,
          constraint rate_buckets_pkey primary key (key)
        )
        """
    )
