"""A database from before cells comes over with every row, and goes back with every row."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import alembic.command
import asyncpg
import pytest

from gateway.config import migrations
from storage.facts.deployments import DEPLOYMENTS
from storage.keeping import partitions
from storage.keeping.windows import Retention
from storage.rollups.repair import Difference
from tests.servers import Databases
from tests.storage.before_cells import LONG_AGO, NOW, OTHERS, REVISION, TABLES, dump, fill, run
from tests.storage.states import differences


@pytest.fixture(scope="module")
def old_url(databases: Databases) -> Iterator[str]:
    with databases.fresh(empty=True) as url:
        fill(url)
        yield url


@pytest.fixture(scope="module")
def was(old_url: str) -> dict[str, set[frozenset[tuple[str, Any]]]]:
    return dump(old_url)


@pytest.fixture(scope="module")
def url(old_url: str, was: object) -> str:
    assert was
    migrations.upgrade(old_url)
    alembic.command.check(migrations.config(old_url))
    return old_url


def test_every_cell_of_every_day_equals_a_recount(url: str) -> None:
    async def recount() -> list[Difference]:
        connection = await asyncpg.connect(url)
        found = []
        for days in range(36):
            at = NOW - timedelta(days=days)
            found += await differences(connection, at, Retention().floors(NOW))
        await connection.close()
        return found

    assert asyncio.run(recount()) == []


def test_days_without_facts_have_their_cells_from_the_finest_rows(url: str) -> None:
    projects = run(
        url,
        "select cell, network_id, template_id, attempts, duration_us, h7, h9"
        f" from deployment_project_day where bucket = '{LONG_AGO}' order by 1, 2, 3",
    )
    assert [tuple(row) for row in projects] == [
        (0, -1, -1, 8, 3 * 2**62, 4, 3),
        (1, 2, -1, 6, 2 * 2**62, 4, 1),
        (1, 3, -1, 2, 2**62, None, 2),
        (2, 2, 2, 5, 2**62, 3, 1),
        (2, 2, 3, 1, 2**62, 1, None),
        (2, 3, 2, 2, 2**62, None, 2),
        (3, -1, -1, 8, 3 * 2**62, 4, 3),
    ]
    platform = run(
        url,
        "select cell, network_id, slot, attempts, h7"
        f" from deployment_platform_day where bucket = '{LONG_AGO}' order by 1, 2, 3",
    )
    assert [tuple(row) for row in platform] == [
        (0, -1, 0, 5, 3),
        (0, -1, 1, 3, None),
        (1, 2, 0, 5, 3),
        (1, 3, 1, 3, None),
        (2, 2, 0, 5, 3),
        (2, 3, 1, 3, None),
        (3, -1, 0, 5, 3),
        (3, -1, 1, 3, None),
    ]


def test_finest_rows_events_and_presence_are_all_there(
    url: str, was: dict[str, set[frozenset[tuple[str, Any]]]]
) -> None:
    now = dump(url)
    for table in OTHERS:
        columns = {name for row in was[table] for name, _ in row}  # later migrations add some
        now[table] = {frozenset((n, v) for n, v in row if n in columns) for row in now[table]}
        assert was[table] <= now[table], table
    left_detached = now["deployment_events"] - was["deployment_events"]
    assert [dict(row)["type"] for row in left_detached] == [3]
    for table in TABLES:
        finest = {
            frozenset((name, value) for name, value in row if name in dict(old))
            for row in now[table]
            if ("cell", 2) in row
            for old in [next(iter(was[table]))]
        }
        assert finest == {row for row in was[table] if ("network_id", -1) not in row}, table


def test_partitions_are_few_and_named_as_new_ones_are(url: str) -> None:
    async def look() -> tuple[int, int]:
        connection = await asyncpg.connect(url)
        days = [NOW + timedelta(days=day) for day in range(-2, 3)]
        made = await partitions.ensure_for(connection, DEPLOYMENTS, days, NOW)
        counts = await partitions.counts(connection)
        await connection.close()
        tables = partitions.partitioned_tables(DEPLOYMENTS)
        return made, sum(counts[table.table] for table in tables)

    found = len(run(url, _PARTITIONS))
    assert asyncio.run(look()) == (0, found)
    assert found < 30


_PARTITIONS = (
    "select from pg_class where relispartition and relkind = 'r'"
    " and relname ~ '^deployment_(events_[0-9]{6}|project_minute_[0-9]{8})$'"
)


def test_downgrade_brings_every_row_back(
    url: str, was: dict[str, set[frozenset[tuple[str, Any]]]]
) -> None:
    alembic.command.downgrade(migrations.config(url), REVISION)
    now = dump(url)
    assert was.pop("deployment_events") <= now.pop("deployment_events")
    for table, rows in was.items():
        assert rows == now[table], table
    migrations.upgrade(url)
    alembic.command.check(migrations.config(url))
