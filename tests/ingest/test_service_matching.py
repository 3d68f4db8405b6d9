"""Rollbacks of services match the same deployments, whatever the order, repeats and writers."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Event, EventStatus
from ingest.formats.reading import read_value
from ingest.identity import event_uuid
from ingest.intake import Intake
from ingest.normaliser import TimeWindow, normalise
from ingest.twins import content
from storage.connections.database import Database
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.lifecycle import Status
from tests.ingest.arrivals import START, assert_recount_agrees, parts, some_examples, states
from tests.ingest.conftest import ADMIN

PROJECTS = count()
CLOUDEVENTS = {"content-type": "application/cloudevents-batch+json"}
# Number, time, predicate and service.
ServiceEvent = tuple[int, datetime, str, str]


def cdevent(number: int, at: datetime, predicate: str, service: str) -> dict[str, Any]:
    kind = f"dev.cdevents.service.{predicate}.0.3.0"
    context = {"id": f"e{number}", "source": "/ci", "type": kind, "timestamp": at.isoformat()}
    subject = {"id": service, "content": {"environment": {"id": "production"}}}
    outer = {"specversion": "1.0", "id": f"e{number}", "source": "/ci", "type": kind}
    return outer | {"data": {"context": context, "subject": subject}}


def matched(events: Sequence[ServiceEvent], project: str) -> dict[str, datetime | None]:
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


async def send(
    intakes: list[Intake], events: Sequence[ServiceEvent], project: str, chance: random.Random
) -> int:
    """Sends the events in any order, some of them again; returns how many were accepted."""
    arrivals = [cdevent(*event) for event in [*events, *chance.choices(events, k=5)]]
    chance.shuffle(arrivals)
    headers = CLOUDEVENTS | {"x-project": project}
    plan = [(chance.choice(intakes), orjson.dumps(part)) for part in parts(arrivals, chance)]
    answers = await asyncio.gather(*(intake.receive(body, headers, ADMIN) for intake, body in plan))
    found = [result.status for answer in answers for result in answer]
    return found.count(EventStatus.ACCEPTED)


async def assert_matched(
    database: Database, project: str, wanted: dict[str, datetime | None]
) -> None:
    rows = await states(database, DEPLOYMENTS, project)
    assert rows.keys() == wanted.keys()
    for name, row in rows.items():
        status = Status.SUCCEEDED if wanted[name] is None else Status.ROLLED_BACK
        assert (row["status"], row["finish_status"]) == (status, Status.SUCCEEDED)
        assert wanted[name] in (None, row["state_at"])
    await assert_recount_agrees(database, DEPLOYMENTS)


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
    assert await send(intakes, events, project, chance) == len(events)
    await assert_matched(database, project, matched(events, project))


def chosen(events: Sequence[Event]) -> dict[tuple[datetime, UUID], Event]:
    best: dict[tuple[datetime, UUID], Event] = {}
    for each in sorted(events, key=content):
        best[each.occurred_at, each.event_id] = each
    return best


def service_event(value: dict[str, Any], project: str) -> Event:
    raw_event = read_value(value)
    read = normalise(raw_event, TimeWindow(None, None), project)
    assert isinstance(read, Event)
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
    assert await send(intakes, events, project, chance) == len(counting)
    await assert_matched(database, project, matched(sent, project))
