"""Events in over the whole way: body, normaliser, lanes, one transaction, results."""

import asyncio
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import asyncpg
import orjson
import pytest
from sqlalchemy.engine import make_url

from access.viewers import Role, Viewer
from ingest.events import Code, EventStatus
from ingest.identity import entity_uuid
from ingest.intake import Intake
from ingest.lanes import Observer
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.errors import Forbidden, Unavailable
from tests.ingest.conftest import ADMIN, now
from tests.ingest.samples import briefly, event, row
from tests.servers import Databases

JSON = {"Content-Type": "application/json"}


async def test_one_event_becomes_a_deployment(intake: Intake, database: Database) -> None:
    body = orjson.dumps(event("succeeded", environment="production", durationMs=1500))
    results = await intake.receive(body, JSON, ADMIN)
    assert briefly(results) == [(EventStatus.ACCEPTED, None)]
    stored = await row(database)
    assert (stored["status"], stored["network"], stored["duration_us"]) == (2, "metis", 1_500_000)


async def test_each_event_gets_its_own_answer_in_order(intake: Intake) -> None:
    first = event("queued", id="e1")
    batch = [first, {"type": "nonsense"}, event("started", id="e2"), first, "text"]
    results = await intake.receive(orjson.dumps(batch), JSON, ADMIN)
    assert [result.index for result in results] == [0, 1, 2, 3, 4]
    assert briefly(results) == [
        (EventStatus.ACCEPTED, None),
        (EventStatus.REJECTED, Code.UNKNOWN_TYPE),
        (EventStatus.ACCEPTED, None),
        (EventStatus.DUPLICATE, None),
        (EventStatus.REJECTED, Code.NOT_AN_OBJECT),
    ]
    assert results[0].as_json() == {
        "index": 0,
        "id": "e1",
        "status": "accepted",
        "deployment": str(entity_uuid("shop", "d1")),
    }
    assert results[1].path == "type"
    assert results[1].message == "type 'nonsense' is not a known event type"
    again = await intake.record([first], ADMIN)
    assert briefly(again) == [(EventStatus.DUPLICATE, None)]


async def test_lines_and_gzip_come_in_too(intake: Intake, database: Database) -> None:
    lines = b"\n".join(orjson.dumps(event("queued", deployment=f"l{n}")) for n in range(3))
    headers = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}
    results = await intake.receive(gzip.compress(lines), headers, ADMIN)
    assert briefly(results) == [(EventStatus.ACCEPTED, None)] * 3
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
    assert briefly(await intake.record([bare], ci)) == [(EventStatus.ACCEPTED, None)]
    named = await intake.receive(orjson.dumps(bare | {"id": "n"}), JSON | {"X-Project": "b"}, ADMIN)
    assert named[0].project == "b"
    assert briefly(await intake.record([bare], ADMIN)) == [
        (EventStatus.REJECTED, Code.MISSING_FIELD)
    ]


async def test_stopping_finishes_accepted_requests_and_a_new_process_goes_on(
    database: Database, dictionaries: Dictionaries
) -> None:
    first = Intake(database, dictionaries, now)
    await first.start()
    queued = event("queued", id="e1")
    waiting = asyncio.create_task(first.record([queued], ADMIN))
    await asyncio.sleep(0.01)
    await first.stop()
    assert briefly(await waiting) == [(EventStatus.ACCEPTED, None)]
    with pytest.raises(Unavailable):
        await first.record([event("queued")], ADMIN)
    second = Intake(database, Dictionaries(database), now)
    await second.start()
    results = await second.record([queued, event("failed", id="e2")], ADMIN)
    await second.stop()
    assert briefly(results) == [(EventStatus.DUPLICATE, None), (EventStatus.ACCEPTED, None)]
    async with database.connection() as connection:
        held = await connection.fetchval("select count(*) from leases where expires_at > now()")
    assert held == 0


async def test_a_database_that_goes_away_is_503_and_recovers_by_itself(
    databases: Databases, own_database_url: str, database: Database, dictionaries: Dictionaries
) -> None:
    intake = Intake(database, dictionaries, now, wait_seconds=0.5)
    await intake.start()
    await intake.record([event("queued", id="e1")], ADMIN)
    started = event("started", id="e2")
    name = make_url(own_database_url).database
    with taken_away(databases, str(name)):
        with pytest.raises(Unavailable) as caught:
            await intake.record([started], ADMIN)
        assert caught.value.http_status == 503
        assert caught.value.retry_after_seconds > 0
    assert briefly(await intake.record([started], ADMIN)) == [(EventStatus.ACCEPTED, None)]
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


async def test_observer_gets_counts_by_status_and_code(
    database: Database, dictionaries: Dictionaries
) -> None:
    counts: list[tuple[object, ...]] = []

    class Recording(Observer):
        def answered(self, status: EventStatus, count: int) -> None:
            counts.append((status, count))

        def rejected(self, code: Code, count: int) -> None:
            counts.append((code, count))

        def finished(self, fact: str, status: str, count: int) -> None:
            counts.append((fact, status, count))

    intake = Intake(database, dictionaries, now, observer=Recording())
    await intake.start()
    queued = event("queued", id="e1", network="andromeda")
    await intake.record([queued, queued, {}, 5], ADMIN)
    failed = event("failed", id="e2")
    await intake.record([failed, failed], ADMIN)
    await intake.stop()
    assert set(counts) == {
        (EventStatus.ACCEPTED, 1),
        (EventStatus.DUPLICATE, 1),
        (EventStatus.REJECTED, 2),
        (Code.MISSING_FIELD, 1),
        (Code.NOT_AN_OBJECT, 1),
        ("deployment", "failed", 1),
    }


async def test_projects_with_new_events_are_reported_once_for_each_batch(
    database: Database, dictionaries: Dictionaries
) -> None:
    reported: list[set[tuple[str, str]]] = []
    intake = Intake(
        database, dictionaries, now, on_accepted=lambda changed: reported.append(set(changed))
    )
    await intake.start()
    first = event("queued", id="e1")
    other = event("queued", project="docs", id="e2")
    await intake.receive(orjson.dumps([first, event("started"), other, {}]), JSON, ADMIN)
    await intake.record([first, {}], ADMIN)  # a duplicate and a rejected event
    await intake.record([first, event("succeeded")], ADMIN)
    await intake.stop()
    shop, docs = ("shop", "deployment"), ("docs", "deployment")
    assert reported == [{shop, docs}, {shop}]


async def test_each_new_event_of_a_fact_is_told_once_it_is_committed(
    database: Database, dictionaries: Dictionaries
) -> None:
    told: list[str | None] = []
    intake = Intake(
        database,
        dictionaries,
        now,
        on_new={"model_call": lambda call: told.append(call.external_id)},
    )
    await intake.start()
    call = {"type": "model.call", "time": now().isoformat(), "project": "shop", "model": "llama"}
    first, second, third = ({**call, "id": f"m-{number}"} for number in range(3))
    wrong = {**first, "id": "m-9", "inputTokens": -1}
    await intake.record([first, wrong, event("queued"), second], ADMIN)
    await intake.record([second, third], ADMIN)  # the first is a duplicate
    await intake.stop()
    assert told == ["m-0", "m-1", "m-2"]
