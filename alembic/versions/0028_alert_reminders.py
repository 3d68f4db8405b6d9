"""Instances of alerts that fire are found by an index: people are reminded of them."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create index alert_instances_firing_idx on alert_instances (rule_id, instance)"
        " where phase = 2"
    )


def downgrade() -> None:
    op.execute("drop index alert_instances_firing_idx")
