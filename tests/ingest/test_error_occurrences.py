"""Events of errors become rows, errors and counts, whatever the order and the repeats."""

import asyncio
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

import pytest

from ingest.errors import composing, grouping, preparation
from ingest.errors.grouping import Grouping
from ingest.events import Event, EventStatus
from ingest.intake import LARGE_BYTES, Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries, upsert_network
from storage.errors import Unavailable
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.keeping.windows import Retention
from storage.reassignment import reassign_pending
from tests.ingest.conftest import ADMIN, now


def event(minutes_ago: float = 5, **fields: Any) -> dict[str, Any]:
    base = {
        "type": "error.occurred",
        "id": str(uuid4()),
        "time": (now() - timedelta(minutes=minutes_ago)).isoformat(),
        "project": "shop",
        "errorType": "ValueError",
        "message": "no such cart",
        "release": "1.0.0",
        "environment": "production",
    }
    return base | fields


async def all_of(database: Database, table: str) -> list[dict[str, Any]]:
    async with database.connection() as connection:
        rows = await connection.fetch(f"select * from {table}")
    return [dict(row) for row in rows]


async def test_an_occurrence_makes_an_error(intake: Intake, database: Database) -> None:
    sent = event(user="u1", function="checkout")
    (result,) = await intake.record([sent], ADMIN)
    assert result.status is EventStatus.ACCEPTED
    (error,) = await all_of(database, "errors")
    assert error["title"] == "ValueError: no such cart"
    assert (error["occurrences"], error["user_count"], error["severity"]) == (1, 1, 2)
    assert error["first_release"] == error["last_release"] == "1.0.0"
    (body,) = await all_of(database, "error_bodies")
    assert body["event_id"] == UUID(sent["id"])
    assert [row["occurrences"] for row in await all_of(database, "error_hours")] == [1]
    facets = {(row["facet"], row["value"]) for row in await all_of(database, "error_facets")}
    assert facets == {(1, "1.0.0"), (2, "checkout")}


async def test_repeats_count_once(intake: Intake, database: Database) -> None:
    sent = [event(minutes_ago=number, user=f"u{number % 3}") for number in range(10)]
    await intake.record(sent, ADMIN)
    again = await intake.record(sent[::-1] + sent, ADMIN)
    assert {result.status for result in again} == {EventStatus.DUPLICATE}
    (error,) = await all_of(database, "errors")
    assert (error["occurrences"], error["user_count"]) == (10, 3)


async def test_a_failed_deployment_is_an_occurrence(intake: Intake, database: Database) -> None:
    failed = {
        "type": "deployment.failed",
        "time": now().isoformat(),
        "project": "shop",
        "deployment": "d1",
        "network": "metis",
        "error": "the contract does not fit",
    }
    await intake.record([failed], ADMIN)
    await intake.record([failed], ADMIN)
    (row,) = await all_of(database, "error_occurrences")
    (deployment,) = await all_of(database, "deployments")
    assert row["deployment_id"] == deployment["deployment_id"]
    assert row["network"] == "metis"


async def test_an_occurrence_is_tied_to_the_deployment_of_its_release(
    intake: Intake, database: Database
) -> None:
    deployed = {
        "type": "deployment.succeeded",
        "time": (now() - timedelta(minutes=10)).isoformat(),
        "project": "shop",
        "deployment": "d1",
        "environment": "production",
        "release": "1.0.0",
        "network": "hyperion",
    }
    await intake.record([deployed], ADMIN)
    await intake.record([event()], ADMIN)
    (row,) = await all_of(database, "error_occurrences")
    (deployment,) = await all_of(database, "deployments")
    assert (row["deployment_id"], row["network"]) == (deployment["deployment_id"], "hyperion")


async def test_counts_move_with_their_rows_when_a_network_is_provisioned(
    intake: Intake, database: Database
) -> None:
    await intake.record([event(minutes_ago=n, network="aurora") for n in range(3)], ADMIN)
    async with database.transaction() as connection:
        await upsert_network(connection, "aurora")
    moved = await reassign_pending(database, now(), Retention().floors(now()))
    assert moved == 3
    (series_id,) = {row["series_id"] for row in await all_of(database, "error_occurrences")}
    for table in ("error_hours", "error_days"):
        counts = await all_of(database, table)
        by_series = {row["series_id"]: row["occurrences"] for row in counts if row["occurrences"]}
        assert by_series.keys() == {series_id}
        assert sum(row["occurrences"] for row in counts) == 3


