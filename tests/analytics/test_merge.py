"""Slices that differ in one value share a statement and get their own answers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from access.scopes import Scope
from analytics.intervals import Interval
from analytics.merge import MAX_MERGED, batches, with_equal_extras
from analytics.run import Analytics
from analytics.slices import Filter, Slice
from storage.connections.database import Database
from storage.dimensions import NETWORK, PROJECT, TEMPLATE
from tests.analytics import world
from tests.analytics.questions import ALL, MARCH, RAGGED, TWO, question, run_many
from tests.analytics.test_oracle import check
from tests.analytics.world import World


class Counted:
    """Analytics over the world, and the number of statements it has run."""

    def __init__(self) -> None:
        self.statements = 0
        self.analytics: Analytics

    def count(self, _name: str, _seconds: float) -> None:
        self.statements += 1


@pytest.fixture
async def counted(world_url: str, world_database: Database) -> AsyncIterator[Counted]:
    counted = Counted()
    database = await Database.open(world_url, pool_size=4, on_statement=counted.count)
    counted.analytics = Analytics(database, None, world.KEPT, lambda: world.NOW)
    yield counted
    await database.close()


def by_network(**changes: object) -> list[Slice]:
    return [
        question(filter=Filter.of({NETWORK: [network]}), **changes)  # type: ignore[arg-type]
        for network in (0, 1, 2, 3, 99)
    ]


@pytest.mark.parametrize(
    "asked",
    [
        by_network(),
        by_network(interval=Interval.DAY),
        by_network(scope=TWO),
        by_network(group_by=[TEMPLATE], distinct=False),
        by_network(ages=True),
        by_network(ages=True, group_by=[TEMPLATE], distinct=False, interval=Interval.WEEK),
        [question(filter=Filter.of({PROJECT: [project]})) for project in (11, 12, 14, 999)],
        [question(scope=TWO, filter=Filter.of({PROJECT: [project]})) for project in (11, 13)],
        [question(filter=Filter.of({TEMPLATE: [template]})) for template in (0, 2, 3)],
        [question(histogram=True, distinct=False), question(histogram=False, distinct=True)],
    ],
    ids=[
        "networks",
        "networks by day",
        "networks of projects",
        "networks by template",
        "ages of networks",
        "ages of networks by template",
        "projects",
        "projects in scope",
        "templates",
        "extras",
    ],
)
async def test_alike_questions_cost_one_statement(
    counted: Counted, deployments: World, asked: list[Slice]
) -> None:
    answers = await run_many(counted.analytics, asked)
    assert counted.statements == 1
    for each, answer in zip(asked, answers, strict=True):
        check(answer, each, deployments)


async def test_unlike_questions_are_not_mixed_up(counted: Counted, deployments: World) -> None:
    asked = [
        question(),
        *by_network(),
        *by_network(span=MARCH),
        question(filter=Filter.of({NETWORK: [2, 3]})),
        question(filter=Filter.of({NETWORK: [2]}), group_by=[NETWORK]),
        question(filter=Filter.of({NETWORK: [2]}), group_by=[TEMPLATE]),
        question(filter=Filter.of({NETWORK: [3]}), group_by=[TEMPLATE]),
    ]
    for each, answer in zip(asked, await run_many(counted.analytics, asked), strict=True):
        check(answer, each, deployments)
    assert counted.statements == 7


async def test_same_question_is_asked_once(counted: Counted) -> None:
    first, second = await run_many(counted.analytics, [question(), question()])
    assert first == second
    assert counted.statements == 1


async def test_merged_percentiles_are_those_of_each_alone(counted: Counted) -> None:
    asked = [question(filter=Filter.of({PROJECT: [project]})) for project in (11, 12, 13)]
    together = await run_many(counted.analytics, asked)
    alone = [(await run_many(counted.analytics, [each]))[0] for each in asked]
    assert [answer.total for answer in together] == [answer.total for answer in alone]


def test_very_many_values_are_split() -> None:
    asked = [question(filter=Filter.of({PROJECT: [n]})) for n in range(2 * MAX_MERGED + 1)]
    assert [len(batch.members) for batch in batches(asked)] == [MAX_MERGED, MAX_MERGED, 1]


def test_extras_are_shared_only_by_look_alikes() -> None:
    plain = question(histogram=False, distinct=False)
    other = question(MARCH, histogram=True, distinct=False)
    assert with_equal_extras([plain, other]) == {plain: plain, other: other}


async def test_empty_scope_answers_zeros_without_a_statement(counted: Counted) -> None:
    nobody = question(scope=Scope.of(()), interval=Interval.WEEK)
    outside = question(scope=TWO, filter=Filter.of({PROJECT: [12]}))
    for answer in await run_many(counted.analytics, [nobody, outside]):
        assert not any(answer.total.counts)
        assert answer.total.projects == 0
        assert all(cell == answer.zero for cell in answer.rows[()])
    assert counted.statements == 0


async def test_statement_always_names_the_projects_of_the_scope(
    counted: Counted, deployments: World
) -> None:
    by_project = [question(MARCH, scope, group_by=[PROJECT]) for scope in (ALL, TWO)]
    everything, own = await run_many(counted.analytics, by_project)
    assert set(everything.rows) == {(11,), (12,), (13,), (14,)}
    assert set(own.rows) == {(11,), (13,)}


def test_dates_of_the_world_are_past() -> None:
    assert datetime.now(UTC) - world.NOW > timedelta(days=1)
    assert RAGGED.end < world.NOW
