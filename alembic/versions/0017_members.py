"""Members of projects, with their addresses.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table project_members (
          project_id bigint not null,
          subject text not null,
          email text,
          role text not null,
          source text not null,
          added_by text not null,
          added_at timestamptz not null,
          constraint project_members_pkey primary key (project_id, subject)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table project_members")
