"""A new project begins with a few rules, once; older ones are left as they are."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from alerts.defaults import AUTHOR, give_new_projects
from alerts.presets import OF_NEW_PROJECTS
from alerts.rules import RULE
from storage.alerts.new_projects import SETTLED_AFTER
from storage.connections.database import Database
from storage.dictionaries import upsert_project

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
LATER = NOW + DAY


@pytest.fixture
async def database(own_database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(own_database_url, pool_size=2)
    yield database
    await database.close()


async def new_project(database: Database) -> int:
    async with database.transaction() as connection:
        return await upsert_project(connection, f"p-{uuid4().hex[:10]}")


async def presets_of(database: Database, project_id: int) -> list[str | None]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select document, created_by from alert_rules where project_id = $1 order by name",
            project_id,
        )
    assert {row["created_by"] for row in rows} <= {AUTHOR}
    return [RULE.validate_python(row["document"]).preset for row in rows]


async def test_new_projects_get_their_rules_once(database: Database) -> None:
    old = await new_project(database)
    assert await give_new_projects(database, LATER) == 0
    assert await presets_of(database, old) == [], "it was there before"
    one, other = await new_project(database), await new_project(database)
    assert await give_new_projects(database, NOW) == 0, "another one may become visible yet"
    assert await give_new_projects(database, LATER) == 2
    names = sorted(preset.title for preset in OF_NEW_PROJECTS)
    by_title = {preset.title: preset.name for preset in OF_NEW_PROJECTS}
    for project_id in (one, other):
        assert await presets_of(database, project_id) == [by_title[name] for name in names]
    async with database.transaction() as connection:
        await connection.execute("delete from alert_rules where project_id = $1", one)
    assert await give_new_projects(database, LATER) == 0
    assert await presets_of(database, one) == [], "who deletes them does not get them again"


async def test_a_project_that_is_not_settled_waits_with_those_after_it(database: Database) -> None:
    assert await give_new_projects(database, LATER) == 0
    first, second = await new_project(database), await new_project(database)
    late = LATER + DAY
    async with database.transaction() as connection:
        await connection.execute(
            "update projects set created_at = $2 where project_id = $1", first, late
        )
    assert await give_new_projects(database, LATER) == 0
    assert await give_new_projects(database, late + 2 * SETTLED_AFTER) == 2
    assert await presets_of(database, second)
