"""Beside the rows of errors stands what a plain count of the events gives, in any order."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from ingest.events import EventStatus
from ingest.intake import Intake
from storage.connections.database import Database
from storage.error_groups.bodies import FIRST
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from tests.ingest.arrivals import START, assert_recount_agrees, outcomes, record_all, some_examples
from tests.ingest.conftest import ADMIN
from tests.ingest.errors.kept import (
    Decision,
    Event,
    Stored,
    buckets_of,
    error_of,
    facets_of,
    ignored,
    position,
    releases_of,
    resolved,
    time_of,
)
from tests.ingest.strategies import shuffled

PROJECTS, EVENTS = count(), count()
chances = st.randoms(use_true_random=False)
DECIDED_AT = START + timedelta(seconds=90)
DECISIONS = (None, resolved(DECIDED_AT), resolved(DECIDED_AT, "2"), ignored(DECIDED_AT, 4))

DECIDE = """
update errors set status = $2, decision = $2, decided_at = $3, resolved_in = $4, ignored_count = $5
where first_event_id = $1
"""


def made_up(chance: random.Random, project: str, group: int, at: datetime) -> Event:
    """An event whose group is clear: it names it."""
    event = {
        "id": str(uuid5(NAMESPACE_OID, f"{project} {next(EVENTS)}")),
        "type": "error.occurred",
        "time": at.isoformat(),
        "project": project,
        "fingerprint": [f"group {group}"],
        "errorType": chance.choice(["ValueError", "KeyError"]),
        "message": chance.choice(["no cart", "no such item"]),
        "culprit": chance.choice(["/cart", "/items"]),
        "severity": chance.choice(["low", "warning", "error", "fatal"]),
    }
    optional = {
        "release": ["1", "2", "3"],
        "function": ["checkout", "pay"],
        "user": [f"user-{number}" for number in range(6)],
        "environment": ["production", "staging"],
        "network": ["metis", "hyperion"],
    }
    return event | {
        name: chance.choice(values) for name, values in optional.items() if chance.random() < 0.7
    }


def some_group(chance: random.Random, project: str, group: int) -> list[Event]:
    """Events of one error, within four minutes around midnight."""
    return [
        made_up(chance, project, group, START + timedelta(seconds=20 * chance.randint(0, 12)))
        for _ in range(chance.randint(1, 3 * FIRST))
    ]


async def decide(database: Database, event: Event, decision: Decision) -> None:
    """Stores a decision about the error of an event that has come."""
    async with database.connection() as connection:
        await connection.execute(DECIDE, UUID(event["id"]), *decision)


@given(chances)
@some_examples
async def test_everything_beside_the_rows_equals_a_plain_count(
    intakes: list[Intake], database: Database, chance: random.Random
) -> None:
    project = f"kept-{next(PROJECTS)}"
    groups = [some_group(chance, project, group) for group in range(4)]
    decisions: list[Decision | None] = []
    for group in groups:
        first = min(group, key=position)
        await intakes[0].record([first], ADMIN)
        decision = chance.choice(DECISIONS) if time_of(first) <= DECIDED_AT else None
        if decision is not None:
            await decide(database, first, decision)
        decisions.append(decision)
    events = [event for group in groups for event in group]
    results = await record_all(intakes, shuffled(chance, events, repeats=30), chance)
    assert outcomes(results).count(EventStatus.ACCEPTED) == len(events) - len(groups)
    stored = Stored(database, project)
    ids = await fingerprint_ids(stored, groups)
    for id_, group, decision in zip(ids, groups, decisions, strict=True):
        await assert_counted(stored, id_, group)
        await assert_described(stored, id_, group, decision)
        await assert_bodies_kept(stored, id_, group)
    assert await stored.releases() == releases_of(events)
    await assert_recount_agrees(database, ERROR_OCCURRENCES)


async def fingerprint_ids(stored: Stored, groups: Sequence[Sequence[Event]]) -> list[UUID]:
    """The fingerprint of each group; there must be one for each, with just its rows."""
    by_rows = {frozenset(rows): id_ for id_, rows in (await stored.fingerprints()).items()}
    ids = [by_rows.pop(frozenset(UUID(event["id"]) for event in group)) for group in groups]
    assert not by_rows
    return ids


async def assert_counted(stored: Stored, id_: UUID, group: list[Event]) -> None:
    times = [time_of(event) for event in group]
    assert (await stored.sums())[id_] == (len(group), min(times), max(times))
    hour: dict[str, Any] = {"minute": 0, "second": 0, "microsecond": 0}
    assert await stored.buckets("error_hours", id_) == buckets_of(group, **hour)
    assert await stored.buckets("error_days", id_) == buckets_of(group, hour=0, **hour)
    assert await stored.facets(id_) == facets_of(group)


async def assert_described(
    stored: Stored, id_: UUID, group: list[Event], decision: Decision | None
) -> None:
    wanted = error_of(group, decision)
    row = (await stored.errors())[id_]
    assert {name: row[name] for name in wanted} == wanted


async def assert_bodies_kept(stored: Stored, id_: UUID, group: list[Event]) -> None:
    """The first that came have bodies, and so has the last in time."""
    bodies = (await stored.bodies())[id_]
    kept = {body["event_id"] for body in bodies}
    assert len(kept) == len(bodies) >= min(FIRST, len(group))
    assert UUID(max(group, key=position)["id"]) in kept
    assert kept <= {UUID(event["id"]) for event in group}
    assert sum(body["kept"] for body in bodies) <= 1
