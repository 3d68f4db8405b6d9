"""A database as it was before cells: revision 0008, filled as the code of that time did."""

import asyncio
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import asyncpg

from gateway.config import migrations

REVISION = "0008"
NOW = datetime.now(UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
# Of this day only daily roll-ups are left.
LONG_AGO = MIDNIGHT - timedelta(days=200)

_DIMENSIONS = "environment_id, network_id, template_id, framework_id"
_COUNTS = (
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
    "duration_us",
)
_HISTOGRAM = [f"h{index}" for index in range(160)]
_BOUNDS = ",".join(str(ceil(256_000 * 2 ** (index / 8))) for index in range(1, 160))
TABLES = {
    "deployment_project_minute": "minute",
    "deployment_project_hour": "hour",
    "deployment_project_day": "day",
    "deployment_platform_quarter": "quarter",
    "deployment_platform_day": "day",
}
_BUCKETS = {"minute": "1 minute", "hour": "1 hour", "day": "1 day", "quarter": "15 minutes"}
OTHERS = ("deployment_presence_hour", "deployment_presence_day", "deployment_events")

_FACTS = (
    "insert into projects (project_id, slug, name)"
    " select n, 'project-' || n, 'Project' from generate_series(1, 3) as n",
    "insert into series select project, series, 2 + series % 2, 2 + series / 3, 2 + series, 0"
    " from generate_series(1, 3) as project, generate_series(2, 5) as series",
    """insert into deployments (project_id, deployment_id, series_id, status, created_at,
      finished_at, finish_status, duration_us)
    select 1 + n % 3, gen_random_uuid(), case n % 11 when 0 then 1 else 2 + n % 4 end, n % 6, at,
      case when n % 6 > 1 then at + n % 50 * interval '70 seconds' end,
      case when n % 6 > 1 then least(n % 6, 4) end,
      case when n % 6 in (2, 3, 5) then n % 50 * 70000000::bigint end
    from generate_series(1, 100) as n,
      lateral (select now() - n * interval '8 hours' - interval '1 hour' as at
        union all select now() - n * interval '23 minutes' - interval '1 hour') as times""",
    """insert into deployment_events
      (project_id, occurred_at, event_id, deployment_id, type, actor, attributes)
    select project_id, created_at, gen_random_uuid(), deployment_id, 0, 'ci', '{"a": [1]}'
    from deployments""",
    # Detached by retention, which was ended before it dropped this.
    "create table deployment_events_20200106 (like deployment_events including defaults)",
    """insert into deployment_events_20200106
      (project_id, occurred_at, event_id, deployment_id, type)
    values (1, '2020-01-07Z', gen_random_uuid(), gen_random_uuid(), 3)""",
)

# Series 1 stands for all beyond the limit: everything is "other".
_OF_SERIES = ", ".join(f"coalesce({name}, 1) as {name}" for name in _DIMENSIONS.split(", "))

_CONTRIBUTION = f"""
select d.project_id, {_OF_SERIES}, created_at as at, 1 as attempts, (status = 2)::int as succeeded,
  (status = 3)::int as failed, (status = 4)::int as cancelled, (status = 5)::int as rolled_back,
  0 as finishes, 0 as finishes_succeeded, 0 as finishes_failed, 0 as finishes_cancelled,
  0 as timed, 0 as duration_us, null::int as place
from deployments as d left join series using (project_id, series_id)
union all
select d.project_id, {_OF_SERIES}, finished_at, 0, 0, 0, 0, 0, 1, (finish_status = 2)::int,
  (finish_status = 3)::int, (finish_status = 4)::int, (duration_us is not null)::int,
  coalesce(duration_us, 0), width_bucket(duration_us, '{{{_BOUNDS}}}'::bigint[])
from deployments as d left join series using (project_id, series_id) where finished_at is not null
"""


def _old_rollup(table: str, grain: str, dimensions: str = _DIMENSIONS) -> str:
    """What the code of that time kept: finest rows, and over the platform a total of all."""
    owner = "project_id" if "project" in table else "(project_id % 2)::smallint"
    key = "project_id" if "project" in table else "slot"
    histogram = [] if grain == "minute" else list(enumerate(_HISTOGRAM))
    columns = ", ".join([key, "bucket", _DIMENSIONS, *_COUNTS, *(name for _, name in histogram)])
    sums = [f"sum({name})" for name in _COUNTS]
    sums += [f"nullif(count(*) filter (where place = {n}), 0)" for n, _ in histogram]
    floor = MIDNIGHT - timedelta(days={"minute": 2}.get(grain, 90))
    return (
        f"insert into {table} ({columns}) select {owner},"
        f" date_bin('{_BUCKETS[grain]}', at, '2000-01-01Z'), {dimensions}, {', '.join(sums)}"
        f" from ({_CONTRIBUTION}) as c where at >= '{floor}' group by 1, 2, 3, 4, 5, 6"
    )


def _old_presence(grain: str) -> str:
    return (
        f"insert into deployment_presence_{grain} select date_bin('1 {grain}', at, '2000-01-01Z'),"
        f" network_id, project_id, sum(attempts) from ({_CONTRIBUTION}) as c group by 1, 2, 3"
        " having sum(attempts) > 0"
    )


_LONG_AGO = (
    f"""insert into deployment_project_day (project_id, bucket, {_DIMENSIONS}, attempts, finishes,
      timed, duration_us, h7, h9) values
    (1, '{LONG_AGO}', 2, 2, 2, 0, 5, 4, 4, {2**62}, 3, 1), (1, '{LONG_AGO}', 2, 2, 3, 0, 1, 1, 1,
      {2**62}, 1, null), (1, '{LONG_AGO}', 2, 3, 2, 0, 2, 2, 2, {2**62}, null, 2)""",
    f"""insert into deployment_platform_day (bucket, {_DIMENSIONS}, slot, attempts, h7) values
    ('{LONG_AGO}', 2, 2, 2, 0, 0, 5, 3), ('{LONG_AGO}', 2, 3, 2, 0, 1, 3, null),
    ('{LONG_AGO}', -1, -1, -1, -1, 0, 5, 3), ('{LONG_AGO}', -1, -1, -1, -1, 1, 3, null)""",
)


def fill(url: str) -> None:
    """Migrates an empty database to REVISION, and fills it."""
    migrations.upgrade(url, REVISION)
    totals = ", ".join(["-1"] * 4)
    run(
        url,
        *_FACTS,
        *(_old_rollup(table, grain) for table, grain in TABLES.items()),
        *(_old_rollup(t, grain, totals) for t, grain in TABLES.items() if "platform" in t),
        _old_presence("hour"),
        _old_presence("day"),
        *_LONG_AGO,
    )


def run(url: str, *statements: str) -> list[asyncpg.Record]:
    """Run the statements; the rows of the last one."""

    async def work() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            rows: list[asyncpg.Record] = []
            for statement in statements:
                rows = await connection.fetch(statement)
            return rows
        finally:
            await connection.close()

    return asyncio.run(work())


def dump(url: str) -> dict[str, set[frozenset[tuple[str, Any]]]]:
    """Every row of every table that changes."""
    return {
        table: {frozenset(row.items()) for row in run(url, f"select * from {table}")}
        for table in (*TABLES, *OTHERS)
    }