async def test_release_and_environment_may_stand_in_the_payload_alone(
    intake: Intake, database: Database
) -> None:
    payload = {"message": "out of paper", "release": "print@2.0", "environment": "office"}
    sent = event(release=None, environment=None, errorType=None, message=None, payload=payload)
    await intake.record([sent], ADMIN)
    (row,) = await all_of(database, "error_occurrences")
    assert row["release"] == "print@2.0"
    assert [each["name"] for each in await all_of(database, "environments")][-1] == "office"


async def test_errors_are_ignored_where_they_are_not_tracked(
    database: Database, dictionaries: Dictionaries
) -> None:
    untracked = Intake(database, dictionaries, now, unrecorded_facts=(ERROR_OCCURRENCES,))
    await untracked.start()
    failed = {"type": "deployment.failed", "deployment": "d1", "error": "it does not fit"}
    told = failed | {"time": now().isoformat(), "project": "shop"}
    results = await untracked.record([event(), told], ADMIN)
    await untracked.stop()
    assert [result.status for result in results] == [EventStatus.IGNORED, EventStatus.ACCEPTED]
    assert not await all_of(database, "error_occurrences")


async def test_a_failure_from_before_the_window_of_errors_has_none(
    intake: Intake, database: Database
) -> None:
    failed = {"type": "deployment.failed", "deployment": "d1", "error": "it does not fit"}
    at = {"time": (now() - timedelta(days=40)).isoformat(), "project": "shop"}
    (result,) = await intake.record([failed | at], ADMIN)
    assert result.status is EventStatus.ACCEPTED
    assert not await all_of(database, "error_occurrences")


async def test_more_errors_than_series_are_counted_exactly(
    intake: Intake, database: Database
) -> None:
    types = ERROR_OCCURRENCES.series_at_most + 50
    sent = [event(errorType=f"Failure{number // 2}X") for number in range(2 * types)]
    for start in range(0, len(sent), 1_000):
        await intake.record(sent[start : start + 1_000], ADMIN)
    errors = await all_of(database, "errors")
    assert [error["occurrences"] for error in errors] == [2] * types
    days = await all_of(database, "error_days")
    assert sum(day["occurrences"] for day in days) == len(sent)


async def test_an_event_that_cannot_be_prepared_costs_no_other(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def group(body: dict[str, Any]) -> Grouping:
        if body["exception"]["values"][0]["type"] == "Broken":
            raise RuntimeError
        return grouping.group(body)

    monkeypatch.setattr(preparation, "group", group)
    results = await intake.record([event(errorType="Broken"), event()], ADMIN)
    assert [result.status for result in results] == [EventStatus.REJECTED, EventStatus.ACCEPTED]
    assert [row["occurrences"] for row in await all_of(database, "errors")] == [1]


async def test_of_large_requests_one_is_read_at_a_time(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, begun = list[str](), asyncio.Event()

    def body_of(given: Event) -> dict[str, Any]:
        prepared.append(given.project)
        begun.set()
        return composing.body_of(given)

    monkeypatch.setattr(preparation, "body_of", body_of)
    sent = {project: [event(project=project) for _ in range(30)] for project in ("a", "b")}
    size_bytes = LARGE_BYTES + 1
    large = [
        asyncio.create_task(intake.record(events, ADMIN, size_bytes=size_bytes))
        for events in sent.values()
    ]
    await begun.wait()
    await intake.record([event(project="small")], ADMIN)
    await asyncio.gather(*large)
    order = [project for project, _ in groupby(each for each in prepared if each != "small")]
    assert len(order) == 2  # first all of one, then all of the other
    assert prepared.index("small") < len(prepared) - 30


async def test_a_request_that_takes_too_long_to_read_is_refused(
    intake: Intake, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.intake.READ_SECONDS", 0.0)
    with pytest.raises(Unavailable, match="could not be read in time"):
        await intake.record([event()], ADMIN)
    monkeypatch.undo()
    assert not await all_of(database, "error_occurrences")
    (result,) = await intake.record([event()], ADMIN)
    assert result.status is EventStatus.ACCEPTED
