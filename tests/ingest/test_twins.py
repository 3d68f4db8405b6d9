"""Events with the same id and time but other content: reported, and folded in any order."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, permutations
from typing import Any
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Code, DeploymentEvent, EventStatus
from ingest.formats.reading import read_value
from ingest.identity import deployment_uuid
from ingest.intake import Intake
from ingest.normaliser import TimeWindow, normalise
from ingest.twins import content
from storage.connections.database import Database
from tests.ingest.conftest import ADMIN
from tests.ingest.oracle import expected
from tests.ingest.samples import briefly, event
from tests.ingest.strategies import deployment_events, with_twins
from tests.ingest.test_exactness import (
    CLOUDEVENTS,
    START,
    assert_recount_agrees,
    cdevent,
    matched,
    outcomes,
    parts,
    raw,
    some_examples,
    stored,
)

PROJECTS = count()
Key = tuple[datetime, UUID]


def chosen(events: Iterable[DeploymentEvent]) -> dict[Key, DeploymentEvent]:
    best: dict[Key, DeploymentEvent] = {}
    for each in sorted(events, key=content):
        best[each.occurred_at, each.event_id] = each
    return best


def in_project(drawn: DeploymentEvent, project: str) -> DeploymentEvent:
    """The event as it is read in a project."""
    return replace(
        drawn,
        project=project,
        deployment_id=deployment_uuid(project, drawn.deployment),
        external_id=str(drawn.event_id),
    )


async def history(database: Database, project: str) -> dict[Key, dict[str, Any]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select event.* from deployment_events as event join projects using (project_id)"
            " where slug = $1",
            project,
        )
    return {(row["occurred_at"], row["event_id"]): dict(row) for row in rows}


@given(with_twins(deployment_events(deployments=3, start=START)), st.randoms())
@some_examples
async def test_any_order_repetition_and_interleaving_of_twins_gives_the_same_states_and_totals(
    intakes: list[Intake],
    database: Database,
    drawn: list[DeploymentEvent],
    chance: random.Random,
) -> None:
    project = f"twins-{next(PROJECTS)}"
    events = [in_project(each, project) for each in drawn]
    counting = chosen(events)
    arrivals = [raw(each, project) for each in events + chance.choices(events, k=8)]
    chance.shuffle(arrivals)
    plan = [(chance.choice(intakes), part) for part in parts(arrivals, chance)]
    answers = await asyncio.gather(*(intake.record(part, ADMIN) for intake, part in plan))
    assert outcomes(answers).count(EventStatus.ACCEPTED) == len(counting)
    assert outcomes(answers).count(EventStatus.DUPLICATE) == len(arrivals) - len(counting)
    rows = await stored(database, project)
    assert rows.keys() == {each.deployment for each in counting.values()}
    for name, state in rows.items():
        wanted = expected(each for each in counting.values() if each.deployment == name)
        assert {column: state[column] for column in wanted} == wanted
    kept = await history(database, project)
    assert {key: (row["type"], row["deployment_id"]) for key, row in kept.items()} == {
        key: (each.type, each.deployment_id) for key, each in counting.items()
    }
    await assert_recount_agrees(database)
    again = await intakes[0].record([raw(each, project) for each in events], ADMIN)
    assert {result.status for result in again} == {EventStatus.DUPLICATE}
    assert [result.code is Code.CONTENT_DIFFERS for result in again] == [
        content(each) != content(counting[each.occurred_at, each.event_id]) for each in events
    ]


def read_service(value: dict[str, Any], project: str) -> DeploymentEvent:
    read = read_value(value)
    event = normalise(read, TimeWindow(None, None), project)
    assert isinstance(event, DeploymentEvent)
    return event


def service_event(value: dict[str, Any], project: str) -> DeploymentEvent:
    raw_event = read_value(value)
    read = normalise(raw_event, TimeWindow(None, None), project)
    assert isinstance(read, DeploymentEvent)
    return read


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.sampled_from(["deployed", "upgraded", "rolledback", "rolledback"]),
            st.sampled_from(["api", "web"]),
        ),
        min_size=1,
        max_size=25,
    ),
    st.randoms(),
)
@some_examples
async def test_twins_of_service_events_match_the_same_deployments_in_any_order(
    intakes: list[Intake],
    database: Database,
    drawn: list[tuple[int, str, str]],
    chance: random.Random,
) -> None:
    project = f"service-twins-{next(PROJECTS)}"
    # The number is the id, and two of them share each moment.
    events = [
        (number, START + timedelta(seconds=15 * (number // 2)), what, service)
        for number, what, service in drawn
    ]
    read = [service_event(cdevent(*each), project) for each in events]
    counting = chosen(read)
    sent = [events[read.index(best)] for best in counting.values()]
    arrivals = [cdevent(*each) for each in events + chance.choices(events, k=5)]
    chance.shuffle(arrivals)
    headers = CLOUDEVENTS | {"x-project": project}
    plan = [(chance.choice(intakes), orjson.dumps(part)) for part in parts(arrivals, chance)]
    answers = await asyncio.gather(*(intake.receive(body, headers, ADMIN) for intake, body in plan))
    assert outcomes(answers).count(EventStatus.ACCEPTED) == len(counting)
    rows = await stored(database, project)
    wanted = matched(sent, project)
    assert {name: row["rolled_back_at"] for name, row in rows.items()} == wanted
    await assert_recount_agrees(database)


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
        found.append(bare((await stored(database, "shop"))[name], name))
    assert found == [found[0]] * 6
    assert (found[0]["error"], found[0]["framework"]) == ("out of gas", None)
    await assert_recount_agrees(database)


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
    assert (await stored(database, "shop"))["d1"]["error"] == "out of gas"
    again = await intake.record(sent, ADMIN)
    assert [result.code for result in again] == [*[Code.CONTENT_DIFFERS] * 2, None]


async def test_a_deployment_of_which_no_event_is_left_is_gone(
    intake: Intake, database: Database
) -> None:
    left, _, _, right = twins("d1")
    await intake.record([left], ADMIN)
    assert (await stored(database, "shop")).keys() == {"d1"}
    await intake.record([right], ADMIN)
    assert (await stored(database, "shop")).keys() == {"d1-other"}
    await intake.record([left], ADMIN)
    assert (await stored(database, "shop")).keys() == {"d1-other"}
    async with database.connection() as connection:
        counted = "select sum(attempts) from deployment_project_day where cell = 0"
        assert await connection.fetchval(counted) == 1
    await assert_recount_agrees(database)


async def test_twins_that_come_at_the_same_moment_in_two_processes_leave_one(
    intakes: list[Intake], database: Database
) -> None:
    for number in range(20):
        left, _, _, right = twins(f"d{number}")
        answers = await asyncio.gather(
            intakes[0].record([left], ADMIN), intakes[1].record([right], ADMIN)
        )
        assert sorted(outcomes(answers)) == [EventStatus.ACCEPTED, EventStatus.DUPLICATE]
    assert (await stored(database, "shop")).keys() == {f"d{n}-other" for n in range(20)}
    await assert_recount_agrees(database)


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
