"""Whatever the order, the repeats and the writers: states and roll-ups equal a recount."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.events import DeploymentEvent, EventStatus, Result
from ingest.identity import event_uuid
from ingest.intake import Intake
from storage.connections.database import Database
from storage.facts.deployments import DEPLOYMENTS, Status
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import recount_day
from tests.ingest.conftest import ADMIN, now
from tests.ingest.oracle import expected
from tests.ingest.strategies import deployment_events

# Two minutes to the last midnight in UTC: the events fall on either side of it.
START = now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(minutes=2)
PROJECTS = count()
CLOUDEVENTS = {"content-type": "application/cloudevents-batch+json"}

some_examples = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def raw(event: DeploymentEvent, project: str) -> dict[str, Any]:
    return {
        "id": str(event.event_id),
        "type": f"deployment.{event.type.name.lower()}",
        "time": event.occurred_at.isoformat(),
        "project": project,
        "deployment": event.deployment,
        "environment": event.environment,
        "network": event.network,
        "template": event.template,
        "framework": event.framework,
        "durationMs": None if event.duration_us is None else event.duration_us / 1000,
        "actor": event.actor,
        "error": event.error,
        "attributes": event.attributes,
    }


async def stored(database: Database, project: str) -> dict[str, dict[str, Any]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select deployments.* from deployments join projects using (project_id)"
            " where slug = $1",
            project,
        )
    return {row["external_id"]: dict(row) for row in rows}


async def assert_recount_agrees(database: Database) -> None:
    floors = DEFAULT.floors(now())
    async with database.connection() as connection:
        for day in {START.date(), now().date()}:
            assert await recount_day(connection, DEPLOYMENTS, day, floors) == []


def parts(items: Sequence[Any], chance: random.Random) -> list[Sequence[Any]]:
    """Cut a list into requests of one to seven events."""
    cut, start = [], 0
    while start < len(items):
        size = chance.randint(1, 7)
        cut.append(items[start : start + size])
        start += size
    return cut


def outcomes(answers: Iterable[list[Result]]) -> list[EventStatus]:
    return [result.status for answer in answers for result in answer]


@given(
    st.lists(
        deployment_events(deployments=4, start=START),
        min_size=1,
        max_size=40,
        unique_by=lambda event: event.event_id,
    ),
    st.randoms(use_true_random=False),
)
@some_examples
async def test_any_order_repetition_and_interleaving_gives_the_same_states_and_totals(
    intakes: list[Intake],
    database: Database,
    events: list[DeploymentEvent],
    chance: random.Random,
) -> None:
    project = f"exact-{next(PROJECTS)}"
    arrivals = [raw(event, project) for event in events + chance.choices(events, k=10)]
    chance.shuffle(arrivals)
    plan = [(chance.choice(intakes), part) for part in parts(arrivals, chance)]
    answers = await asyncio.gather(*(intake.record(part, ADMIN) for intake, part in plan))
    assert outcomes(answers).count(EventStatus.ACCEPTED) == len(events)
    assert outcomes(answers).count(EventStatus.DUPLICATE) == 10
    rows = await stored(database, project)
    assert rows.keys() == {event.deployment for event in events}
    for name, state in rows.items():
        wanted = expected(event for event in events if event.deployment == name)
        assert {column: state[column] for column in wanted} == wanted
    await assert_recount_agrees(database)


def cdevent(number: int, at: datetime, predicate: str, service: str) -> dict[str, Any]:
    kind = f"dev.cdevents.service.{predicate}.0.3.0"
    context = {"id": f"e{number}", "source": "/ci", "type": kind, "timestamp": at.isoformat()}
    subject = {"id": service, "content": {"environment": {"id": "production"}}}
    outer = {"specversion": "1.0", "id": f"e{number}", "source": "/ci", "type": kind}
    return outer | {"data": {"context": context, "subject": subject}}


def matched(
    events: list[tuple[int, datetime, str, str]], project: str
) -> dict[str, datetime | None]:
    """For each deployment of a service, when its latest rollback was, by looking at all of them."""
    keyed = sorted((at, event_uuid(project, "/ci", f"e{n}"), what, s) for n, at, what, s in events)
    answer: dict[str, datetime | None] = {}
    current: dict[str, str] = {}
    for at, event_id, what, service in keyed:
        if what == "rolledback":
            if service in current:
                answer[current[service]] = at
        else:
            current[service] = f"production/{service}/{event_id}"
            answer[current[service]] = None
    return answer


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20),
            st.sampled_from(["deployed", "upgraded", "rolledback", "rolledback"]),
            st.sampled_from(["api", "web"]),
        ),
        min_size=1,
        max_size=25,
    ),
    st.randoms(use_true_random=False),
)
@some_examples
async def test_rollbacks_of_services_match_the_same_deployments_in_any_order(
    intakes: list[Intake],
    database: Database,
    drawn: list[tuple[int, str, str]],
    chance: random.Random,
) -> None:
    project = f"services-{next(PROJECTS)}"
    events = [
        (number, START + timedelta(seconds=15 * slot), what, service)
        for number, (slot, what, service) in enumerate(drawn)
    ]
    arrivals = [cdevent(*event) for event in events + chance.choices(events, k=5)]
    chance.shuffle(arrivals)
    headers = CLOUDEVENTS | {"x-project": project}
    plan = [(chance.choice(intakes), orjson.dumps(part)) for part in parts(arrivals, chance)]
    answers = await asyncio.gather(*(intake.receive(body, headers, ADMIN) for intake, body in plan))
    assert outcomes(answers).count(EventStatus.ACCEPTED) == len(events)
    rows = await stored(database, project)
    wanted = matched(events, project)
    assert {name: row["rolled_back_at"] for name, row in rows.items()} == wanted
    for row in rows.values():
        rolled_back = row["rolled_back_at"] is not None
        assert row["status"] == (Status.ROLLED_BACK if rolled_back else Status.SUCCEEDED)
        assert row["finish_status"] == Status.SUCCEEDED
    await assert_recount_agrees(database)
