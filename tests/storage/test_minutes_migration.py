"""Minutes of facts with few events come over into one table, and go back into a partition a day."""

import alembic.command
import pytest

from gateway.config import migrations
from tests.servers import Databases
from tests.storage.before_cells import run

BEFORE, AFTER = "0018", "0019"
# The tables, and a dimension that each has besides those of all.
TABLES = {
    "deployment_project_minute": "network_id",
    "build_project_minute": None,
    "build_phase_project_minute": "phase_id",
}
COLUMNS = "project_id, cell, bucket, environment_id, template_id, framework_id, timed, h7"
PARTITIONS = (
    "select relname from pg_class where relispartition and relkind = 'r'"
    " and relname ~ '^(deployment|build|build_phase)_project_minute_[0-9]{8}$'"
)


def fill(url: str, table: str) -> None:
    """Three rows, of two days, and a partition that retention has detached."""
    more = TABLES[table]
    also, value = (f", {more}", ", 4") if more else ("", "")
    for day in (5, 6, 7):
        run(
            url,
            f"create table {table}_2031010{day} partition of {table}"
            f" for values from ('2031-01-0{day} 00:00+00') to ('2031-01-0{day + 1} 00:00+00')",
        )
    run(
        url,
        f"insert into {table} ({COLUMNS}{also}) select 1, 2, at, 2, 3, 0, 1, 5{value} from"
        " unnest('{2031-01-05 00:00+00, 2031-01-05 23:59+00, 2031-01-06 12:00+00}'::timestamptz[])"
        " as at",
        f"alter table {table} detach partition {table}_20310107",
    )


@pytest.mark.parametrize("table", TABLES)
def test_minutes_stay(databases: Databases, table: str) -> None:
    with databases.fresh(empty=True) as url:
        migrations.upgrade(url, BEFORE)
        fill(url, table)
        every = f"select * from {table} order by bucket"
        was = run(url, every)
        assert len(was) == 3
        migrations.upgrade(url, AFTER)
        assert run(url, every) == was
        assert run(url, PARTITIONS) == []
        assert run(url, f"select 1 from pg_class where relname ~ '^{table}_[a0-9]'") == []
        alembic.command.downgrade(migrations.config(url), BEFORE)
        assert run(url, every) == was
        names = [row["relname"] for row in run(url, PARTITIONS)]
        assert sorted(names) == [f"{table}_20310105", f"{table}_20310106"]
