"""The floor sends the statements that the product sends, on seeded data."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import asyncpg
import pytest

from benchmarks import invocations
from benchmarks.floor import Floor, floor
from benchmarks.population import DAYS
from benchmarks.questions import DAILY, LIST, QUESTIONS, Question
from benchmarks.seed import SEEDINGS, seed
from storage.facts import FACTS
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import recount_day
from tests.servers import Databases

ROWS = 3_000
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def seeded(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        asyncio.run(seed(url, dict.fromkeys(SEEDINGS, ROWS), NOW))
        yield url


@pytest.fixture(scope="module")
async def own_floor(seeded: str) -> AsyncIterator[Floor]:
    async with floor(seeded) as opened:
        yield opened


@pytest.mark.parametrize("fact", SEEDINGS)
async def test_the_first_project_has_most(seeded: str, fact: str) -> None:
    connection = await asyncpg.connect(seeded)
    counts = [
        row["count"]
        for row in await connection.fetch(
            f"select count(*) from {FACTS[fact].table.name} group by project_id order by project_id"
        )
    ]
    assert sum(counts) == ROWS
    assert counts[0] > ROWS / 10
    assert sum(counts[:100]) > ROWS / 2
    await connection.close()


@pytest.mark.parametrize("fact", SEEDINGS)
@pytest.mark.parametrize("age_days", [0, 1, 2, DAYS // 2])
async def test_the_roll_ups_are_right_as_far_back_as_they_are_kept(
    seeded: str, fact: str, age_days: int
) -> None:
    connection = await asyncpg.connect(seeded)
    day = (NOW - timedelta(days=age_days)).date()
    floors = DEFAULT.floors(NOW)
    assert await recount_day(connection, FACTS[fact], day, floors) == []
    await connection.close()


@pytest.mark.parametrize(
    "question", [*QUESTIONS, *invocations.QUESTIONS], ids=lambda question: question.name
)
async def test_each_question_has_statements_that_run_again(
    own_floor: Floor, question: Question
) -> None:
    for variables in islice(question.asked("floor", NOW), 3):
        statements = await own_floor.statements(question, variables)
        assert statements
        again = await own_floor.statements(question, variables)
        # Some are sent concurrently, so their order may differ.
        assert sorted(each.text for each in again) == sorted(each.text for each in statements)
        await own_floor.run(statements)


async def test_statements_are_those_of_their_question_alone(own_floor: Floor) -> None:
    (daily, page) = [
        await own_floor.statements(question, next(question.asked("floor", NOW)))
        for question in (DAILY, LIST)
    ]
    assert any("deployment_platform" in each.text for each in daily)
    assert all("deployment_platform" not in each.text for each in page)
    assert any("deployment_events" in each.text for each in page)
