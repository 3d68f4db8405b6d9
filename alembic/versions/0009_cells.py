"""Cells: roll-up rows for some combinations of dimensions; few partitions; sums without a limit.

Nothing is lost: rows of coarser cells are added up from the finest ones, those of days whose
deployments are gone too. The tables in use meanwhile wait in a schema of their own.

Revision ID: 0009
Revises: 0008
"""

from math import ceil

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ASIDE = "aside_for_cells"

DIMENSIONS = ("environment_id", "network_id", "template_id", "framework_id")
TOTAL, NETWORK, FINEST, ENVIRONMENT = 0, 1, 2, 3
CELLS = {
    TOTAL: (),
    NETWORK: ("network_id",),
    FINEST: DIMENSIONS,
    ENVIRONMENT: ("environment_id",),
}

COUNTS = (
    "attempts",
    "succeeded",
    "failed",
    "cancelled",
    "rolled_back",
    "finishes",
    "finishes_succeeded",
    "finishes_failed",
    "finishes_cancelled",
    "timed",
)
SUMS = (*COUNTS, "duration_us")
HISTOGRAM = tuple(f"h{index}" for index in range(160))

PROJECT = ("deployment_project_minute", "deployment_project_hour", "deployment_project_day")
PLATFORM = ("deployment_platform_quarter", "deployment_platform_day")
PRESENCE = ("deployment_presence_hour", "deployment_presence_day")
MINUTE = "deployment_project_minute"
EVENTS = "deployment_events"

# As they were: how much time a partition holds and how full it may be.
WEEKLY = {
    EVENTS: ("week", 100),
    MINUTE: ("day", 70),
    "deployment_project_hour": ("week", 70),
    "deployment_project_day": ("month", 70),
    "deployment_presence_hour": ("week", 70),
    "deployment_presence_day": ("month", 70),
}


def upgrade() -> None:
    _set_aside()
    _create_events("month")
    for table in PROJECT + PLATFORM:
        _create_rollup(table, cells=True)
    _make_partitions(MINUTE, "bucket", "day", 70)
    for table in PROJECT + PLATFORM:
        for cell in CELLS:
            _fill(table, cell)
    for table in PRESENCE:
        _create_presence(table, " with (fillfactor = 70)")
        op.execute(f"insert into {table} select * from {ASIDE}.{table}")
    op.execute(f"drop schema {ASIDE} cascade")


def downgrade() -> None:
    _set_aside()
    _create_events("week")
    for table in PROJECT + PLATFORM:
        _create_rollup(table, cells=False)
        if table in WEEKLY:
            _make_partitions(table, "bucket", *WEEKLY[table])
        cells = f"{TOTAL}, {FINEST}" if table in PLATFORM else f"{FINEST}"
        columns = ", ".join((*_keys(table, cells=False), *SUMS, *_histogram(table, cells=False)))
        op.execute(
            f"insert into {table} ({columns})"
            f" select {columns} from {ASIDE}.{table} where cell in ({cells})"
        )
    for table in PRESENCE:
        _create_presence(table, " partition by range (bucket)")
        _make_partitions(table, "bucket", *WEEKLY[table])
        op.execute(f"insert into {table} select * from {ASIDE}.{table}")
    op.execute(f"drop schema {ASIDE} cascade")


def _set_aside() -> None:
    """Move the tables, their partitions, and partitions not yet dropped, out of the way."""
    op.execute("set local timezone = 'UTC'")
    op.execute(f"create schema {ASIDE}")
    for table in (*PROJECT, *PLATFORM, *PRESENCE, EVENTS):
        op.execute(
            f"""do $$ declare part regclass; begin
            for part in select oid::regclass from pg_class where relkind = 'r'
              and relname ~ '^{table}_[0-9]{{6,8}}$' and relnamespace = current_schema::regnamespace
            loop execute format('alter table %s set schema {ASIDE}', part); end loop;
            alter table {table} set schema {ASIDE};
            end $$"""
        )


def _for_each_part(table: str, steps: str) -> None:
    """Do something with each table that holds rows of what was set aside."""
    op.execute(
        f"""do $$ declare part regclass; start timestamptz; begin
        for part in select oid::regclass from pg_class where relkind = 'r'
          and relname ~ '^{table}(_[0-9]{{6,8}})?$' and relnamespace = '{ASIDE}'::regnamespace
        loop {steps} end loop;
        end $$"""
    )


