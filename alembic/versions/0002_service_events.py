"""Service events: which rollback undoes which deployment of a service.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table service_events (
          project_id bigint not null,
          environment text not null,
          service text not null,
          kind smallint not null,
          occurred_at timestamptz not null,
          event_id uuid not null,
          deployment_id uuid not null,
          constraint service_events_pkey
            primary key (project_id, environment, service, kind, occurred_at, event_id)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table service_events")
