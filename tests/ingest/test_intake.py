"""Events in over the whole way: body, normaliser, lanes, one transaction, results."""

import asyncio
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import asyncpg
import orjson
import pytest
from sqlalchemy.engine import make_url

from access.viewers import Role, Viewer
from ingest.events import Code, DeploymentEvent, Outcome, Result
from ingest.identity import deployment_uuid
from ingest.intake import Intake, Settings
from ingest.lanes import Lane, Written
from ingest.normaliser import Window, normalise
from ingest.observer import Unobserved
from ingest.services import Entry
from ingest.writer import Writer
from storage.database import Database
from storage.dimensions import Dictionaries, Template, upsert_template
from storage.errors import Forbidden, Unavailable
from storage.partitions import drop, listing
from storage.windows import DEFAULT
from tests.ingest.conftest import ADMIN, now
from tests.servers import Databases

JSON = {"Content-Type": "application/json"}


def moment(minutes_ago: float) -> str:
    return (now() - timedelta(minutes=minutes_ago)).isoformat()


def event(kind: str, minutes_ago: float = 5, **fields: Any) -> dict[str, Any]:
    base = {"type": f"deployment.{kind}", "time": moment(minutes_ago)}
    return base | {"project": "shop", "deployment": "d1", "network": "metis"} | fields


async def row(database: Database, deployment: str = "d1") -> dict[str, Any]:
    async with database.connection() as connection:
        record = await connection.fetchrow(
            "select * from deployments where deployment_id = $1",
            deployment_uuid("shop", deployment),
        )
    return dict(record)


def briefly(results: list[Result]) -> list[tuple[Outcome, Code | None]]:
    return [(result.status, result.code) for result in results]


async def test_one_event_becomes_a_deployment(intake: Intake, database: Database) -> None:
    body = orjson.dumps(event("succeeded", environment="production", durationMs=1500))
    results = await intake.receive(body, JSON, ADMIN)
    assert briefly(results) == [(Outcome.ACCEPTED, None)]
    stored = await row(database)
    assert (stored["status"], stored["network"], stored["duration_us"]) == (2, "metis", 1_500_000)


async def test_each_event_gets_its_own_answer_in_order(intake: Intake) -> None:
    first = event("queued", id="e1")
    batch = [first, {"type": "nonsense"}, event("started", id="e2"), first, "text"]
    results = await intake.receive(orjson.dumps(batch), JSON, ADMIN)
    assert [result.index for result in results] == [0, 1, 2, 3, 4]
    assert briefly(results) == [
        (Outcome.ACCEPTED, None),
        (Outcome.REJECTED, Code.MISSING_FIELD),
        (Outcome.ACCEPTED, None),
        (Outcome.DUPLICATE, None),
        (Outcome.REJECTED, Code.NOT_AN_OBJECT),
    ]
    assert results[0].as_json() == {
        "index": 0,
        "id": "e1",
        "status": "accepted",
        "deployment": str(deployment_uuid("shop", "d1")),
    }
    assert (results[1].path, results[1].message) == ("project", "project is required")
    again = await intake.record([first], ADMIN)
    assert briefly(again) == [(Outcome.DUPLICATE, None)]


async def test_lines_and_gzip_come_in_too(intake: Intake, database: Database) -> None:
    lines = b"\n".join(orjson.dumps(event("queued", deployment=f"l{n}")) for n in range(3))
    headers = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}
    results = await intake.receive(gzip.compress(lines), headers, ADMIN)
    assert briefly(results) == [(Outcome.ACCEPTED, None)] * 3
    assert (await row(database, "l2"))["status"] == 0


async def test_a_project_out_of_scope_is_like_one_that_does_not_exist(intake: Intake) -> None:
    await intake.record([event("queued", project="theirs")], ADMIN)
    viewer = Viewer("ci", frozenset({Role.INGEST}), frozenset({"mine", "shop"}))
    await intake.record([event("queued", project="mine", id="m")], ADMIN)
    wanted = ["theirs", "nowhere", "mine"]
    results = await intake.record(
        [event("queued", project=name, id="x") for name in wanted], viewer
    )
    assert [result.code for result in results] == [Code.UNKNOWN_PROJECT, Code.UNKNOWN_PROJECT, None]
    strip = str.replace
    assert strip(results[0].message or "", "theirs", "?") == strip(
        results[1].message or "", "nowhere", "?"
    )


