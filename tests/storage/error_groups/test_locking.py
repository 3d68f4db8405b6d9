"""Whatever changes errors locks them in one order, so that nobody waits for each other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from access.viewers import Role, Viewer
from ingest.errors.people import person_of
from ingest.intake import Intake
from ingest.lanes import Observer
from ingest.normaliser import TimeWindow
from storage.connections.database import Connection, Database
from storage.dictionaries import Dictionaries
from storage.error_groups.forgetting import forget
from storage.error_groups.locking import lock_errors
from storage.keeping.erasure import erase

NOW = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)
ADMIN = Viewer("admin", frozenset({Role.ADMIN}), frozenset())
USER = "customer-8812"


class Retries(Observer):
    """Notes why batches were written again."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def retried(self, reason: str) -> None:
        self.reasons.append(reason)


@asynccontextmanager
async def intake_of(database: Database, observer: Observer) -> AsyncIterator[Intake]:
    intake = Intake(database, Dictionaries(database), lambda: NOW, observer=observer)
    await intake.start()
    yield intake
    await intake.stop()


async def record(intake: Intake, *events: dict[str, Any]) -> None:
    base = {"project": "shop", "time": (NOW - timedelta(hours=1)).isoformat()}
    results = await intake.record([base | event for event in events], ADMIN, TimeWindow(None, None))
    assert {result.status for result in results} == {"accepted"}, results


def failure(id: str, **fields: Any) -> dict[str, Any]:
    return {"type": "error.occurred", "id": id, "message": f"{USER} has no cart"} | fields


async def lock_fingerprints(connection: Connection) -> None:
    await connection.execute("select from error_fingerprints order by fingerprint_id for update")


async def lock_all_errors(connection: Connection) -> None:
    keys = await connection.fetch("select project_id, error_id from errors")
    await lock_errors(connection, [(row["project_id"], row["error_id"]) for row in keys])


async def until_waiting(database: Database, number: int = 1) -> None:
    """Waits until so many transactions wait for a lock."""
    async with asyncio.timeout(10):
        while True:
            async with database.connection() as connection:
                if await connection.fetchval(_WAITING) >= number:
                    return
            await asyncio.sleep(0.01)


_WAITING = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'
"""


@pytest.mark.parametrize("task", ["forget", "erase"])
async def test_fingerprints_are_locked_before_errors(own_database: Database, task: str) -> None:
    async with intake_of(own_database, Observer()) as intake:
        await record(intake, failure("1", user=USER))
    async with own_database.transaction() as connection:
        await connection.execute("update errors set decided_by = $1", USER)
    project_id = (await Dictionaries(own_database).project_ids(["shop"]))["shop"]

    async def forgotten() -> None:
        async with own_database.transaction() as connection:
            await forget(connection, [project_id], NOW)

    async def erased() -> None:
        await erase(own_database, person_of(project_id, "shop", USER), None)

    async with own_database.transaction() as as_intake:
        await lock_fingerprints(as_intake)
        other = asyncio.create_task(forgotten() if task == "forget" else erased())
        await until_waiting(own_database)
        await lock_all_errors(as_intake)
    await other


async def test_releases_are_noted_before_anything_is_locked(own_database: Database) -> None:
    deployed = {"type": "deployment.succeeded", "deployment": "d1", "release": "new"}
    retries = Retries()
    async with AsyncExitStack() as stack:
        one, other = [
            await stack.enter_async_context(intake_of(own_database, retries)) for _ in range(2)
        ]
        await record(one, failure("1"), deployed | {"deployment": "d0", "release": "old"})
        async with own_database.transaction() as connection:
            await lock_all_errors(connection)
            # The one has the fingerprint, and waits for the error before it counts the release.
            first = asyncio.create_task(record(one, failure("2", release="new")))
            await until_waiting(own_database)
            second = asyncio.create_task(record(other, deployed, failure("3")))
            await until_waiting(own_database, 2)
        await asyncio.gather(first, second)
    assert not retries.reasons
