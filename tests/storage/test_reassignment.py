"""A network or template provisioned late takes over the deployments that named it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from storage import reassignment
from storage.connections.database import Database
from storage.dictionaries import (
    TemplateFields,
    upsert_network,
    upsert_project,
    upsert_template,
)
from storage.dimensions import OTHER, TEMPLATE
from storage.facts.build_phases import BUILD_PHASES
from storage.facts.deployments import DEPLOYMENTS
from storage.reassignment import reassign, reassign_pending
from storage.series import admit
from tests.storage.states import NO_FLOORS, append, differences, succeeded, write

AT = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)
UNKNOWN_TEMPLATE = (2, 2, OTHER, 0)


@pytest.fixture
async def stocked(own_database: Database) -> Database:
    """Two projects with deployments of "remix", which nobody has provisioned yet."""
    async with own_database.transaction() as connection:
        for slug in ("one", "two"):
            await upsert_project(connection, slug)
        series_id = (await admit(connection, DEPLOYMENTS, 1, [UNKNOWN_TEMPLATE]))[UNKNOWN_TEMPLATE]
        assert (await admit(connection, DEPLOYMENTS, 2, [UNKNOWN_TEMPLATE])) == {
            UNKNOWN_TEMPLATE: series_id
        }
    await write(own_database, [deployment(project_id) for project_id in (1, 1, 2)])
    await write(own_database, [deployment(1, template="astro")])
    return own_database


def deployment(project_id: int, template: str = "remix", **changes: Any) -> dict[str, Any]:
    return succeeded(AT, project_id=project_id, template=template, **changes)


async def attempts(database: Database, table: str = "deployment_project_day") -> dict[int, int]:
    """Attempts by template, of the cell that tells templates apart."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            f"select template_id, sum(attempts)::int from {table}"
            " where cell = 2 group by 1 having sum(attempts) > 0"
        )
    return {row[0]: row[1] for row in rows}


async def provision(database: Database, slug: str) -> int:
    async with database.transaction() as connection:
        return await upsert_template(connection, TemplateFields(slug))


async def test_rollups_move_to_the_new_template(stocked: Database) -> None:
    template_id = await provision(stocked, "remix")
    assert await attempts(stocked) == {OTHER: 4}
    assert await reassign_pending(stocked, AT, NO_FLOORS) == 3
    for table in ("project_minute", "project_hour", "project_day", "platform_day"):
        assert await attempts(stocked, f"deployment_{table}") == {OTHER: 1, template_id: 3}
    async with stocked.connection() as connection:
        assert await differences(connection, AT) == []


async def test_other_dimensions_stay_as_they_were(stocked: Database) -> None:
    await provision(stocked, "remix")
    await reassign_pending(stocked, AT, NO_FLOORS)
    async with stocked.connection() as connection:
        rows = await connection.fetch(
            "select distinct environment_id, network_id, framework_id"
            " from deployments join deployment_series using (project_id, series_id)"
        )
    assert [tuple(row) for row in rows] == [(2, 2, 0)]


async def test_name_in_other_case_counts_too(stocked: Database) -> None:
    await write(stocked, [deployment(1, template="Remix")])
    await provision(stocked, "remix")
    assert await reassign_pending(stocked, AT, NO_FLOORS) == 4


async def test_small_batches_reach_everything(
    stocked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reassignment, "_BATCH", 2)
    await write(stocked, [deployment(2) for _ in range(5)])
    await provision(stocked, "remix")
    assert await reassign(stocked, DEPLOYMENTS, TEMPLATE, "remix", NO_FLOORS) == 8
    assert await reassign(stocked, DEPLOYMENTS, TEMPLATE, "remix", NO_FLOORS) == 0


async def test_name_stays_pending_until_late_batches_have_settled(stocked: Database) -> None:
    await provision(stocked, "remix")
    assert await reassign_pending(stocked, AT - timedelta(days=9999), NO_FLOORS) == 3
    # A batch that did not see the new name yet is committed after the first pass.
    await write(stocked, [deployment(1)])
    assert await reassign_pending(stocked, AT, NO_FLOORS) == 1
    await write(stocked, [deployment(1)])
    assert await reassign_pending(stocked, AT, NO_FLOORS) == 0


async def test_known_name_asks_for_nothing(stocked: Database) -> None:
    await provision(stocked, "remix")
    await reassign_pending(stocked, AT, NO_FLOORS)
    await provision(stocked, "remix")
    async with stocked.connection() as connection:
        assert await connection.fetchval("select count(*) from reassignments") == 0


