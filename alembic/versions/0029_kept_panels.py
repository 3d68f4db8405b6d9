"""Panels that are kept in the pages of projects.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table kept_panels (
          project_id bigint not null,
          panel_id uuid not null,
          position integer not null,
          title text not null,
          question jsonb not null,
          kept_by text not null,
          kept_at timestamptz not null,
          constraint kept_panels_pkey primary key (project_id, panel_id)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table kept_panels")
