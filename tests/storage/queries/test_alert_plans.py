"""The state of rules is read from the instances of those rules alone, whatever others have."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Integer, bindparam, select

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.queries.alerts import RULES
from tests.servers import Databases

TABLE = RULES["state", True].table
OF_PROJECT = SqlQuery(
    "rules_of_project",
    select(TABLE).where(TABLE.c.project_id == bindparam("project", type_=Integer, required=True)),
)
RULES_OF_PROJECTS = """
insert into alert_rules
select gen_random_uuid(), number, 'a', true, '{"severity": "info"}', 1, now(), '', now(), ''
from generate_series(1, 6) as number
"""
INSTANCES = """
insert into alert_instances (rule_id, instance, project_id, labels, phase, since, health, firings,
  flapping)
select rule_id, number::text, project_id, '{}', case when number = 1 then 2 else 0 end, now(), 1,
  '[]', false
from alert_rules, generate_series(1, case when project_id = 1 then 2 else 2000 end) as number
"""


def scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes of a plan that read instances."""
    below = [found for each in plan.get("Plans", ()) for found in scans(each)]
    return [plan, *below] if plan.get("Relation Name") == "alert_instances" else below


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


async def test_the_state_of_rules_reads_no_instance_of_another_project(url: str) -> None:
    database = await Database.open(url)
    try:
        async with database.transaction() as connection:
            await connection.execute(RULES_OF_PROJECTS)
            await connection.execute(INSTANCES)
        async with database.connection() as connection:
            await connection.execute("analyze alert_rules, alert_instances")
            text, values = OF_PROJECT.text, OF_PROJECT.arguments({"project": 1})
            (row,) = await connection.fetch(text, *values)
            assert (row["state"], row["health"], row["firing"]) == (2, 1, 1)
            plan = await connection.fetchval(f"explain (analyze, format json) {text}", *values)
    finally:
        await database.close()
    found = plan if isinstance(plan, list) else json.loads(plan)
    read = scans(found[0]["Plan"])
    assert read
    assert sum(each["Actual Rows"] * each["Actual Loops"] for each in read) == 2
