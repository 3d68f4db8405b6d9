"""The day on which each release was last used.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table releases add column last_on date")
    # Facet 1 is the release; before this, only errors told when one was last used.
    op.execute(
        """
        update releases set last_on = (greatest(first_at, (
          select max(last_at) from error_facets as facet
          where facet.project_id = releases.project_id and facet.facet = 1
            and facet.value = releases.release)) at time zone 'UTC')::date
        """
    )
    # Processes that are older than this give no day.
    op.execute(
        "alter table releases alter column last_on set not null,"
        " alter column last_on set default (now() at time zone 'UTC')::date"
    )


def downgrade() -> None:
    op.execute("alter table releases drop column last_on")
