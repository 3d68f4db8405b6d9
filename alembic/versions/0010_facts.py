"""Facts: a fact has series of its own, and counts what is queued; deployments have `updated_at`.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

DIMENSIONS = ("environment_id", "network_id", "template_id", "framework_id")
CELLS = {0: (), 1: ("network_id",), 2: DIMENSIONS, 3: ("environment_id",)}
PROJECT = {
    "deployment_project_minute": "1 minute",
    "deployment_project_hour": "1 hour",
    "deployment_project_day": "24 hours",
}
PLATFORM = {"deployment_platform_quarter": "15 minutes", "deployment_platform_day": "24 hours"}

OTHER = 1
QUEUED, ROLLED_BACK = 0, 5

# Gateways of before wait here with their events, so that no count changes meanwhile.
EXCLUSIVE_LOCK = "select pg_advisory_xact_lock(hashtext('rollups:deployment'))"


def upgrade() -> None:
    op.execute(EXCLUSIVE_LOCK)
    _rename_series("series", "deployment_series")
    _set_times()
    _collect_queued()
    for table, width in PROJECT.items():
        _count_queued_of_projects(table, width)
    for table, width in PLATFORM.items():
        _count_queued_of_platform(table, width)
    op.execute("drop table queued_deployments")
    op.execute(
        "create table dropped_rows (fact text not null, before timestamptz not null,"
        " constraint dropped_rows_pkey primary key (fact))"
    )


def downgrade() -> None:
    op.execute(EXCLUSIVE_LOCK)
    op.execute("drop table dropped_rows")
    for table in (*PROJECT, *PLATFORM):
        op.execute(f"alter table {table} drop column queued")
    op.execute(
        "alter table deployments drop column updated_at, add column rolled_back_at timestamptz"
    )
    op.execute(f"update deployments set rolled_back_at = state_at where status = {ROLLED_BACK}")
    _rename_series("deployment_series", "series")


def _rename_series(before: str, after: str) -> None:
    op.execute(f"alter table {before} rename to {after}")
    for constraint in ("pkey", "dimensions_key"):
        op.execute(
            f"alter table {after} rename constraint {before}_{constraint} to {after}_{constraint}"
        )


def _set_times() -> None:
    """The latest event is known while events are kept; before, the latest time of the state."""
    op.execute(
        "alter table deployments drop column rolled_back_at, add column updated_at timestamptz"
    )
    op.execute(
        """
        update deployments as d
        set updated_at
          = greatest(latest.at, d.state_at, d.finished_at, d.started_at, d.created_at)
        from deployments as known left join (
          select project_id, deployment_id, max(occurred_at) as at
          from deployment_events group by 1, 2) as latest using (project_id, deployment_id)
        where known.project_id = d.project_id and known.deployment_id = d.deployment_id
        """
    )


def _collect_queued() -> None:
    """What is queued, once for each cell, with the values that the cell's rows have."""
    cells = ", ".join(f"({cell}, {', '.join(_place(kept))})" for cell, kept in CELLS.items())
    ids = ", ".join(f"coalesce(series.{name}, {OTHER}) as {name}" for name in DIMENSIONS)
    op.execute(
        f"""
        create temporary table queued_deployments on commit drop as
        select queued.project_id, queued.created_at, cells.*
        from (
          select project_id, created_at, {ids}
          from deployments left join deployment_series as series using (project_id, series_id)
          where status = {QUEUED} and created_at is not null) as queued
        cross join lateral (values {cells}) as cells (cell, {", ".join(DIMENSIONS)})
        """
    )


def _place(kept: tuple[str, ...]) -> list[str]:
    return [f"queued.{name}" if name in kept else "-1" for name in DIMENSIONS]


def _counted(width: str, *owner: str) -> str:
    """SQL for the number of queued deployments, by the key of a roll-up's rows."""
    bucket = f"date_bin('{width}', created_at, timestamptz '2000-01-01 00:00:00+00') as bucket"
    keys = ", ".join((*owner, "cell", bucket, *DIMENSIONS))
    groups = ", ".join(str(number) for number in range(1, len(DIMENSIONS) + len(owner) + 3))
    return f"(select {keys}, count(*) as queued from queued_deployments group by {groups})"


def _count_queued_of_projects(table: str, width: str) -> None:
    """Each deployment has rows that count it as an attempt, unless they are too old to be kept."""
    keys = ("project_id", "cell", "bucket", *DIMENSIONS)
    _count_queued(table, keys, f"{_counted(width, 'project_id')} as counted")


def _count_queued_of_platform(table: str, width: str) -> None:
    """The row of the first writer slot takes all, as rows are summed over slots."""
    keys = ", ".join(("cell", "bucket", *DIMENSIONS))
    first = f"(select {keys}, min(slot) as slot from {table} group by {keys})"
    counted = f"(select * from {_counted(width)} as queued join {first} as first using ({keys}))"
    _count_queued(table, (*keys.split(", "), "slot"), f"{counted} as counted")


def _count_queued(table: str, keys: tuple[str, ...], counted: str) -> None:
    op.execute(f"alter table {table} add column queued integer not null default 0")
    same = " and ".join(f"r.{name} = counted.{name}" for name in keys)
    op.execute(f"update {table} as r set queued = counted.queued from {counted} where {same}")
