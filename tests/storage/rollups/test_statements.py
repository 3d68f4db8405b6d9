"""A state written with the apply statement moves every roll-up by exactly what changed."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Floors
from storage.facts.lifecycle import Status
from storage.keeping.partitions import ensure, partitioned_tables
from storage.rollups.repair import Difference, rebuild_day, recount_day
from storage.rollups.statements import SHARED_LOCK, apply, lock_rows

FACT = DEPLOYMENTS
DAY = date(2026, 3, 14)
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
NO_FLOORS = Floors(None, None, None)
SLOT = 3


@pytest.fixture
async def connection(own_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(own_database_url, max_cacheable_statement_size=0)
    for table in partitioned_tables(FACT):
        await ensure(opened, table, (NOON + timedelta(days=days) for days in range(-3, 4)))
    await opened.execute(
        "insert into projects (project_id, slug, name)"
        " select n, 'project-' || n, 'Project' from generate_series(1, 3) as n"
    )
    await opened.execute(
        "insert into deployment_series select project, series, 2, series, 2, 2"
        " from generate_series(1, 3) as project, generate_series(2, 4) as series"
    )
    yield opened
    await opened.close()


def state(number: int, status: Status, **changes: Any) -> dict[str, Any]:
    """A deployment of project 1 created at noon; finished ones took ten minutes."""
    finished = status not in (Status.QUEUED, Status.IN_PROGRESS)
    values = {
        "project_id": 1,
        "deployment_id": UUID(int=number),
        "series_id": 2,
        "status": int(status),
        "created_at": NOON,
        "finished_at": NOON + timedelta(minutes=10) if finished else None,
        "finish_status": int(status) if finished else None,
        "duration_us": 600_000_000 if finished else None,
    }
    return values | changes


async def write(
    connection: asyncpg.Connection,
    states: Sequence[dict[str, Any]],
    *,
    slot: int = SLOT,
    floors: Floors = NO_FLOORS,
) -> set[tuple[int, date]]:
    """One batch as ingest does it; the projects and days it says it has touched."""
    rows = sorted(states, key=lambda row: (row["project_id"], row["deployment_id"]))
    async with connection.transaction():
        await connection.execute(SHARED_LOCK, FACT.name)
        keys = [[row[name] for row in rows] for name in lock_rows(FACT).columns]
        await connection.fetch(lock_rows(FACT).text, *keys)
        arrays = [[row.get(name) for row in rows] for name in apply(FACT).columns]
        limits = (floors.minute, floors.fine, floors.day)
        touched = await connection.fetch(apply(FACT).text, *arrays, slot, *limits)
    return {tuple(row) for row in touched}


async def differences(connection: asyncpg.Connection) -> list[Difference]:
    found: list[Difference] = []
    for offset in range(-2, 3):
        found += await recount_day(connection, FACT, DAY + timedelta(days=offset), NO_FLOORS)
    return found


async def test_finished_deployment_counts_by_both_clocks(connection: asyncpg.Connection) -> None:
    late = NOON + timedelta(hours=13)
    await write(connection, [state(1, Status.FAILED, finished_at=late, duration_us=None)])
    rows = await connection.fetch(
        "select * from deployment_project_day where cell = 0 order by bucket"
    )
    assert [(row["attempts"], row["failed"], row["finishes"]) for row in rows] == [
        (1, 1, 0),
        (0, 0, 1),
    ]
    assert [row["finishes_failed"] - row["timed"] for row in rows] == [0, 1]


async def test_state_change_moves_what_it_counted(connection: asyncpg.Connection) -> None:
    await write(connection, [state(1, Status.QUEUED)])
    assert await connection.fetchval("select sum(queued) from deployment_project_hour") == 4
    await write(connection, [state(1, Status.IN_PROGRESS)])
    await write(connection, [state(1, Status.SUCCEEDED)])
    await write(connection, [state(1, Status.ROLLED_BACK, finish_status=int(Status.SUCCEEDED))])
    row = await connection.fetchrow("select * from deployment_project_hour where cell = 0")
    assert (row["attempts"], row["queued"], row["succeeded"], row["rolled_back"]) == (1, 0, 0, 1)
    assert (row["finishes"], row["finishes_succeeded"], row["duration_us"]) == (1, 1, 600_000_000)


async def test_series_change_moves_between_networks(connection: asyncpg.Connection) -> None:
    await write(connection, [state(1, Status.SUCCEEDED)])
    await write(connection, [state(1, Status.SUCCEEDED, series_id=3)])
    rows = await connection.fetch(
        "select network_id, attempts from deployment_presence_day order by network_id"
    )
    assert [tuple(row) for row in rows] == [(2, 0), (3, 1)]
    assert await differences(connection) == []


async def test_platform_total_row_counts_every_dimension_once(
    connection: asyncpg.Connection,
) -> None:
    await write(connection, [state(1, Status.SUCCEEDED), state(2, Status.FAILED, series_id=3)])
    await write(connection, [state(3, Status.FAILED, project_id=2)], slot=SLOT + 1)
    total = await connection.fetchrow(
        "select sum(attempts), count(*) from deployment_platform_day where cell = 0"
    )
    assert tuple(total) == (3, 2)  # one row for each writer's slot


async def test_duration_lands_in_its_histogram_bucket(connection: asyncpg.Connection) -> None:
    assert FACT.timing
    thresholds = FACT.timing.histogram.thresholds_us()
    durations = [0, thresholds[0] - 1, thresholds[0], thresholds[-1], 10**15]
    await write(
        connection,
        [state(n, Status.SUCCEEDED, duration_us=value) for n, value in enumerate(durations)],
    )
    rows = await connection.fetch("select h0, h1, h2, h159 from deployment_project_day")
    assert [tuple(row) for row in rows] == [(2, 1, None, 2)] * len(FACT.cells)


async def test_each_declared_cell_has_rows_of_its_own(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "insert into deployment_series values (1, 5, 3, 2, 4, 2), (1, 6, 2, 3, 4, 2)"
    )
    states = [state(n, Status.SUCCEEDED, series_id=series) for n, series in enumerate((2, 5, 6, 6))]
    await write(connection, states)
    for table in ("project_minute", "project_hour", "project_day", "platform_day"):
        rows = await connection.fetch(
            "select cell, environment_id, network_id, template_id, framework_id, sum(attempts)"
            f" from deployment_{table} where attempts > 0 group by 1, 2, 3, 4, 5 order by 1, 2, 3"
        )
        assert [tuple(row) for row in rows] == [
            (0, -1, -1, -1, -1, 4),
            (1, -1, 2, -1, -1, 2),
            (1, -1, 3, -1, -1, 2),
            (2, 2, 2, 2, 2, 1),
            (2, 2, 3, 4, 2, 2),
            (2, 3, 2, 4, 2, 1),
            (3, 2, -1, -1, -1, 3),
            (3, 3, -1, -1, -1, 1),
        ]


async def test_minutes_have_a_histogram_in_their_total_alone(
    connection: asyncpg.Connection,
) -> None:
    await write(connection, [state(1, Status.SUCCEEDED), state(2, Status.SUCCEEDED, series_id=3)])
    filled = f"num_nonnulls(variadic array[{', '.join(FACT.histogram)}])"
    rows = await connection.fetch(
        f"select cell, sum(timed), sum({filled}) from deployment_project_minute"
        " group by cell order by cell"
    )
    assert [tuple(row) for row in rows] == [(0, 2, 1), (1, 2, 0), (2, 2, 0), (3, 2, 0)]


async def test_what_takes_back_and_gives_again_touches_no_row(
    connection: asyncpg.Connection,
) -> None:
    await write(connection, [state(1, Status.SUCCEEDED)])
    before = await connection.fetch("select xmin::text, ctid::text from deployment_project_day")
    await write(connection, [state(1, Status.SUCCEEDED, actor="someone")])
    assert before == await connection.fetch(
        "select xmin::text, ctid::text from deployment_project_day"
    )
    assert await connection.fetchval("select actor from deployments") == "someone"


async def test_floor_keeps_old_buckets_out(connection: asyncpg.Connection) -> None:
    floors = Floors(NOON + timedelta(days=1), NOON + timedelta(days=1), None)
    await write(connection, [state(1, Status.SUCCEEDED)], floors=floors)
    counts = [
        await connection.fetchval(f"select count(*) from deployment_{name}")
        for name in ("project_minute", "project_hour", "presence_hour", "platform_quarter")
    ]
    assert counts == [0, 0, 0, 0]
    attempts = "select attempts from deployment_project_day where cell = 0"
    assert await connection.fetchval(attempts) == 1


async def test_touched_days_are_those_of_both_clocks_before_and_after(
    connection: asyncpg.Connection,
) -> None:
    tomorrow = NOON + timedelta(days=1)
    found = await write(connection, [state(1, Status.SUCCEEDED, finished_at=tomorrow)])
    assert found == {(1, DAY), (1, DAY + timedelta(days=1))}
    assert await write(connection, [state(1, Status.SUCCEEDED, finished_at=tomorrow)]) == set()
    moved = await write(connection, [state(1, Status.SUCCEEDED, finished_at=NOON)])
    assert moved == found


async def test_recount_names_a_wrong_row(connection: asyncpg.Connection) -> None:
    await write(connection, [state(1, Status.SUCCEEDED)])
    await connection.execute("update deployment_project_hour set succeeded = 5")
    await connection.execute("delete from deployment_presence_day")
    found = await recount_day(connection, FACT, DAY, NO_FLOORS)
    assert {(difference.table, difference.side) for difference in found} == {
        ("deployment_project_hour", "facts"),
        ("deployment_project_hour", "rollup"),
        ("deployment_presence_day", "facts"),
    }


async def test_rebuild_restores_lost_rows(connection: asyncpg.Connection) -> None:
    await write(connection, [state(1, Status.SUCCEEDED), state(2, Status.FAILED, series_id=4)])
    for table in ("deployment_project_day", "deployment_platform_quarter"):
        await connection.execute(f"delete from {table}")
    await connection.execute("update deployment_presence_hour set attempts = 7")
    await rebuild_day(connection, FACT, DAY, NO_FLOORS)
    assert await differences(connection) == []


async def test_rebuild_counts_as_a_change_of_every_project_it_touched(
    connection: asyncpg.Connection,
) -> None:
    await write(connection, [state(1, Status.SUCCEEDED), state(2, Status.FAILED, project_id=2)])
    await connection.execute(
        "update deployment_project_day set project_id = 3 where project_id = 2"
    )
    await rebuild_day(connection, FACT, DAY, NO_FLOORS)
    rows = await connection.fetch("select project_id, day from project_version_days")
    assert {tuple(row) for row in rows} == {(project, DAY) for project in (1, 2, 3)}
    rows = await connection.fetch("select slot, day from platform_version_days")
    assert [tuple(row) for row in rows] == [(0, DAY)]


_STATES = st.builds(
    lambda number, status, series, created, took, project: state(
        number,
        status,
        project_id=project,
        series_id=series,
        created_at=NOON + timedelta(minutes=created),
        finished_at=None if status < 2 else NOON + timedelta(minutes=created + took),
        duration_us=None if status < 2 or took % 7 == 0 else took * 60_000_000 + took,
    ),
    st.integers(1, 4),
    st.sampled_from(Status),
    st.integers(2, 4),
    st.integers(-1500, 1500),
    st.integers(0, 1000),
    st.integers(1, 3),
)


@given(batches=st.lists(st.lists(_STATES, min_size=1, max_size=6), min_size=1, max_size=5))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_rollups_equal_a_recount_after_any_changes(
    connection: asyncpg.Connection, batches: list[list[dict[str, Any]]]
) -> None:
    for batch in batches:
        latest = {(row["project_id"], row["deployment_id"]): row for row in batch}
        await write(connection, list(latest.values()))
    assert await differences(connection) == []
