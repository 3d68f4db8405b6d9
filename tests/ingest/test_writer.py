"""One batch is one transaction: everything in it is stored and counted, or nothing."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from ingest.events import Code, EventStatus, ProjectEvent, Written
from ingest.intake import Intake
from ingest.lanes import Lane, Observer
from ingest.normaliser import TimeWindow
from ingest.wire import WIRES
from ingest.wire.wire import Wire
from ingest.writer import Writer
from storage.connections.database import Database
from storage.dictionaries import Dictionaries, TemplateFields, upsert_template
from storage.errors import Unavailable
from storage.facts.deployments import DEPLOYMENTS
from storage.keeping.partitions import drop, listing
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import recount_day
from tests.ingest.conftest import ADMIN, now
from tests.ingest.samples import briefly, event, row
from tests.ingest.strategies import made_up_event, read


@pytest.fixture
async def project_id(database: Database, dictionaries: Dictionaries) -> int:
    async with database.transaction() as connection:
        return (await dictionaries.create_projects(connection, ["shop"]))["shop"]


@pytest.fixture
def writer(database: Database, dictionaries: Dictionaries) -> Writer:
    return Writer(database, dictionaries, DEFAULT, now)


def entry(project_id: int, kind: str, minutes_ago: float = 5, **fields: Any) -> ProjectEvent:
    return ProjectEvent(project_id, read(event(kind, minutes_ago, **fields)))


async def counts(database: Database) -> tuple[int, int, int, int]:
    """Events, deployments, attempts counted, changes fed."""
    async with database.connection() as connection:
        return tuple(
            await connection.fetchrow(
                "select (select count(*) from deployment_events),"
                " (select count(*) from deployments),"
                " (select coalesce(sum(attempts), 0) from deployment_project_day where cell = 0),"
                " (select count(*) from changes)"
            )
        )


async def test_an_attempt_is_stored_with_all_its_fields(
    writer: Writer, database: Database, project_id: int
) -> None:
    batch = [
        entry(project_id, "queued", 9, template="erc20", actor="ada", attributes={"commit": "a1"}),
        entry(project_id, "started", 8, environment="production"),
        entry(project_id, "failed", 7, error="out of gas", durationMs=1500),
    ]
    assert await writer.write(batch, 3) == [Written.NEW] * 3
    stored = await row(database)
    assert stored["created_at"] == batch[0].event.occurred_at
    assert stored["finished_at"] == batch[2].event.occurred_at
    kept = ("network", "template", "environment", "actor", "error", "duration_us", "attributes")
    assert [stored[name] for name in kept] == [
        "metis",
        "erc20",
        "production",
        "ada",
        "out of gas",
        1_500_000,
        {"commit": "a1"},
    ]
    assert await counts(database) == (3, 1, 1, 1)


async def test_a_deployment_that_ran_beyond_the_longest_duration_is_not_timed(
    writer: Writer, database: Database, project_id: int
) -> None:
    begun = entry(project_id, "started")
    long_ago = begun.event.occurred_at - timedelta(days=367)
    begun = begun._replace(event=replace(begun.event, occurred_at=long_ago))
    await writer.write([begun, entry(project_id, "succeeded")], 0)
    async with database.connection() as connection:
        counted = await connection.fetchrow(
            "select sum(finishes), sum(timed), sum(duration_us) from deployment_project_day"
            " where cell = 0"
        )
        differences = await recount_day(
            connection, DEPLOYMENTS, now().date(), DEFAULT.floors(now())
        )
    assert (tuple(counted), differences) == ((1, 0, 0), [])


async def test_repeats_are_duplicates_and_change_nothing(
    writer: Writer, database: Database, project_id: int
) -> None:
    queued = entry(project_id, "queued", id="e1")
    assert await writer.write([queued, queued], 0) == [Written.NEW, Written.KNOWN]
    before = await counts(database)
    assert await writer.write([queued, queued], 0) == [Written.KNOWN] * 2
    assert await counts(database) == before


async def test_a_connection_lost_before_commit_leaves_nothing_and_the_batch_goes_again(
    database: Database, writer: Writer, project_id: int
) -> None:
    async def lose(connection: Any, *_written: Any) -> None:
        backend = connection.get_server_pid()
        async with database.connection() as other:
            await other.execute("select pg_terminate_backend($1, 5000)", backend)

    batch = [entry(project_id, "queued", environment="brand-new"), entry(project_id, "started")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.entities._forget", lose)  # the last step before COMMIT
        with pytest.raises(Unavailable):
            await writer.write(batch, 0)
    assert await counts(database) == (0, 0, 0, 0)
    assert await writer.write(batch, 0) == [Written.NEW] * 2
    assert await counts(database) == (2, 1, 1, 1)
    async with database.connection() as connection:
        differences = await recount_day(
            connection, DEPLOYMENTS, now().date(), DEFAULT.floors(now())
        )
    assert differences == []


async def test_unknown_names_are_counted_under_other_with_a_note(
    intake: Intake, database: Database
) -> None:
    results = await intake.record(
        [
            event("succeeded", network="andromeda"),
            event("succeeded", deployment="d2", template="unheard-of"),
            event("succeeded", deployment="d3"),
        ],
        ADMIN,
    )
    assert briefly(results) == [
        (EventStatus.ACCEPTED, Code.UNKNOWN_NETWORK),
        (EventStatus.ACCEPTED, Code.UNKNOWN_TEMPLATE),
        (EventStatus.ACCEPTED, None),
    ]
    assert (await row(database))["network"] == "andromeda"
    async with database.connection() as connection:
        counted = await connection.fetch(
            "select n.name, sum(attempts) as n from deployment_project_day"
            " join networks as n using (network_id) where cell = 1 group by 1 order by 1"
        )
    assert [tuple(each) for each in counted] == [("metis", 2), ("other", 1)]


async def test_a_template_provisioned_later_is_counted_from_then_on(
    intake: Intake, database: Database
) -> None:
    await intake.record([event("queued", template="erc20", id="a")], ADMIN)
    async with database.transaction() as connection:
        template_id = await upsert_template(connection, TemplateFields("erc20"))
    await intake.record([event("queued", template="ERC20", id="b", deployment="d2")], ADMIN)
    async with database.connection() as connection:
        found = await connection.fetchval(
            "select template_id from deployments"
            " join deployment_series using (project_id, series_id) where external_id = 'd2'"
        )
    assert found == template_id


async def test_poison_that_reaches_the_database_is_refused_alone(
    intake: Intake, database: Database, dictionaries: Dictionaries
) -> None:
    """No reader lets such a value through; if one ever did, this is what happens."""
    await intake.record([event("queued")], ADMIN)
    ids = await dictionaries.project_ids(["shop"])
    writer = Writer(database, dictionaries, DEFAULT, now)

    def entry(deployment: str, environment: str) -> ProjectEvent:
        queued = read(event("queued", deployment=deployment))
        return ProjectEvent(ids["shop"], replace(queued, names=(environment, *queued.names[1:])))

    lane = Lane(lambda entries: writer.write(entries, 0), Observer())
    task = asyncio.create_task(lane.run())
    batch = [entry("p1", "production"), entry("p2", "a\x00b"), entry("p3", "\ud800")]
    (waiter,) = lane.submit([*batch, entry("p4", "staging")])
    assert await waiter == [Written.NEW, Written.REFUSED, Written.REFUSED, Written.NEW]
    lane.stop()
    await task
    assert (await row(database, "p4"))["environment"] == "staging"


async def test_a_project_cannot_flood_the_dictionaries(intake: Intake, database: Database) -> None:
    many = [event("queued", deployment=f"f{n}", environment=f"env-{n}") for n in range(700)]
    results = await intake.record(many, ADMIN)
    assert {result.status for result in results} == {EventStatus.ACCEPTED}
    async with database.connection() as connection:
        series = await connection.fetchval("select count(*) from deployment_series")
        environments = await connection.fetchval("select count(*) from environments")
        other = await connection.fetchval(
            "select sum(attempts) from deployment_project_day where cell = 2 and environment_id = 1"
        )
    assert series == 500
    assert environments <= 2 + 500
    assert other >= 200


async def test_missing_partitions_are_made(intake: Intake, database: Database) -> None:
    async with database.transaction() as connection:
        for table in ("deployment_events", "deployment_project_minute"):
            for partition in await listing(connection, table):
                await drop(connection, partition.name)
    assert briefly(await intake.record([event("queued")], ADMIN)) == [(EventStatus.ACCEPTED, None)]


async def test_old_data_comes_in_through_a_window_of_its_own(
    intake: Intake, database: Database
) -> None:
    old = event("succeeded", time="2016-03-01T10:00:00Z")
    assert briefly(await intake.record([old], ADMIN)) == [(EventStatus.REJECTED, Code.TOO_OLD)]
    results = await intake.record([old], ADMIN, TimeWindow(None, None))
    assert briefly(results) == [(EventStatus.ACCEPTED, None)]
    assert (await row(database))["created_at"] == datetime(2016, 3, 1, 10, tzinfo=UTC)


def named(project_id: int, wire: Wire, name: str) -> ProjectEvent:
    """An event with this name in every dimension whose names events create."""
    chance = random.Random(name)
    raw = made_up_event(wire, chance, start=now() - timedelta(hours=1)) | {"id": str(uuid4())}
    interned = {each.name for each in wire.fact.dimensions if each.interned}
    fields = (each.name for each in wire.fields if each.filled in interned)
    return ProjectEvent(project_id, read(raw | dict.fromkeys(fields, name)))


async def test_batches_with_the_same_new_names_wait_and_never_deadlock(
    database: Database, dictionaries: Dictionaries
) -> None:
    slugs = [f"p{number}" for number in range(6)]
    async with database.transaction() as connection:
        ids = sorted((await dictionaries.create_projects(connection, slugs)).values())
    first, second = (Writer(database, Dictionaries(database), DEFAULT, now) for _ in range(2))
    wires = [each for each in WIRES.values() if not each.fact.content.names]  # these need no intake
    for number in range(4):
        names = [f"new={number}-{place}" for place in range(len(ids))]
        there, back = (
            [
                named(project_id, wire, name)
                for project_id, name in zip(ids, order, strict=True)
                for wire in some
            ]
            for order, some in ((names, wires), (names[::-1], wires[2:]))
        )
        written = await asyncio.gather(first.write(there, 0), second.write(back, 1))
        assert [set(each) for each in written] == [{Written.NEW}] * 2
