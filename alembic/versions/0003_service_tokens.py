"""Service tokens: credentials of programs, kept as hashes.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table service_tokens (
          token_id uuid not null,
          name text not null,
          secret_hash bytea not null,
          roles text[] not null,
          project_slugs text[] not null,
          created_by text not null,
          created_at timestamptz not null,
          expires_at timestamptz not null,
          revoked_at timestamptz,
          revoked_by text,
          last_used_at timestamptz,
          constraint service_tokens_pkey primary key (token_id)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table service_tokens")
