"""The recorder of the gateway's own API calls: what it records, and what it does not wait for."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette

from access.viewers import Permission, Role, Viewer
from gateway.app import create_app
from gateway.http.exchange import Exchange
from gateway.observability import recorder, send_queue
from gateway.observability.own_events import MAX_CALLS, OwnEvents
from gateway.observability.recorder import Record
from gateway.routes import ROUTES
from ingest.events import EventStatus, Result
from ingest.identity import uuid7_time
from storage.errors import Unavailable
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.gateway.graphql.edge import authorized, client_of, small_gateway

NOW = datetime(2026, 11, 21, 3, 30, 0, 123_000, tzinfo=UTC)
OWN = {"type": "api.call", "project": "own", "environment": "tests"}
GRAPHQL = next(route for route in ROUTES if route.path == "/graphql")


@dataclass
class FakeIntake:
    """Remembers the events it is given; `fail` is raised instead while it is set."""

    batches: list[list[dict[str, Any]]] = field(default_factory=list)
    viewers: set[Viewer] = field(default_factory=set)
    fail: Exception | None = None
    status: EventStatus = EventStatus.ACCEPTED

    async def record(self, events: Sequence[dict[str, Any]], viewer: Viewer) -> list[Result]:
        if self.fail is not None:
            raise self.fail
        self.batches.append(list(events))
        self.viewers.add(viewer)
        return [Result(index, event["id"], self.status) for index, event in enumerate(events)]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for batch in self.batches for event in batch]


def recorder_of(
    record: Record, on_lost: Callable[[int], None] = lambda _count: None
) -> recorder.Recorder:
    return recorder.Recorder(record, lambda: NOW, OWN, MAX_CALLS, on_lost)


@dataclass
class Recorder:
    """A recorder, its intake, and the number of calls that it lost."""

    intake: FakeIntake = field(default_factory=FakeIntake)
    lost: int = 0

    def __post_init__(self) -> None:
        self.calls = recorder_of(self.intake.record, self._on_lost)
        self.own = OwnEvents(self.calls)

    def _on_lost(self, count: int) -> None:
        self.lost += count

    def add(self, count: int = 1) -> None:
        for _ in range(count):
            self.own.on_request(Exchange("r", GRAPHQL, "POST"), 401, 0.0125)

    def app(self) -> Starlette:
        """The small gateway, whose calls go to this recorder."""
        return create_app(replace(small_gateway(), own=self.own), ROUTES)


async def test_a_call_is_recorded_with_its_route_and_viewer() -> None:
    own = Recorder()
    async with client_of(own.app()) as client:
        headers = authorized()
        await client.post("/graphql?secret=1", json={"query": "{hello}"}, headers=headers)
        await client.request("BREW", "/graphql")
    await own.calls.flush()
    call, odd = own.intake.events
    assert uuid7_time(UUID(call.pop("id"))) == NOW
    assert 0 < call.pop("durationMs") < 5_000
    assert call == {
        "type": "api.call",
        "project": "own",
        "environment": "tests",
        "endpoint": "/graphql",
        "method": "POST",
        "status": 200,
        "user": "ada",
    }
    assert (odd["method"], odd["status"], odd.get("user")) == ("other", 405, None)
    (viewer,) = own.intake.viewers
    assert viewer.may(Permission.RECORD)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/live"),
        ("GET", "/health"),
        ("GET", "/metrics"),
        ("GET", "/"),
        ("GET", "/pages/nothing.js"),
        ("POST", "/surely/not/there"),
        ("OPTIONS", "/nor/this"),
    ],
)
async def test_probes_pages_and_other_paths_are_not_recorded(method: str, path: str) -> None:
    own = Recorder()
    async with client_of(own.app()) as client:
        await client.request(method, path)
    await own.calls.flush()
    assert not own.intake.batches


async def test_the_page_and_preflight_requests_are_not_recorded() -> None:
    own = Recorder()
    for status in (200, 204, 304):
        own.own.on_request(Exchange("r", GRAPHQL, "GET"), status, 0.001)
    await own.calls.flush()
    assert not own.intake.batches


async def test_a_stream_is_recorded_without_a_duration() -> None:
    own = Recorder()
    headers = authorized() | {"accept": "text/event-stream"}
    async with client_of(own.app()) as client:
        query = {"query": "subscription { ticks }"}
        response = await client.post("/graphql", json=query, headers=headers)
    assert response.headers["content-type"].startswith("text/event-stream")
    await own.calls.flush()
    (call,) = own.intake.events
    assert call["status"] == 200
    assert "durationMs" not in call


async def test_the_queue_is_bounded_and_counts_what_it_drops() -> None:
    own = Recorder()
    own.add(MAX_CALLS + 7)
    assert own.lost == 7
    await own.calls.flush()
    assert len(own.intake.events) == MAX_CALLS
    own.add()
    await own.calls.flush()
    assert len(own.intake.events) == MAX_CALLS + 1
    assert own.lost == 7


@pytest.mark.parametrize("error", [Unavailable("The database is away"), ConnectionError("gone")])
async def test_calls_wait_while_the_database_is_away(error: Exception) -> None:
    own = Recorder()
    own.add(2)
    own.intake.fail = error
    await own.calls.flush()
    own.add()
    own.intake.fail = None
    await own.calls.flush()
    await own.calls.flush()
    assert [len(batch) for batch in own.intake.batches] == [3]
    assert len({event["id"] for event in own.intake.events}) == 3
    assert own.lost == 0


async def test_a_call_keeps_its_id_when_it_is_sent_again() -> None:
    sent: list[str] = []

    async def cut_off(events: Sequence[dict[str, Any]], _viewer: Viewer) -> list[Result]:
        sent.extend(event["id"] for event in events)
        raise asyncio.CancelledError

    calls = recorder_of(cut_off)
    OwnEvents(calls).on_request(Exchange("r", GRAPHQL, "POST"), 401, 0.01)
    for _ in range(2):
        with pytest.raises(asyncio.CancelledError):
            await calls.flush()
    assert len(sent) == 2
    assert len(set(sent)) == 1


async def test_calls_that_can_never_be_recorded_are_counted() -> None:
    own = Recorder()
    own.add(2)
    own.intake.fail = RuntimeError("a bug")
    await own.calls.flush()
    assert own.lost == 2
    own.intake.fail, own.intake.status = None, EventStatus.REJECTED
    own.add(3)
    await own.calls.flush()
    assert own.lost == 5
    await own.calls.flush()
    assert len(own.intake.batches) == 1


async def test_calls_are_recorded_once_a_second_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(send_queue, "FLUSH_SECONDS", 0.05)
    own = Recorder()
    async with own.calls.recording():
        own.add(3)
        await until(lambda: len(own.intake.batches) == 1)
        own.add()
    assert [len(batch) for batch in own.intake.batches] == [3, 1]


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.01)


CALLS = """query($p: [String!]!) {
  apiStats(filter: { projects: $p }, range: { last: "PT1H" }) {
    calls clientErrors serverErrors averageDurationMs
    byEndpoint { name calls }
    byMethod { name calls }
    byEnvironment { name calls }
  }
}"""


async def test_calls_become_figures(database_url: str, redis_url: str) -> None:
    project = f"own-{uuid4().hex[:8]}"
    settings = settings_for(database_url, redis_url, api_calls_project=project)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        await client.post("/graphql", json={"query": "{ viewer { subject } }"})
        await client.post("/v1/events", json={"nonsense": True})
        await client.get("/live")
        database = client.gateway.services.database

        async def users() -> list[str]:
            select = "select actor from api_calls join projects using (project_id) where slug = $1"
            async with database.connection() as connection:
                return [row["actor"] for row in await connection.fetch(select, project)]

        async def are_recorded() -> bool:
            return await users() == ["ada", "ada"]

        await eventually(are_recorded)
        request = {"query": CALLS, "variables": {"p": [project]}}
        answer = (await client.post("/graphql", json=request)).json()
    assert "errors" not in answer, answer
    stats = answer["data"]["apiStats"]
    assert (stats["calls"], stats["clientErrors"], stats["serverErrors"]) == (2, 0, 0)
    assert stats["averageDurationMs"] > 0
    endpoints = {(group["name"], group["calls"]) for group in stats["byEndpoint"]}
    assert endpoints == {("/graphql", 1), ("/v1/events", 1)}
    assert stats["byMethod"] == [{"name": "POST", "calls": 2}]
    assert stats["byEnvironment"] == [{"name": "production", "calls": 2}]


async def test_a_call_that_is_sent_again_counts_once(database_url: str, redis_url: str) -> None:
    project = f"own-{uuid4().hex[:8]}"
    async with running(settings_for(database_url, redis_url), None) as client:
        intake, statuses = client.gateway.services.intake, list[EventStatus]()

        async def twice(events: Sequence[dict[str, Any]], viewer: Viewer) -> list[Result]:
            for _ in range(2):
                results = await intake.record(events, viewer)
                statuses.extend(result.status for result in results)
            return results

        common = OWN | {"project": project}
        clock = partial(datetime.now, UTC)
        calls = recorder.Recorder(twice, clock, common, MAX_CALLS, lambda _count: None)
        OwnEvents(calls).on_request(Exchange("r", GRAPHQL, "POST"), 401, 0.01)
        await calls.flush()
    assert statuses == [EventStatus.ACCEPTED, EventStatus.DUPLICATE]


async def test_a_process_does_not_wait_for_an_intake_that_hangs() -> None:
    async def hang(_events: Sequence[dict[str, Any]], _viewer: Viewer) -> list[Result]:
        await asyncio.sleep(60)
        return []

    calls = recorder_of(hang)
    started = time.monotonic()
    async with calls.recording():
        OwnEvents(calls).on_request(Exchange("r", GRAPHQL, "POST"), 401, 0.01)
    assert time.monotonic() - started < 2
