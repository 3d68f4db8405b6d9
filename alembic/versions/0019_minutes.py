"""The minutes of facts with few events are in one table each, to have fewer partitions.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_NAMES = ("environment_id", "template_id", "framework_id")
KEYS = {
    "deployment_project_minute": ("environment_id", "network_id", "template_id", "framework_id"),
    "build_project_minute": _NAMES,
    "build_phase_project_minute": ("phase_id", *_NAMES),
}


def upgrade() -> None:
    for table in KEYS:
        _set_aside(table)
        _create(table, "with (fillfactor = 70)")
        _bring_back(table)
        # Detached by retention, which was ended before it dropped these.
        op.execute(
            f"""do $$ declare part regclass; begin
            for part in select oid::regclass from pg_class where relkind = 'r'
              and relname ~ '^{table}_[0-9]{{8}}$' and relnamespace = current_schema::regnamespace
            loop execute format('drop table %s', part); end loop;
            end $$"""
        )


def downgrade() -> None:
    op.execute("set local timezone = 'UTC'")
    for table in KEYS:
        _set_aside(table)
        _create(table, "partition by range (bucket)")
        op.execute(
            f"""do $$ declare start timestamptz; begin
            for start in select distinct date_trunc('day', bucket) from {table}_aside
            loop execute format(
              'create table %I partition of {table} for values from (%L) to (%L)'
              ' with (fillfactor = 70)',
              '{table}_' || to_char(start, 'YYYYMMDD'), start, start + interval '1 day'
            ); end loop;
            end $$"""
        )
        _bring_back(table)


def _set_aside(table: str) -> None:
    op.execute(f"alter table {table} rename to {table}_aside")
    op.execute(f"alter table {table}_aside rename constraint {table}_pkey to {table}_aside_pkey")


def _create(table: str, storage: str) -> None:
    key = ", ".join(("project_id", "cell", "bucket", *KEYS[table]))
    op.execute(
        f"create table {table} (like {table}_aside including defaults,"
        f" constraint {table}_pkey primary key ({key})) {storage}"
    )


def _bring_back(table: str) -> None:
    op.execute(f"insert into {table} select * from {table}_aside")
    op.execute(f"drop table {table}_aside")
