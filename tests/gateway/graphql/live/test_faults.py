"""Subscriptions where something goes wrong: clients that vanish, databases that are away."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import connect

from access.viewers import Role
from gateway.graphql.live.operations import MAX_CONNECTIONS
from tests.gateway.application import Process, as_role, eventually, gateway_process
from tests.gateway.graphql.live.clients import (
    PROJECT,
    PROTOCOL,
    STATS,
    bearer,
    metric,
    next_of,
    opened,
    ready,
    record,
    stream,
    subscribe,
)
from tests.servers import Databases

pytestmark = [pytest.mark.process, pytest.mark.alone]

AS_OF = """subscription { deploymentStatsChanged(range: {last: "PT1H"}) {
  attempts freshness { asOf } } }"""
# What was recorded just before has been told by then.
SETTLED_SECONDS = 1.5
NAMED = """subscription($id: ID) {
  deploymentChanged(deployment: $id) { deployment { project { name } } } }"""


@pytest.fixture(scope="module")
def process(
    database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    log = tmp_path_factory.mktemp("faults") / "log"
    with gateway_process(database_url, redis_url, str(log)) as started:
        yield started
        assert "crashed" not in started.log()


@pytest.fixture
async def project(process: Process) -> str:
    slug = f"fault-{uuid4().hex[:8]}"
    await record(process, slug, "first", "queued")
    return slug


async def nothing_is_left(process: Process) -> bool:
    names = ("gateway_live_topics", "gateway_live_connections")
    return [await metric(process, name) for name in names] == [0, 0]


async def test_one_who_comes_later_is_told_the_state_of_that_moment(
    process: Process, project: str
) -> None:
    async with ready(process, bearer(project)) as early, ready(process, bearer(project)) as late:
        await subscribe(early, "1", AS_OF)
        await next_of(early)
        await asyncio.sleep(SETTLED_SECONDS)
        settled_at = datetime.now(UTC)
        await asyncio.sleep(SETTLED_SECONDS)
        await subscribe(late, "1", AS_OF)
        as_of = settled_at
        async with asyncio.timeout(2):
            while as_of <= settled_at:  # a kept figure may come first
                freshness = (await next_of(late))["deploymentStatsChanged"]["freshness"]
                as_of = datetime.fromisoformat(freshness["asOf"])


async def test_one_who_comes_later_is_told_what_no_change_of_a_deployment_tells(
    process: Process, project: str
) -> None:
    id = await record(process, project, "named", "queued")
    rename = f'mutation {{ upsertProject(input: {{slug: "{project}", name: "New"}}) '
    async with ready(process, bearer(project)) as early, ready(process, bearer(project)) as late:
        await subscribe(early, "1", NAMED, id=id)
        await next_of(early)
        await asyncio.sleep(SETTLED_SECONDS)
        async with httpx.AsyncClient(headers=as_role(Role.ADMIN)) as client:
            query = rename + "{ project { id } } }"
            await client.post(f"{process.url}/graphql", json={"query": query})
        await asyncio.sleep(SETTLED_SECONDS)
        await subscribe(late, "1", NAMED, id=id)
        found = (await next_of(late))["deploymentChanged"]["deployment"]
        assert found == {"project": {"name": "New"}}


async def test_clients_that_vanish_leave_nothing_and_are_no_crash(
    process: Process, project: str
) -> None:
    url = process.url.replace("http", "ws") + "/graphql"
    for number in range(30):
        socket = await connect(url, subprotocols=[PROTOCOL])
        init = {"type": "connection_init", "payload": {"authorization": bearer(project)}}
        await socket.send(json.dumps(init))
        await subscribe(socket, "1", STATS, p=[project])
        for id in ("2", "3", "4"):
            await subscribe(socket, id, "{ projects { nodes { slug } } }")
        if number % 2:
            await socket.recv()
        socket.transport.abort()
    await eventually(lambda: nothing_is_left(process))
    assert "crashed" not in process.log()


async def test_what_comes_and_goes_quickly_leaves_nothing(process: Process, project: str) -> None:
    async with ready(process, bearer(project)) as socket:
        for _ in range(40):
            await subscribe(socket, "1", STATS, p=[project])
            await socket.send('{"id": "1", "type": "complete"}')
        await subscribe(socket, "1", STATS, p=[project])
        assert (await next_of(socket))["deploymentStatsChanged"]["attempts"] == 1
    await eventually(lambda: nothing_is_left(process))


async def test_messages_of_a_socket_are_not_compressed(process: Process) -> None:
    async with opened(process) as socket:
        assert socket.response is not None
        assert "sec-websocket-extensions" not in socket.response.headers


async def test_streams_and_sockets_of_a_viewer_share_one_limit(
    process: Process, project: str
) -> None:
    who = bearer(project, subject=f"greedy-{uuid4().hex[:8]}")
    body = {"query": PROJECT, "variables": {"p": project}}
    limits = httpx.Limits(max_connections=None)
    headers = {"accept": "text/event-stream", "authorization": who}
    async with httpx.AsyncClient(limits=limits, headers=headers, timeout=30) as client:

        async def opened_stream() -> httpx.Response:
            request = client.build_request("POST", f"{process.url}/graphql", json=body)
            return await client.send(request, stream=True)

        async with AsyncExitStack() as stack:
            await stack.enter_async_context(ready(process, who))
            for _ in range(MAX_CONNECTIONS - 1):
                response = await opened_stream()
                stack.push_async_callback(response.aclose)
                assert response.status_code == 200
            refused = await opened_stream()
            await refused.aread()
            assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
            assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
            async with stream(process, body, authorization=bearer(project)) as another:
                assert another.status_code == 200

        async def is_free() -> bool:
            response = await opened_stream()
            await response.aclose()
            return response.status_code == 200

        await eventually(is_free)
    await eventually(lambda: nothing_is_left(process))


async def test_streams_are_kept_by_nobody(process: Process) -> None:
    async with stream(process, {"query": "{ __typename }"}) as response:
        assert response.headers["cache-control"] == "no-store"
        assert "Authorization" in response.headers["vary"]


async def test_viewers_share_a_computation_though_nothing_is_cached(
    database_url: str, redis_url: str, tmp_path: Any
) -> None:
    with gateway_process(
        database_url, redis_url, str(tmp_path / "log"), ANALYTICS_CACHE_TTL="0"
    ) as process:
        project = f"uncached-{uuid4().hex[:8]}"
        await record(process, project, "first", "queued")
        async with AsyncExitStack() as stack:
            for name in ("ada", "bob", "eve"):
                socket = ready(process, bearer(project, subject=name))
                opened_socket = await stack.enter_async_context(socket)
                await subscribe(opened_socket, "1", STATS, p=[project])
                await next_of(opened_socket)
            assert await metric(process, "gateway_live_topics") == 1


@pytest.mark.parametrize("variables", [{"n": 1}, {"n": 1.0}, {"n": True}, {"n": "1"}, {"n": None}])
async def test_variables_that_only_look_alike_share_nothing(
    process: Process, project: str, variables: dict[str, Any]
) -> None:
    """Whatever is refused for one value is not told by the topic of another."""
    query = """subscription($n: Int) { deploymentStatsChanged(range: {last: "P1D"}) {
      byProject(first: $n) { name } } }"""
    async with ready(process, bearer(project)) as one, ready(process, bearer(project)) as other:
        await subscribe(one, "1", query, n=1)
        await next_of(one)
        await subscribe(other, "1", query, **variables)
        message = json.loads(await asyncio.wait_for(other.recv(), 5))
    is_number = variables["n"] is None or type(variables["n"]) in (int, float)
    assert (message["type"] == "next") is is_number, message


async def test_database_that_is_away_is_waited_out(
    databases: Databases, own_database_url: str, redis_url: str, tmp_path: Any
) -> None:
    name = own_database_url.rpartition("/")[2].partition("?")[0]
    with gateway_process(own_database_url, redis_url, str(tmp_path / "log")) as process:
        project = f"away-{uuid4().hex[:8]}"
        id = await record(process, project, "first", "queued")
        one = "subscription($id: ID) { deploymentChanged(deployment: $id) { deployment { status "
        one += "statusEvents(first: 9) { status } } } }"
        async with ready(process, bearer(project)) as socket:
            await subscribe(socket, "stats", STATS, p=[project])
            await next_of(socket, "stats")
            await subscribe(socket, "one", one, id=id)
            await next_of(socket, "one")
            await subscribe(socket, "all", PROJECT, p=project)
            await next_of(socket, "all")
            # Its change is heard of, and then the database is away.
            await record(process, project, "second", "succeeded")
            await record(process, project, "first", "succeeded")
            await asyncio.sleep(0.3)  # about when they are heard of
            switch = f"alter database {name} allow_connections"
            sessions = f"select pid from pg_stat_activity where datname = '{name}'"
            end = f"select pg_terminate_backend(pid) from ({sessions}) as sessions"
            for statement in (f"{switch} false", end):
                await asyncio.to_thread(databases.execute, statement)
            await asyncio.sleep(1)
            await subscribe(socket, "late", STATS, p=[project])
            await asyncio.sleep(2)
            await asyncio.to_thread(databases.execute, f"{switch} true")
            told: dict[str, Any] = {}
            changed: set[str] = set()
            while not (
                told.get("stats") == told.get("late") == {"attempts": 2, "succeeded": 2}
                and "one" in told
                and changed == {"first", "second"}
            ):
                message = json.loads(await asyncio.wait_for(socket.recv(), 15))
                assert message["type"] == "next", message
                assert "errors" not in message["payload"], message
                data = message["payload"]["data"]
                told[message["id"]] = next(iter(data.values()))
                if message["id"] == "all":
                    changed.add(told["all"]["deployment"]["externalId"])
            assert told["one"]["deployment"]["status"] == "SUCCEEDED"
