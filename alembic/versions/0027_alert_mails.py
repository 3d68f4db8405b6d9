"""Mails of alerts: to how many addresses of a project they went."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table alert_sends add column addresses integer")
    op.execute("alter table alert_sends add column counted_at timestamptz")
    op.execute(
        "create index alert_sends_mails_idx on alert_sends (project_id, counted_at)"
        " where counted_at is not null"
    )


def downgrade() -> None:
    op.execute("drop index alert_sends_mails_idx")
    op.execute("alter table alert_sends drop column counted_at")
    op.execute("alter table alert_sends drop column addresses")
