"""Starts and ends of function invocations, in any order and repetition: what runs is exact."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.events import EventStatus
from ingest.intake import Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.facts.invocations import INVOCATIONS
from storage.running import GIVEN_UP_AFTER, is_running
from tests.ingest.conftest import ADMIN, now

# The intake's clock stands still, however long the other tests take.
NOW = now()


@pytest.fixture
async def intake(database: Database) -> AsyncIterator[Intake]:
    started = Intake(database, Dictionaries(database), lambda: NOW)
    await started.start()
    yield started
    await started.stop()


def start(number: int, project: str = "shop", *, named: bool = True) -> dict[str, Any]:
    event = {
        "id": f"start-{number}",
        "type": "function.started",
        "project": project,
        "function": f"f{number % 2}",
        "time": (NOW - timedelta(minutes=5, seconds=number)).isoformat(),
    }
    return event | ({"invocation": f"call-{number}"} if named else {})


def end(number: int, project: str = "shop", *, named: bool = True) -> dict[str, Any]:
    return start(number, project, named=named) | {
        "id": f"end-{number}",
        "type": "function.completed",
        "time": (NOW - timedelta(minutes=5, seconds=number) + timedelta(seconds=2)).isoformat(),
        "startedAt": (NOW - timedelta(minutes=5, seconds=number)).isoformat(),
    }


async def running(database: Database, project: str = "shop") -> int:
    table = INVOCATIONS.running
    assert table is not None
    condition = str(is_running(INVOCATIONS, NOW).compile(compile_kwargs={"literal_binds": True}))
    async with database.connection() as connection:
        return int(
            await connection.fetchval(
                f"select count(*) from {table.name} join projects using (project_id)"
                f" where slug = $1 and {condition}",
                project,
            )
        )


_PROJECTS = iter(range(10_000))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.data(),
    ended=st.sets(st.integers(0, 5)),
    named=st.booleans(),
)
async def test_what_started_and_did_not_end_runs(
    intake: Intake, database: Database, data: st.DataObject, ended: set[int], named: bool
) -> None:
    project = f"shop-{next(_PROJECTS)}"
    events = [start(number, project, named=named) for number in range(6)]
    events += [end(number, project, named=named) for number in ended]
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=6))
    order = data.draw(st.permutations(events + repeated))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=4)))
    accepted = 0
    for low, high in zip([0, *cuts], [*cuts, len(order)], strict=True):
        for result in await intake.record(order[low:high], ADMIN):
            assert result.status in (EventStatus.ACCEPTED, EventStatus.DUPLICATE), result
            accepted += result.status is EventStatus.ACCEPTED
    assert accepted == len(events)
    if named:
        assert await running(database, project) == 6 - len(ended)
    else:
        # Without an id, a first start that comes after its end is given up later.
        assert await running(database, project) >= 6 - len(ended)


async def test_sources_without_starts_store_no_ends(intake: Intake, database: Database) -> None:
    await intake.record([end(number) for number in range(4)], ADMIN)
    async with database.connection() as connection:
        assert not await connection.fetchval("select count(*) from running_invocations")
        assert await connection.fetchval("select count(*) from invocations") == 4


async def test_a_pair_without_an_id_is_found_by_function_and_start(
    intake: Intake, database: Database
) -> None:
    await intake.record([start(1, named=False), start(2, named=False)], ADMIN)
    assert await running(database) == 2
    await intake.record([end(2, named=False)], ADMIN)
    assert await running(database) == 1


async def test_two_ends_of_one_invocation_are_noted_once(
    intake: Intake, database: Database
) -> None:
    await intake.record([start(1), start(2)], ADMIN)
    later = {"id": "end-1b", "time": (NOW - timedelta(minutes=1)).isoformat()}
    await intake.record([end(1), end(1) | later], ADMIN)
    assert await running(database) == 1


async def test_what_does_not_end_is_given_up(intake: Intake, database: Database) -> None:
    old = start(1) | {"time": (NOW - GIVEN_UP_AFTER).isoformat()}
    (result,) = await intake.record([old], ADMIN)
    assert result.status is EventStatus.ACCEPTED
    assert await running(database) == 0


async def test_a_clock_that_is_ahead_does_not_keep_a_start_running(
    intake: Intake, database: Database
) -> None:
    ahead = start(1) | {"time": (NOW + timedelta(hours=12)).isoformat()}
    await intake.record([ahead], ADMIN)
    async with database.connection() as connection:
        assert await connection.fetchval("select at from running_invocations") == NOW