async def test_only_roles_that_may_record_get_in(intake: Intake) -> None:
    reader = Viewer("eve", frozenset({Role.VIEWER, Role.MAINTAINER}), frozenset({"shop"}))
    with pytest.raises(Forbidden):
        await intake.receive(b"[]", JSON, reader)
    with pytest.raises(Forbidden):
        await intake.record([], reader)


async def test_a_viewer_of_one_project_need_not_name_it(intake: Intake) -> None:
    await intake.record([event("queued")], ADMIN)
    ci = Viewer("ci", frozenset({Role.INGEST}), frozenset({"shop"}))
    bare = event("started", project=None)
    assert briefly(await intake.record([bare], ci)) == [(Outcome.ACCEPTED, None)]
    named = await intake.receive(orjson.dumps(bare | {"id": "n"}), JSON | {"X-Project": "b"}, ADMIN)
    assert named[0].project == "b"
    assert briefly(await intake.record([bare], ADMIN)) == [(Outcome.REJECTED, Code.MISSING_FIELD)]


async def test_unknown_names_are_counted_under_other_and_told(
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
        (Outcome.ACCEPTED, Code.UNKNOWN_NETWORK),
        (Outcome.ACCEPTED, Code.UNKNOWN_TEMPLATE),
        (Outcome.ACCEPTED, None),
    ]
    assert (await row(database))["network"] == "andromeda"
    async with database.connection() as connection:
        counted = await connection.fetch(
            "select n.name, sum(attempts) as n from deployment_project_day"
            " join networks as n using (network_id) group by 1 order by 1"
        )
    assert [tuple(each) for each in counted] == [("metis", 2), ("other", 1)]


async def test_a_template_provisioned_later_is_counted_from_then_on(
    intake: Intake, database: Database
) -> None:
    await intake.record([event("queued", template="erc20", id="a")], ADMIN)
    async with database.transaction() as connection:
        template_id = await upsert_template(connection, Template("erc20"))
    await intake.record([event("queued", template="ERC20", id="b", deployment="d2")], ADMIN)
    async with database.connection() as connection:
        found = await connection.fetchval(
            "select template_id from deployments join series using (project_id, series_id)"
            " where external_id = 'd2'"
        )
    assert found == template_id


async def test_poison_that_reaches_the_database_is_refused_alone(
    intake: Intake, database: Database, dictionaries: Dictionaries
) -> None:
    """No reader lets such a value through; if one ever did, this is what happens."""
    await intake.record([event("queued")], ADMIN)
    ids = await dictionaries.project_ids(["shop"])
    writer = Writer(database, dictionaries, DEFAULT, now)

    def entry(deployment: str, environment: str) -> Entry:
        read = normalise(event("queued", deployment=deployment), Window.at(now()))
        assert isinstance(read, DeploymentEvent)
        return Entry(ids["shop"], replace(read, environment=environment))

    lane = Lane(lambda entries: writer.write(entries, 0), Unobserved())
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
    assert {result.status for result in results} == {Outcome.ACCEPTED}
    async with database.connection() as connection:
        series = await connection.fetchval("select count(*) from series")
        environments = await connection.fetchval("select count(*) from environments")
        other = await connection.fetchval(
            "select sum(attempts) from deployment_project_day where environment_id = 1"
        )
    assert series == 500
    assert environments <= 2 + 500
    assert other >= 200


async def test_missing_partitions_are_made(intake: Intake, database: Database) -> None:
    async with database.transaction() as connection:
        for table in ("deployment_events", "deployment_project_minute"):
            for partition in await listing(connection, table):
                await drop(connection, partition.name)
    assert briefly(await intake.record([event("queued")], ADMIN)) == [(Outcome.ACCEPTED, None)]


