"""The gateway's own crashes as errors: what is recorded of them, and what is not."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import strawberry
from starlette.applications import Starlette
from structlog.testing import capture_logs

from access.viewers import Role, Viewer
from gateway.app import create_app
from gateway.graphql.live.operations import LiveOperations
from gateway.http.crashes import MAX_CHAINED, MAX_FRAMES, Crash
from gateway.http.exchange import Exchange
from gateway.observability import recorder as recorders
from gateway.observability.health import Health
from gateway.observability.own_events import MAX_CRASHES, MAX_OF_REQUEST, OwnEvents
from gateway.observability.telemetry import Telemetry
from gateway.processes.worker import Job, own_events, repeat
from gateway.routes import ROUTES
from ingest.events import EventStatus, Result
from storage.connections.database import Database
from tests.gateway.application import as_role, eventually, running, settings_for, tables_with
from tests.gateway.graphql.edge import authorized, client_of, small_gateway, token

NOW = datetime(2026, 11, 21, 3, 30, 0, 123_000, tzinfo=UTC)
GRAPHQL = next(route for route in ROUTES if route.path == "/graphql")
SOCKET: dict[str, Any] = {
    "type": "websocket",
    "path": "/graphql",
    "root_path": "",
    "scheme": "ws",
    "query_string": b"",
    "headers": [(b"host", b"gateway")],
    "client": ("127.0.0.1", 1),
    "server": ("gateway", 80),
    "subprotocols": ["graphql-transport-ws"],
}
CANARY = "canary-of-a-local-variable"


@dataclass
class Recorder:
    """A recorder of crashes, what it handed to the intake, and how many it lost."""

    events: list[dict[str, Any]] = field(default_factory=list)
    fail: Exception | None = None
    lost: int = 0

    def __post_init__(self) -> None:
        common = {"type": "error.occurred", "project": "own", "release": "1.2.3"}
        self.errors = recorders.Recorder(
            self._record, lambda: NOW, common, MAX_CRASHES, self._on_lost
        )
        self.own = OwnEvents(errors=self.errors)

    async def _record(self, events: Sequence[dict[str, Any]], _viewer: Viewer) -> list[Result]:
        if self.fail is not None:
            raise self.fail
        self.events += events
        return [
            Result(index, event["id"], EventStatus.ACCEPTED) for index, event in enumerate(events)
        ]

    def _on_lost(self, count: int) -> None:
        self.lost += count

    async def flushed(self) -> list[dict[str, Any]]:
        await self.errors.flush()
        return self.events

    def app(self) -> Starlette:
        """The small gateway, whose crashes go to this recorder."""
        gateway = small_gateway()
        live = LiveOperations(gateway.graphql, gateway.live.topics, self.own.on_crash)
        return create_app(replace(gateway, own=self.own, live=live), ROUTES)


def crashed(depth: int = 0) -> Crash:
    secret = CANARY  # noqa: F841 - a local variable that must not be recorded
    try:
        _fail(depth)
    except RuntimeError as error:
        return Crash.of(error)
    raise AssertionError


def _fail(depth: int) -> None:
    if depth:
        _fail(depth - 1)
    try:
        raise ValueError("the cause")
    except ValueError as error:
        raise RuntimeError("it broke") from error


async def test_a_crashed_field_is_an_error_with_who_where_and_what() -> None:
    recorder = Recorder()
    async with client_of(recorder.app()) as client:
        request = {"query": "query Crashing { crash }"}
        answer = await client.post("/graphql", json=request, headers=authorized())
    assert "hunter2" not in answer.text
    (event,) = await recorder.flushed()
    assert (event["type"], event["project"], event["user"]) == ("error.occurred", "own", "ada")
    assert (event["culprit"], event["release"]) == ("POST /graphql", "1.2.3")
    assert event["tags"] == {"method": "POST", "endpoint": "/graphql", "operation": "Crashing"}
    assert event["attributes"] == {"requestId": answer.headers["x-request-id"]}
    (exception,) = event["payload"]["exception"]["values"]
    assert exception["type"] == "RuntimeError"
    assert exception["stacktrace"]["frames"][-1]["function"] == "Query.crash"
    assert event["payload"]["request"] == {"method": "POST", "url": "/graphql"}


async def test_a_crashed_request_is_an_error_and_an_expected_one_is_none() -> None:
    recorder = Recorder()
    async with client_of(recorder.app()) as client:
        # The small gateway has no intake.
        crash = await client.post("/v1/events", json={}, headers=authorized(Role.INGEST))
        await client.post("/graphql", json={"query": "{ refused }"}, headers=authorized())
        await client.post("/graphql", json={"query": "{ nothing }"}, headers=authorized())
        await client.post("/graphql", json={"query": "{ hello }"})
    assert crash.status_code == 500
    (event,) = await recorder.flushed()
    assert event["culprit"] == "POST /v1/events"


async def test_a_crash_has_its_causes_and_places_but_no_variables() -> None:
    recorder = Recorder()
    recorder.own.on_crash(Exchange("r", GRAPHQL, "POST"), crashed())
    (event,) = await recorder.flushed()
    cause, last = event["payload"]["exception"]["values"]
    assert (cause["type"], cause["value"]) == ("ValueError", "the cause")
    assert (last["type"], last["value"]) == ("RuntimeError", "it broke")
    frames = [(each["function"], each["filename"]) for each in last["stacktrace"]["frames"]]
    file = f"{__name__.replace('.', '/')}.py"
    assert frames == [("crashed", file), ("_fail", file)]
    assert CANARY not in str(event)
    assert "/work" not in str(event)


def test_deep_stacks_and_endless_chains_are_cut() -> None:
    deep = crashed(depth=200).exceptions[-1]["stacktrace"]["frames"]
    assert len(deep) == MAX_FRAMES
    assert deep[-1]["function"] == "_fail"
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert len(Crash.of(first).exceptions) == MAX_CHAINED


async def test_a_crash_while_crashes_are_recorded_makes_none() -> None:
    recorder = Recorder(fail=RuntimeError("the intake is broken"))
    recorder.own.on_crash(Exchange("r", GRAPHQL, "POST"), crashed())
    with capture_logs() as logs:
        assert await recorder.flushed() == []
    assert [line["event"] for line in logs] == ["items_lost"]
    recorder.fail = None
    assert await recorder.flushed() == []
    assert recorder.lost == 1


async def test_crashes_are_bounded() -> None:
    recorder, exchange = Recorder(), Exchange("r", GRAPHQL, "POST")
    recorder.own.on_crash(exchange, *[crashed()] * 1000)
    assert len(await recorder.flushed()) == MAX_OF_REQUEST
    for _ in range(MAX_CRASHES + 7):
        recorder.own.on_crash(exchange, crashed())
    assert recorder.lost == 7


async def test_a_crash_over_a_websocket_is_an_error() -> None:
    recorder = Recorder()
    inbox, outbox = asyncio.Queue[Any](), asyncio.Queue[Any]()
    socket = asyncio.create_task(recorder.app()(SOCKET, inbox.get, outbox.put))
    await inbox.put({"type": "websocket.connect"})
    for message in (
        {"type": "connection_init", "payload": {"authorization": f"Bearer {token()}"}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ crash }"}},
    ):
        await inbox.put({"type": "websocket.receive", "text": json.dumps(message)})
    sent = [await asyncio.wait_for(outbox.get(), 5) for _ in range(4)]
    await inbox.put({"type": "websocket.disconnect", "code": 1000})
    await asyncio.wait_for(socket, 5)
    assert json.loads(sent[-1]["text"]) == {"id": "1", "type": "complete"}
    assert "hunter2" not in str(sent)
    (event,) = await recorder.flushed()
    assert (event["culprit"], event["user"]) == ("WebSocket /graphql", "ada")


@strawberry.type
class Query:
    @strawberry.field
    def crash(self) -> str | None:
        raise RuntimeError("it broke")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def breaks(self) -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("the subscription broke")


CRASHING: Any = strawberry.Schema(Query, subscription=Subscription)
STORED = """
select kind.name as error_type, title, culprit, last_release, errors.occurrences, user_count
from errors join projects using (project_id)
join error_types as kind on kind.name = error_type
where slug = $1 order by title
"""


async def stored(url: str, project: str) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(url)
    try:
        return [dict(row) for row in await connection.fetch(STORED, project)]
    finally:
        await connection.close()


async def test_crashes_of_fields_and_subscriptions_are_stored_as_errors(
    database_url: str, redis_url: str
) -> None:
    project = f"own-{uuid4().hex[:8]}"
    settings = settings_for(database_url, redis_url, errors_project=project)
    async with running(settings, CRASHING, **as_role(Role.ADMIN)) as client:
        for _ in range(2):
            answer = await client.post("/graphql", json={"query": "{ crash }"})
            assert "it broke" not in answer.text
        query, headers = {"query": "subscription { breaks }"}, {"accept": "text/event-stream"}
        stream = await client.post("/graphql", json=query, headers=headers)
        assert "the subscription broke" not in stream.text
    found = await stored(database_url, project)
    assert [row["title"] for row in found] == [
        "RuntimeError: it broke",
        "RuntimeError: the subscription broke",
    ]
    assert [row["occurrences"] for row in found] == [2, 1]
    assert {row["user_count"] for row in found} == {1}


async def test_secrets_in_the_message_of_a_crash_are_not_stored(
    own_database_url: str, redis_url: str
) -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def crash(self) -> str | None:
            raise RuntimeError("password=hunter2-canary of ada.canary@example.com")

    settings = settings_for(own_database_url, redis_url, errors_project="own")
    schema = strawberry.Schema(Query)
    async with running(settings, schema, **as_role(Role.ADMIN)) as client:
        answer = await client.post("/graphql", json={"query": "{ crash }"})
    assert "canary" not in answer.text
    (row,) = await stored(own_database_url, "own")
    assert row["title"].startswith("RuntimeError: password=")
    assert await tables_with(own_database_url, "canary") == []


async def test_crashes_of_the_workers_jobs_are_stored_as_errors(
    database_url: str, redis_url: str
) -> None:
    project = f"own-{uuid4().hex[:8]}"
    settings = settings_for(database_url, redis_url, errors_project=project)
    database, telemetry = await Database.open(database_url, pool_size=2), Telemetry()
    stopping, faults = asyncio.Event(), [RuntimeError("the job broke")]

    async def step() -> dict[str, object]:
        if faults:
            raise faults.pop()
        stopping.set()
        return {}

    async with own_events(settings, database, telemetry, Health("1.2.3")) as own:
        job = Job("sweep", 0.01, step)
        await asyncio.wait_for(repeat(job, telemetry, stopping, own.on_job_crash), 10)

        async def is_stored() -> bool:
            return bool(await stored(database_url, project))

        await eventually(is_stored)
    await database.close()
    (row,) = await stored(database_url, project)
    assert (row["title"], row["culprit"]) == ("RuntimeError: the job broke", "job sweep")
    assert row["last_release"] == "1.2.3"


@pytest.mark.parametrize("environment", ["demo", "production"])
async def test_a_worker_without_a_project_for_crashes_has_no_intake(environment: Any) -> None:
    settings = settings_for("", "", errors_project="off", environment=environment)
    nothing: Any = None
    async with own_events(settings, nothing, Telemetry(), Health("1.2.3")) as own:
        own.on_job_crash("sweep", RuntimeError("it broke"))
    assert own == OwnEvents()