def _make_partitions(
    table: str, column: str, span: str, fillfactor: int, name: str = "YYYYMMDD"
) -> None:
    """Those that the rows need and those of the days around today."""
    needed = f"select distinct date_trunc('{span}', {column})"
    made = f"""execute format(
      'create table if not exists %I partition of {table} for values from (%L) to (%L)'
      ' with (fillfactor = {fillfactor})',
      '{table}_' || to_char(start, '{name}'), start, start + interval '1 {span}');"""
    op.execute(
        f"""do $$ declare start timestamptz; begin
        for start in select distinct date_trunc('{span}', day) from generate_series(
          now() - interval '2 days', now() + interval '7 days', interval '1 day') as day
        loop {made} end loop;
        end $$"""
    )
    _for_each_part(
        table,
        f"for start in execute format('{_quoted(needed)} from %s', part) loop {made} end loop;",
    )


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _create_events(span: str) -> None:
    op.execute(
        f"create table {EVENTS} (like {ASIDE}.{EVENTS} including defaults,"
        f" constraint {EVENTS}_pkey primary key (project_id, occurred_at, event_id)"
        ") partition by range (occurred_at)"
    )
    op.execute(
        f"create index {EVENTS}_history_idx"
        f" on {EVENTS} (project_id, deployment_id, occurred_at desc)"
    )
    name = {"month": "YYYYMM", "week": "YYYYMMDD"}[span]
    _make_partitions(EVENTS, "occurred_at", span, 100, name)
    _for_each_part(
        EVENTS,
        f"execute format('insert into {EVENTS} select * from %s on conflict do nothing', part);",
    )


def _keys(table: str, *, cells: bool) -> tuple[str, ...]:
    owner = ("project_id",) if table in PROJECT else ()
    slot = () if table in PROJECT else ("slot",)
    return (*owner, *(("cell",) if cells else ()), "bucket", *DIMENSIONS, *slot)


def _histogram(table: str, *, cells: bool) -> tuple[str, ...]:
    return HISTOGRAM if cells or table != MINUTE else ()


def _create_rollup(table: str, *, cells: bool) -> None:
    types = {
        "project_id": "bigint",
        "bucket": "timestamptz",
        "cell": "smallint",
        "slot": "smallint",
    }
    keys = _keys(table, cells=cells)
    columns = [f"{name} {types.get(name, 'integer')} not null" for name in keys]
    columns += [f"{name} integer not null default 0" for name in COUNTS]
    columns.append(f"duration_us {'numeric' if cells else 'bigint'} not null default 0")
    columns += [f"{name} integer" for name in _histogram(table, cells=cells)]
    partitioned = table == MINUTE if cells else table in WEEKLY
    fillfactor = 50 if table in PLATFORM else 70
    op.execute(
        f"create table {table} ({', '.join(columns)},"
        f" constraint {table}_pkey primary key ({', '.join(keys)}))"
        + (" partition by range (bucket)" if partitioned else f" with (fillfactor = {fillfactor})")
    )


def _create_presence(table: str, storage: str) -> None:
    op.execute(
        f"create table {table} (like {ASIDE}.{table} including defaults,"
        f" constraint {table}_pkey primary key (bucket, network_id, project_id)){storage}"
    )


def _fill(table: str, cell: int) -> None:
    """A cell's rows, from the finest ones: those that sum over nothing."""
    keys = _keys(table, cells=True)
    counted = table != MINUTE or cell == TOTAL
    kept = {"cell": str(cell)} | {name: "-1" for name in DIMENSIONS if name not in CELLS[cell]}
    given = [kept.get(name, f"was.{name}") for name in keys]
    sums = [f"sum(was.{name})" for name in SUMS]
    source = f"{ASIDE}.{table} as was"
    if table != MINUTE:
        sums += [f"nullif(sum(was.{name}), 0)" for name in HISTOGRAM]
    elif counted:
        # Minutes had no histogram. Their deployments are all there.
        sums += [f"max(finishes.{name})" for name in HISTOGRAM]
        source += f" left join ({_minute_histogram()}) as finishes using (project_id, bucket)"
    columns = (*keys, *SUMS, *(HISTOGRAM if counted else ()))
    groups = ", ".join(str(number) for number in range(1, len(keys) + 1))
    op.execute(
        f"insert into {table} ({', '.join(columns)}) select {', '.join([*given, *sums])}"
        f" from {source} where was.network_id >= 0 group by {groups}"
    )


def _minute_histogram() -> str:
    bounds = ",".join(str(ceil(256_000 * 2 ** (index / 8))) for index in range(1, len(HISTOGRAM)))
    counts = ", ".join(
        f"nullif(count(*) filter (where place = {index}), 0) as {name}"
        for index, name in enumerate(HISTOGRAM)
    )
    return (
        f"select project_id, bucket, {counts} from (select project_id,"
        " date_bin(interval '1 minute', finished_at, timestamptz '2000-01-01 00:00:00+00')"
        f" as bucket, width_bucket(duration_us, '{{{bounds}}}'::bigint[]) as place from deployments"
        f" where finished_at >= (select min(bucket) from {ASIDE}.{MINUTE})) as finished"
        " group by 1, 2"
    )
