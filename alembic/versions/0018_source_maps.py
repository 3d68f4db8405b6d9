"""Source maps of releases, and which bodies of errors wait for them.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table source_maps (
          project_id bigint not null,
          release text not null,
          url text not null,
          map bytea,
          script bytea,
          map_bytes integer not null,
          script_bytes integer not null,
          problem text,
          uploaded_by text not null,
          uploaded_at timestamptz not null,
          constraint source_maps_pkey primary key (project_id, release, url)
        )
        """
    )
    # The contents are compressed already.
    for column in ("map", "script"):
        op.execute(f"alter table source_maps alter column {column} set storage external")
    op.execute("alter table error_bodies add column maps_after timestamptz")
    op.execute(
        "create index error_bodies_maps_idx on error_bodies (project_id, (body ->> 'release'))"
        " where maps_after is not null"
    )


def downgrade() -> None:
    op.execute("drop index error_bodies_maps_idx")
    op.execute("alter table error_bodies drop column maps_after")
    op.execute("drop table source_maps")
