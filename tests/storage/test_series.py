"""Series are admitted once per combination, up to the project's cap, whoever asks at once."""

import asyncio
from dataclasses import replace
from itertools import count

import pytest

from storage.connections.database import Database
from storage.facts.deployments import DEPLOYMENTS
from storage.series import OVERFLOW, Combination, admit

PROJECTS = count(700_000)


@pytest.fixture
def project_id() -> int:
    return next(PROJECTS)


def some(number: int, start: int = 2) -> list[Combination]:
    return [(environment_id, 2, 0, 0) for environment_id in range(start, start + number)]


async def test_series_keep_their_numbers(database: Database, project_id: int) -> None:
    async with database.transaction() as connection:
        first = await admit(connection, DEPLOYMENTS, project_id, some(3))
        again = await admit(connection, DEPLOYMENTS, project_id, some(5))
    assert sorted(first.values()) == [2, 3, 4]
    assert again.items() >= first.items()
    assert sorted(again.values()) == [2, 3, 4, 5, 6]


async def test_projects_number_their_own_series(database: Database, project_id: int) -> None:
    async with database.transaction() as connection:
        assert await admit(connection, DEPLOYMENTS, project_id, some(1)) == {some(1)[0]: 2}
        assert await admit(connection, DEPLOYMENTS, next(PROJECTS), some(1, start=9)) == {
            some(1, start=9)[0]: 2
        }


async def test_series_beyond_the_cap_overflow(database: Database, project_id: int) -> None:
    fact = replace(DEPLOYMENTS, series_at_most=5)
    async with database.transaction() as connection:
        await admit(connection, fact, project_id, some(3))
        beyond = await admit(connection, fact, project_id, some(4, start=5))
        later = await admit(connection, fact, project_id, some(20))
    assert sorted(beyond.values()) == [OVERFLOW, OVERFLOW, 5, 6]
    assert sum(series_id == OVERFLOW for series_id in later.values()) == 15


async def test_nothing_asked_is_nothing_answered(database: Database, project_id: int) -> None:
    async with database.transaction() as connection:
        assert await admit(connection, DEPLOYMENTS, project_id, []) == {}


async def test_admitting_at_once_agrees_and_keeps_the_cap(
    database: Database, project_id: int
) -> None:
    fact = replace(DEPLOYMENTS, series_at_most=50)

    async def ask(start: int) -> dict[Combination, int]:
        async with database.transaction() as connection:
            return await admit(connection, fact, project_id, some(30, start))

    answers = await asyncio.gather(*(ask(start) for start in (2, 12, 22, 32, 42)))
    agreed: dict[Combination, int] = {}
    for answer in answers:
        for combination, series_id in answer.items():
            if series_id != OVERFLOW:
                assert agreed.setdefault(combination, series_id) == series_id
    assert sorted(agreed.values()) == list(range(2, 52))