async def test_old_data_comes_in_through_a_window_of_its_own(
    intake: Intake, database: Database
) -> None:
    old = event("succeeded", time="2016-03-01T10:00:00Z")
    assert briefly(await intake.record([old], ADMIN)) == [(Outcome.REJECTED, Code.TOO_OLD)]
    results = await intake.record([old], ADMIN, Window(None, None))
    assert briefly(results) == [(Outcome.ACCEPTED, None)]
    assert (await row(database))["created_at"] == datetime(2016, 3, 1, 10, tzinfo=UTC)


async def test_stopping_finishes_what_was_taken_and_a_new_process_goes_on(
    database: Database, dictionaries: Dictionaries
) -> None:
    first = Intake(database, dictionaries, now)
    await first.start()
    queued = event("queued", id="e1")
    waiting = asyncio.create_task(first.record([queued], ADMIN))
    await asyncio.sleep(0.01)
    await first.stop()
    assert briefly(await waiting) == [(Outcome.ACCEPTED, None)]
    with pytest.raises(Unavailable):
        await first.record([event("queued")], ADMIN)
    second = Intake(database, Dictionaries(database), now)
    await second.start()
    results = await second.record([queued, event("failed", id="e2")], ADMIN)
    await second.stop()
    assert briefly(results) == [(Outcome.DUPLICATE, None), (Outcome.ACCEPTED, None)]
    async with database.connection() as connection:
        held = await connection.fetchval("select count(*) from leases where expires_at > now()")
    assert held == 0


async def test_readers_are_woken_after_commit_even_if_waking_fails(
    database: Database, dictionaries: Dictionaries
) -> None:
    woken = asyncio.Event()

    async def notify() -> None:
        woken.set()
        raise ConnectionError

    intake = Intake(database, dictionaries, now, notify=notify)
    await intake.start()
    for kind in ("queued", "started"):
        woken.clear()
        await intake.record([event(kind)], ADMIN)
        await asyncio.wait_for(woken.wait(), 2)
    await intake.stop()


async def test_a_database_that_goes_away_is_503_and_recovers_by_itself(
    databases: Databases, own_database_url: str, database: Database, dictionaries: Dictionaries
) -> None:
    intake = Intake(database, dictionaries, now, settings=Settings(wait_seconds=0.5))
    await intake.start()
    await intake.record([event("queued", id="e1")], ADMIN)
    started = event("started", id="e2")
    name = make_url(own_database_url).database
    with taken_away(databases, str(name)):
        with pytest.raises(Unavailable) as caught:
            await intake.record([started], ADMIN)
        assert caught.value.http_status == 503
        assert caught.value.retry_after_seconds > 0
    assert briefly(await intake.record([started], ADMIN)) == [(Outcome.ACCEPTED, None)]
    assert (await row(database))["status"] == 1
    await intake.stop()


@contextmanager
def taken_away(databases: Databases, name: str) -> Iterator[None]:
    """The database under another name: connections end, new ones find nothing."""

    def rename(old: str, new: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(databases.server_url)
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", old
            )
            await connection.execute(f"alter database {old} rename to {new}")
            await connection.close()

        thread = Thread(target=asyncio.run, args=[run()])
        thread.start()
        thread.join()

    rename(name, f"{name}_away")
    try:
        yield
    finally:
        rename(f"{name}_away", name)


async def test_observers_hear_what_became_of_events(
    database: Database, dictionaries: Dictionaries
) -> None:
    told: list[tuple[object, ...]] = []

    class Telling(Unobserved):
        def accepted(self, count: int) -> None:
            told.append(("accepted", count))

        def duplicates(self, count: int) -> None:
            told.append(("duplicates", count))

        def rejected(self, code: Code, count: int) -> None:
            told.append((code, count))

    intake = Intake(database, dictionaries, now, observer=Telling())
    await intake.start()
    queued = event("queued", id="e1", network="andromeda")
    await intake.record([queued, queued, {}, 5], ADMIN)
    await intake.stop()
    assert set(told) == {
        ("accepted", 1),
        ("duplicates", 1),
        (Code.MISSING_FIELD, 1),
        (Code.NOT_AN_OBJECT, 1),
    }
