"""Rules of projects for what is secret in their errors.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table scrub_rules (
          project_id bigint not null,
          names text[] not null,
          patterns text[] not null,
          constraint scrub_rules_pkey primary key (project_id)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table scrub_rules")