async def test_network_takes_over_and_its_presence_moves(stocked: Database) -> None:
    dims = (2, OTHER, 0, 0)
    async with stocked.transaction() as connection:
        series_id = (await admit(connection, DEPLOYMENTS, 1, [dims]))[dims]
    await write(stocked, [succeeded(AT, network="atlantis", series_id=series_id)])
    async with stocked.transaction() as connection:
        network_id = await upsert_network(connection, "atlantis", "Atlantis")
    assert await reassign_pending(stocked, AT, NO_FLOORS) == 1
    async with stocked.connection() as connection:
        rows = await connection.fetch(
            "select network_id, project_id from deployment_presence_day"
            " where attempts > 0 order by 1, 2"
        )
        assert [tuple(row) for row in rows] == [(2, 1), (2, 2), (network_id, 1)]
        assert await differences(connection, AT) == []


async def test_project_at_its_cap_of_series_keeps_the_series_it_has(
    stocked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stocked.transaction() as connection:
        await admit(connection, DEPLOYMENTS, 2, [(number, 2, 0, 0) for number in range(10, 600)])
    await provision(stocked, "remix")
    assert await reassign_pending(stocked, AT, NO_FLOORS) == 2
    async with stocked.connection() as connection:
        assert await differences(connection, AT) == []


async def test_reassigning_beside_writes_keeps_every_rollup_exact(
    stocked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reassignment, "_BATCH", 3)
    states = [deployment(project_id) for project_id in (1, 2) for _ in range(10)]
    await write(stocked, states)
    await provision(stocked, "remix")

    async def rewrite() -> None:
        for start in range(0, 20, 5):
            await write(stocked, [{**state, "duration_us": 1} for state in states[start:][:5]])

    await asyncio.gather(rewrite(), reassign(stocked, DEPLOYMENTS, TEMPLATE, "remix", NO_FLOORS))
    await reassign(stocked, DEPLOYMENTS, TEMPLATE, "remix", NO_FLOORS)
    async with stocked.connection() as connection:
        assert await differences(connection, AT) == []
    assert (await attempts(stocked))[OTHER] == 1


async def test_rows_of_append_facts_move_with_the_times_of_their_series(
    stocked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reassignment, "_BATCH", 2)
    fact = BUILD_PHASES
    combination = tuple(OTHER if each is TEMPLATE else 2 for each in fact.dimensions)
    async with stocked.transaction() as connection:
        series_id = (await admit(connection, fact, 1, [combination]))[combination]
    rows: list[dict[str, Any]] = [
        {"occurred_at": AT - timedelta(days=days), "series_id": series_id, "template": template}
        for days, template in ((0, "remix"), (1, "astro"), (2, "Remix"), (40, "remix"))
    ]
    await append(stocked, fact, rows)
    template_id = await provision(stocked, "remix")
    assert await reassign(stocked, fact, TEMPLATE, "remix", NO_FLOORS) == 3
    assert await reassign(stocked, fact, TEMPLATE, "remix", NO_FLOORS) == 0
    async with stocked.connection() as connection:
        for row in rows:
            assert await differences(connection, row["occurred_at"], fact=fact) == []
        counts = await connection.fetch(
            f"select template_id, sum({fact.leading})::int from {fact.name}_project_day"
            f" where cell = {fact.cell(fact.dimensions).number}"
            f" group by 1 having sum({fact.leading}) > 0 order by 1"
        )
        seen = await connection.fetchrow(
            f"select first_at, last_at from {fact.series.name} where template_id = $1", template_id
        )
    assert [tuple(row) for row in counts] == [(OTHER, 1), (template_id, 3)]
    assert tuple(seen) == (AT - timedelta(days=40), AT)


async def test_project_is_read_once_however_many_series_it_has(own_database_url: str) -> None:
    connection = await asyncpg.connect(own_database_url)
    await connection.execute(  # of 50 projects with 40 series each, one has them under "other"
        "insert into deployment_series select project, 1 + number, number, 2,"
        " case project when 7 then $1::int else 5 end, 0"
        " from generate_series(1, 50) project, generate_series(1, 40) number",
        OTHER,
    )
    await connection.execute(
        "insert into deployments (project_id, deployment_id, series_id, template)"
        " select project, gen_random_uuid(), 2 + number % 40, 'astro'"
        " from generate_series(1, 50) project, generate_series(1, 400) number"
    )
    await connection.execute("analyze")
    await connection.close()
    before = await deployments_read(own_database_url)
    database = await Database.open(own_database_url)
    await provision(database, "remix")
    assert await reassign_pending(database, AT, NO_FLOORS) == 0
    await database.close()
    assert await deployments_read(own_database_url) - before < 1_000


async def deployments_read(url: str) -> int:
    """How many rows of deployments were read by sessions that have ended."""
    connection = await asyncpg.connect(url)
    await asyncio.sleep(0.2)  # a session tells when it ends
    read = await connection.fetchval(
        "select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = 'deployments'"
    )
    await connection.close()
    return int(read)
