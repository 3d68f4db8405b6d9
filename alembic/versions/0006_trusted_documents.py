"""Trusted documents: the operations an installation has registered.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table trusted_documents (
          digest text not null,
          text text not null,
          name text not null,
          registered_at timestamptz not null,
          constraint trusted_documents_pkey primary key (digest)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table trusted_documents")
