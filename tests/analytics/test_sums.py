"""Sums beyond 2^63 are exact: in roll-ups, over facts, in the cache, and in every measure."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from analytics.answer import Answer
from analytics.components import count
from analytics.intervals import Interval
from analytics.measures import measures_of
from analytics.periods import Range
from analytics.run import Analytics
from storage.connections.database import Database
from storage.dimensions import NETWORK
from storage.keeping.windows import Retention
from tests.analytics.questions import question, run_many
from tests.storage.states import differences, succeeded, write

NOW = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)
DAY = datetime(2031, 7, 10, tzinfo=UTC)
LONG_US = 2**62 + 1
DEPLOYMENTS = 5


@pytest.fixture
async def own_database(own_database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(own_database_url, pool_size=2)
    yield database
    await database.close()


@pytest.fixture
async def analytics(own_database: Database) -> Analytics:
    async with own_database.transaction() as connection:
        await connection.execute("insert into deployment_series values (1, 2, 2, 2, 0, 0)")
        await connection.execute(
            "insert into projects (project_id, slug, name) values (1, 'a', 'a')"
        )
    hours = [DAY + timedelta(hours=4 * number, minutes=10) for number in range(DEPLOYMENTS)]
    await write(own_database, [succeeded(at, duration_us=LONG_US) for at in hours])
    return Analytics(own_database, None, Retention(), lambda: NOW)


WHOLE = Range(DAY, DAY + timedelta(days=1))
RAGGED = Range(DAY + timedelta(minutes=1), DAY + timedelta(hours=23, minutes=59))
FACTS = Range(DAY + timedelta(minutes=1), DAY + timedelta(minutes=59))


@pytest.mark.parametrize(
    ("span", "deployments"), [(WHOLE, DEPLOYMENTS), (RAGGED, DEPLOYMENTS), (FACTS, 1)]
)
async def test_sum_is_exact(analytics: Analytics, span: object, deployments: int) -> None:
    (answer,) = await run_many(analytics, [question(span)])  # type: ignore[arg-type]
    assert count(answer.total, "duration_us", "deployment") == deployments * LONG_US
    assert type(count(answer.total, "duration_us", "deployment")) is int


async def test_every_measure_and_the_cache_take_it(analytics: Analytics) -> None:
    asked = question(WHOLE, interval=Interval.HOUR, group_by=[NETWORK])
    (answer,) = await run_many(analytics, [asked])
    assert Answer.from_bytes(answer.to_bytes()) == answer
    values = {m.name: m.value(answer.total) for m in measures_of("deployment")}
    assert values["average_duration_ms"] == pytest.approx(LONG_US / 1000)
    assert values["attempts"] == DEPLOYMENTS


async def test_rollups_of_such_sums_equal_a_recount(
    analytics: Analytics, own_database: Database
) -> None:
    async with own_database.connection() as connection:
        total = "select duration_us from deployment_project_day where cell = 0"
        assert await connection.fetchval(total) == DEPLOYMENTS * LONG_US
        assert await differences(connection, DAY) == []
