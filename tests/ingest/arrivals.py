"""How events arrive in tests, and what is stored of them."""

import asyncio
import json
import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings

from ingest.events import EventStatus, Result
from ingest.intake import Intake
from ingest.wire.archiving import archive_lines
from storage.connections.database import Database
from storage.facts.fact import Entity, Fact
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import recount_day
from tests.ingest.conftest import ADMIN, now

# Two minutes to the last midnight in UTC: the events fall on either side of it.
START = now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(minutes=2)

some_examples = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def parts(items: Sequence[Any], chance: random.Random) -> list[Sequence[Any]]:
    """Cut a list into requests of one to seven events."""
    cut, start = [], 0
    while start < len(items):
        size = chance.randint(1, 7)
        cut.append(items[start : start + size])
        start += size
    return cut


async def record_all(
    intakes: Sequence[Intake], arrivals: Sequence[dict[str, Any]], chance: random.Random
) -> list[Result]:
    """Records events in requests to several intakes at once; returns the result of each event."""
    plan = [(chance.choice(intakes), part) for part in parts(arrivals, chance)]
    answers = await asyncio.gather(*(intake.record(part, ADMIN) for intake, part in plan))
    return [result for answer in answers for result in answer]


def outcomes(results: Iterable[Result]) -> list[EventStatus]:
    return [result.status for result in results]


async def states(database: Database, entity: Entity, project: str) -> dict[str, dict[str, Any]]:
    """The rows of a project's entities, by external id."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            f"select entity.* from {entity.table.name} as entity join projects using (project_id)"
            " where slug = $1",
            project,
        )
    return {row["external_id"]: dict(row) for row in rows}


async def archived(database: Database, fact: Fact, project: str) -> list[dict[str, Any]]:
    """The stored events of a project, as they would be archived."""
    lines = archive_lines(fact).format(table=fact.events.name)
    async with database.connection() as connection:
        events = [json.loads(row["line"]) for row in await connection.fetch(lines)]
    return [event for event in events if event["project"] == project]


async def assert_recount_agrees(database: Database, *facts: Fact) -> None:
    """Raises AssertionError if a roll-up is not the sum over the facts."""
    floors = DEFAULT.floors(now())
    async with database.connection() as connection:
        for fact in facts:
            for day in {START.date(), now().date()}:
                assert await recount_day(connection, fact, day, floors) == []
