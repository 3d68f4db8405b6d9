"""Events with the same id and time but other content: reported, and folded in any order."""

import asyncio
from itertools import permutations
from typing import Any

from ingest.events import Code, EventStatus
from ingest.intake import Intake
from storage.connections.database import Database
from storage.facts.deployments import DEPLOYMENTS
from tests.ingest.arrivals import assert_recount_agrees, outcomes, states
from tests.ingest.conftest import ADMIN
from tests.ingest.samples import briefly, event


def twins(deployment: str, minutes_ago: float = 5) -> list[dict[str, Any]]:
    """Four contents of one id and time."""
    first = event("started", minutes_ago, id=f"e-{deployment}", deployment=deployment)
    return [
        first,
        first | {"type": "succeeded", "durationMs": 7, "framework": "hardhat"},
        first | {"type": "failed", "error": "out of gas", "attributes": {"commit": "a"}},
        first | {"type": "failed", "error": "out of time", "deployment": f"{deployment}-other"},
    ]


def bare(row: dict[str, Any], deployment: str) -> dict[str, Any]:
    """What must be the same of two deployments whatever they are called."""
    called = {"deployment_id", "state_event_id", "finish_event_id", "series_id", "revision"}
    kept = {name: value for name, value in row.items() if name not in called}
    kept["external_id"] = kept["external_id"].replace(deployment, "d")
    kept["attribute_keys"] = len(kept["attribute_keys"])
    return kept


async def test_every_order_gives_the_same_deployment(intake: Intake, database: Database) -> None:
    moment = event("queued")["time"]
    found = []
    for order in permutations(range(3)):
        name = "d" + "".join(map(str, order))
        sent = [twins(name)[place] | {"time": moment} for place in order]
        results = [result for each in sent for result in await intake.record([each], ADMIN)]
        assert briefly(results) == [
            (EventStatus.ACCEPTED, None),
            *[(EventStatus.DUPLICATE, Code.CONTENT_DIFFERS)] * 2,
        ]
        found.append(bare((await states(database, DEPLOYMENTS, "shop"))[name], name))
    assert found == [found[0]] * 6
    assert (found[0]["error"], found[0]["framework"]) == ("out of gas", None)
    await assert_recount_agrees(database, DEPLOYMENTS)


async def test_a_batch_of_twins_has_the_results_of_single_twins(
    intake: Intake, database: Database
) -> None:
    sent = twins("d1")[:3]
    results = await intake.record([*sent, *sent], ADMIN)
    assert briefly(results) == [
        (EventStatus.ACCEPTED, None),
        *[(EventStatus.DUPLICATE, Code.CONTENT_DIFFERS)] * 2,
        (EventStatus.DUPLICATE, None),
        *[(EventStatus.DUPLICATE, Code.CONTENT_DIFFERS)] * 2,
    ]
    assert (await states(database, DEPLOYMENTS, "shop"))["d1"]["error"] == "out of gas"
    again = await intake.record(sent, ADMIN)
    assert [result.code for result in again] == [*[Code.CONTENT_DIFFERS] * 2, None]


async def test_a_deployment_of_which_no_event_is_left_is_gone(
    intake: Intake, database: Database
) -> None:
    left, _, _, right = twins("d1")
    await intake.record([left], ADMIN)
    assert (await states(database, DEPLOYMENTS, "shop")).keys() == {"d1"}
    await intake.record([right], ADMIN)
    assert (await states(database, DEPLOYMENTS, "shop")).keys() == {"d1-other"}
    await intake.record([left], ADMIN)
    assert (await states(database, DEPLOYMENTS, "shop")).keys() == {"d1-other"}
    async with database.connection() as connection:
        counted = "select sum(attempts) from deployment_project_day where cell = 0"
        assert await connection.fetchval(counted) == 1
    await assert_recount_agrees(database, DEPLOYMENTS)


async def test_twins_that_come_at_the_same_moment_in_two_processes_leave_one(
    intakes: list[Intake], database: Database
) -> None:
    for number in range(20):
        left, _, _, right = twins(f"d{number}")
        answers = await asyncio.gather(
            intakes[0].record([left], ADMIN), intakes[1].record([right], ADMIN)
        )
        assert sorted(outcomes([*answers[0], *answers[1]])) == [
            EventStatus.ACCEPTED,
            EventStatus.DUPLICATE,
        ]
    assert (await states(database, DEPLOYMENTS, "shop")).keys() == {
        f"d{n}-other" for n in range(20)
    }
    await assert_recount_agrees(database, DEPLOYMENTS)


ODD = {"a": 1.0, "b": -0.0, "c": 1e22, "d": 1.5e-7, "e": 2**64 - 1, "f": [1e300, True, None]}


async def test_a_repeat_is_no_twin_whatever_the_database_makes_of_its_numbers(
    intake: Intake,
) -> None:
    sent = event("queued", id="odd", attributes=ODD, error="half a \ud800 character")
    first, again = [*await intake.record([sent], ADMIN), *await intake.record([sent], ADMIN)]
    assert briefly([first, again]) == [(EventStatus.ACCEPTED, None), (EventStatus.DUPLICATE, None)]
    other = sent | {"attributes": ODD | {"d": 1.6e-7}}
    (differs,) = await intake.record([other], ADMIN)
    assert differs.code is Code.CONTENT_DIFFERS
    assert differs.message is not None
