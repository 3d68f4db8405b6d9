"""Rollbacks of services find their deployment, and find another when one turns up late."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from ingest.events import EventStatus
from ingest.intake import Intake
from storage.connections.database import Database
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.lifecycle import Status
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import recount_day
from tests.ingest.conftest import ADMIN, now
from tests.ingest.samples import briefly, moment

HEADERS = {"content-type": "application/json", "x-project": "shop"}


def cdevent(event_id: str, predicate: str, minutes_ago: float, **where: str) -> dict[str, Any]:
    context = {
        "id": event_id,
        "source": "/argo",
        "type": f"dev.cdevents.service.{predicate}.0.3.0",
        "timestamp": moment(minutes_ago),
    }
    environment = {"id": where.get("environment", "production")}
    subject = {"id": where.get("service", "api"), "content": {"environment": environment}}
    return {"context": context, "subject": subject}


async def send(intake: Intake, *events: dict[str, Any]) -> list[EventStatus]:
    results = await intake.receive(orjson.dumps(list(events)), HEADERS, ADMIN)
    return [status for status, _ in briefly(results)]


async def states(database: Database) -> list[tuple[str, Status, datetime | None]]:
    """Service deployments, oldest first: environment, status and time of rollback."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select environment, status, case when status = $1 then state_at end"
            " from deployments order by created_at",
            Status.ROLLED_BACK,
        )
        differences = await recount_day(
            connection, DEPLOYMENTS, now().date(), DEFAULT.floors(now())
        )
    assert differences == []
    return [(row[0], Status(row[1]), row[2]) for row in rows]


async def history(database: Database) -> dict[str, UUID]:
    """By which deployment each stored rollback is listed."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select external_id, deployment_id from deployment_events where type = 6"
        )
    return {row[0]: row[1] for row in rows}


def statuses(found: list[tuple[str, Status, datetime | None]]) -> list[Status]:
    return [status for _, status, _ in found]


async def test_a_rollback_undoes_the_latest_earlier_deployment(
    intake: Intake, database: Database
) -> None:
    batch = [
        cdevent("d1", "deployed", 30),
        cdevent("d2", "upgraded", 20),
        cdevent("r1", "rolledback", 10),
        cdevent("d3", "deployed", 5),
    ]
    assert await send(intake, *batch) == [EventStatus.ACCEPTED] * 4
    assert statuses(await states(database)) == [
        Status.SUCCEEDED,
        Status.ROLLED_BACK,
        Status.SUCCEEDED,
    ]


async def test_a_late_deployment_takes_the_rollback_over(
    intake: Intake, database: Database
) -> None:
    await send(intake, cdevent("d1", "deployed", 30), cdevent("r1", "rolledback", 10))
    assert statuses(await states(database)) == [Status.ROLLED_BACK]
    before = await history(database)
    await send(intake, cdevent("d2", "deployed", 20))
    assert statuses(await states(database)) == [Status.SUCCEEDED, Status.ROLLED_BACK]
    assert (await history(database))["r1"] != before["r1"]
    assert (await states(database))[0][2] is None


async def test_a_rollback_waits_for_its_deployment(intake: Intake, database: Database) -> None:
    assert await send(intake, cdevent("r1", "rolledback", 10)) == [EventStatus.ACCEPTED]
    assert await states(database) == []
    await send(intake, cdevent("d1", "deployed", 30))
    assert statuses(await states(database)) == [Status.ROLLED_BACK]


async def test_environments_and_services_are_apart(intake: Intake, database: Database) -> None:
    await send(
        intake,
        cdevent("d1", "deployed", 30, environment="staging"),
        cdevent("d2", "deployed", 29),
        cdevent("d3", "deployed", 28, service="web"),
        cdevent("r1", "rolledback", 10),
    )
    assert [found[:2] for found in await states(database)] == [
        ("staging", Status.SUCCEEDED),
        ("production", Status.ROLLED_BACK),
        ("production", Status.SUCCEEDED),
    ]


async def test_a_rollback_with_a_name_stays_when_a_matched_one_moves_on(
    intake: Intake, database: Database
) -> None:
    await send(intake, cdevent("d1", "deployed", 30), cdevent("r1", "rolledback", 10))
    deployment = str((await history(database))["r1"])
    rollback = {"type": "rolled_back", "time": moment(15), "deployment": deployment, "actor": "ada"}
    await send(intake, rollback)
    await send(intake, cdevent("d2", "deployed", 20))
    (first, second) = await states(database)
    assert (first[1], second[1]) == (Status.ROLLED_BACK, Status.ROLLED_BACK)
    assert first[2] == datetime.fromisoformat(rollback["time"])


async def test_a_redelivery_changes_nothing(intake: Intake, database: Database) -> None:
    batch = [cdevent("d1", "deployed", 30), cdevent("r1", "rolledback", 10)]
    await send(intake, *batch)
    before = await states(database)
    assert await send(intake, *batch) == [EventStatus.DUPLICATE, EventStatus.DUPLICATE]
    assert await states(database) == before
