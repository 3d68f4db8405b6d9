"""Subscriptions over WebSocket, on a running gateway."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from access.viewers import Role
from tests.gateway.application import Process, as_role, eventually, gateway_process
from tests.gateway.graphql.edge import token
from tests.gateway.graphql.live.clients import (
    ONE,
    PROJECT,
    PROTOCOL,
    STATS,
    bearer,
    closed_with,
    made,
    metric,
    next_of,
    opened,
    ready,
    received,
    record,
    send,
    subscribe,
)

pytestmark = pytest.mark.process


async def test_figures_are_told_now_and_after_each_change(process: Process, project: str) -> None:
    async with ready(process, bearer(project)) as socket:
        await subscribe(socket, "1", STATS, p=[project])
        assert (await next_of(socket))["deploymentStatsChanged"] == {"attempts": 1, "succeeded": 0}
        recorded_at = asyncio.get_running_loop().time()
        await record(process, project, "second", "succeeded")
        assert (await next_of(socket))["deploymentStatsChanged"] == {"attempts": 2, "succeeded": 1}
        # R104, and as much again for a machine that runs other tests meanwhile.
        assert asyncio.get_running_loop().time() - recorded_at < 2.0
        await send(socket, id="1", type="complete")
        await record(process, project, "third", "queued")
        await send(socket, type="ping")
        assert await received(socket) == {"type": "pong"}


async def test_states_of_one_deployment_begin_with_the_one_now(
    process: Process, project: str
) -> None:
    id = await record(process, project, "watched", "started")
    async with ready(process, bearer(project)) as socket:
        await subscribe(socket, "1", ONE, id=id)
        now = (await next_of(socket))["deploymentChanged"]["deployment"]
        assert now == {"status": "IN_PROGRESS"}
        await record(process, project, "other", "started")
        await record(process, project, "watched", "succeeded")
        then = (await next_of(socket))["deploymentChanged"]["deployment"]
        assert then == {"status": "SUCCEEDED"}


async def test_changes_of_a_project_begin_with_a_mark_and_miss_nothing(
    process: Process, project: str
) -> None:
    async with ready(process, bearer(project)) as socket:
        await subscribe(socket, "1", PROJECT, p=project)
        assert (await next_of(socket))["deploymentChanged"] == {"deployment": None}
        names = {f"d{number}" for number in range(5)}
        await asyncio.gather(*(record(process, project, name, "succeeded") for name in names))
        told: set[str] = set()
        while told != names:
            found = (await next_of(socket))["deploymentChanged"]["deployment"]
            assert found["project"]["slug"] == project
            told.add(found["externalId"])


async def test_other_tenants_changes_are_not_told(process: Process, project: str) -> None:
    stranger = f"stranger-{uuid4().hex[:8]}"
    await record(process, stranger, "first", "queued")
    async with ready(process, bearer(project)) as socket:
        await subscribe(socket, "1", PROJECT)
        await next_of(socket)
        await record(process, stranger, "hidden", "succeeded")
        await record(process, project, "visible", "succeeded")
        found = (await next_of(socket))["deploymentChanged"]["deployment"]
        assert found["externalId"] == "visible"


async def test_projects_and_deployments_out_of_scope_are_like_none(
    process: Process, project: str
) -> None:
    theirs = await record(process, project, "theirs", "queued")
    async with ready(process, bearer("nothing")) as socket:
        for id, query, hidden, unknown in (
            ("1", PROJECT, {"p": project}, {"p": "never-was"}),
            ("2", ONE, {"id": theirs}, {"id": str(uuid4())}),
            ("3", STATS, {"p": [project]}, {"p": ["never-was"]}),
        ):
            told = []
            for variables in (hidden, unknown):
                await subscribe(socket, id, query, **variables)
                message = await received(socket)
                assert message["type"] == "error"
                (error,) = message["payload"]
                told.append((error["message"], error["extensions"]["code"]))
            assert told[0][1] == told[1][1] == "NOT_FOUND"
            assert told[0][0].replace(project, "never-was") == told[1][0]


async def test_queries_and_mutations_come_over_the_socket_too(
    process: Process, project: str
) -> None:
    async with ready(process, as_role(Role.ADMIN)["authorization"]) as socket:
        await subscribe(socket, "q", f'{{ project(slug: "{project}") {{ slug }} }}')
        assert await next_of(socket, "q") == {"project": {"slug": project}}
        assert await received(socket) == {"id": "q", "type": "complete"}
        mutation = f'mutation {{ upsertProject(input: {{slug: "{project}", name: "Live"}}) '
        await subscribe(socket, "m", mutation + "{ project { name } } }")
        assert await next_of(socket, "m") == {"upsertProject": {"project": {"name": "Live"}}}


async def test_bad_document_ends_its_operation_and_not_the_socket(process: Process) -> None:
    async with ready(process, bearer()) as socket:
        for query in ("{", "{ nonsense }", "subscription { nonsense }", ""):
            await subscribe(socket, "1", query)
            message = await received(socket)
            assert (message["id"], message["type"]) == ("1", "error")
            assert message["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        await send(socket, type="ping", payload={"a": 1})
        assert await received(socket) == {"type": "pong", "payload": {"a": 1}}


def subscribing(**payload: Any) -> str:
    """A message that asks for something, but for what the payload is given."""
    asked = {"query": "{ __typename }", **payload}
    return json.dumps({"type": "subscribe", "id": "1", "payload": asked})


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["no json"], 4400),
        (["[]"], 4400),
        (["5"], 4400),
        (['{"type": 5}'], 4400),
        (['{"type": "nonsense"}'], 4400),
        (['{"type": "connection_init", "payload": []}'], 4400),
        (['{"type": "connection_init"}'], 4403),
        (['{"type": "connection_init", "payload": {"authorization": "Bearer x"}}'], 4403),
        (['{"type": "connection_init", "payload": {"authorization": 5}}'], 4403),
        (['{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }"}}'], 4401),
        (["INIT", "INIT"], 4429),
        (["INIT", '{"type": "subscribe", "payload": {}}'], 4400),
        (["INIT", '{"type": "subscribe", "id": "", "payload": {}}'], 4400),
        (["INIT", '{"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}}'], 4400),
        (["INIT", '{"type": "subscribe", "id": "1"}'], 4400),
        (["INIT", '{"type": "subscribe", "id": "1", "payload": null}'], 4400),
        (["INIT", '{"type": "subscribe", "id": "1", "payload": "{ __typename }"}'], 4400),
        (["INIT", subscribing(query=None)], 4400),
        (["INIT", subscribing(query=["{ __typename }"])], 4400),
        (["INIT", subscribing(variables=[1])], 4400),
        (["INIT", subscribing(operationName=5)], 4400),
        (["INIT", subscribing(extensions="none")], 4400),
        (["INIT", "STREAM", "STREAM"], 4409),
        (["INIT", "LONG", "LONG"], 4409),
        ([json.dumps({"type": "\U0010ffff" * 50})], 4400),
        (["INIT", '{"type": "connection_ack"}'], 4400),
        (["INIT", "x" * 200_000], 4400),
        (["INIT", *['{"type": "ping"}'] * 150], 4429),
    ],
)
async def test_what_breaks_the_protocol_ends_the_connection_with_its_code(
    process: Process, project: str, messages: list[str], code: int
) -> None:
    init = {"type": "connection_init", "payload": {"authorization": bearer(project)}}
    stream = {"type": "subscribe", "id": "1", "payload": {"query": PROJECT}}
    words = {"INIT": json.dumps(init), "STREAM": json.dumps(stream)}
    words["LONG"] = json.dumps({**stream, "id": "\u00e9" * 100})
    async with opened(process) as socket:
        for message in messages:
            await socket.send(words.get(message, message))
        assert await closed_with(socket) == code


async def test_other_subprotocols_are_not_accepted(process: Process) -> None:
    url = process.url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-ws")]) as socket:
        assert await closed_with(socket) == 4406


async def test_header_of_the_handshake_is_a_token_as_well(process: Process, project: str) -> None:
    async with opened(process, authorization=bearer(project)) as socket:
        await send(socket, type="connection_init")
        assert await received(socket) == {"type": "connection_ack"}


async def test_pages_of_other_origins_may_not_connect(process: Process) -> None:
    url = process.url.replace("http", "ws") + "/graphql"
    with pytest.raises(Exception, match="403"):
        async with connect(url, subprotocols=[PROTOCOL], origin="https://evil.example"):  # type: ignore[arg-type]
            pass


async def test_silence_and_a_token_that_has_ended_are_told_nothing_more(
    process: Process, project: str
) -> None:
    ends_soon = bearer(project, lifetime_seconds=-26)  # within the leeway, for four seconds more
    async with opened(process) as silent, ready(process, ends_soon) as socket:
        assert await closed_with(socket) == 4403
        assert await closed_with(silent) == 4408


async def test_many_followers_cost_one_computation_and_none_costs_none(
    process: Process, project: str
) -> None:
    async with (
        ready(process, bearer(project)) as first,
        ready(process, bearer(project)) as second,
        ready(process, bearer(project, subject="another")) as third,
    ):
        for socket in (first, second, third):
            await subscribe(socket, "1", STATS, p=[project])
            assert (await next_of(socket))["deploymentStatsChanged"]["attempts"] == 1
        assert await metric(process, "gateway_live_topics") == 1
        await record(process, project, "shared", "queued")
        for socket in (first, second, third):
            assert (await next_of(socket))["deploymentStatsChanged"]["attempts"] == 2
        assert await metric(process, "gateway_live_connections") == 3

    async def is_over() -> bool:
        return await metric(process, "gateway_live_topics") == 0

    await eventually(is_over)


async def test_hundred_followers_are_all_told_and_a_paused_one_harms_nobody(
    process: Process, project: str
) -> None:
    following = list[ClientConnection]()

    async def follow(number: int) -> None:
        # One viewer may hold a hundred connections, the paused one among them.
        viewer = f"viewer-{number % 4}"
        async with ready(process, bearer(project, subject=viewer)) as socket:
            await subscribe(socket, "1", STATS, p=[project])
            assert (await next_of(socket, seconds=20))["deploymentStatsChanged"]["attempts"] == 1
            following.append(socket)
            while (await next_of(socket, seconds=20))["deploymentStatsChanged"]["attempts"] < 4:
                pass

    async def all_follow() -> bool:
        return len(following) == 100

    async with ready(process, bearer(project)) as paused:
        await subscribe(paused, "1", STATS, p=[project])  # and never takes anything in
        followers = asyncio.gather(*(follow(number) for number in range(100)))
        await eventually(all_follow, 20)
        for name in ("a", "b", "c"):
            await record(process, project, name, "queued")
        await asyncio.wait_for(followers, 20)


async def test_gql_follows_a_subscription(process: Process, project: str) -> None:
    transport = WebsocketsTransport(
        url=process.url.replace("http", "ws") + "/graphql",
        init_payload={"authorization": bearer(project)},
        subprotocols=[PROTOCOL],
        close_timeout=1,
    )
    query = gql(STATS)
    query.variable_values = {"p": [project]}
    async with Client(transport=transport) as session:
        answers = session.subscribe(query)
        first = await asyncio.wait_for(anext(answers), 5)
        await record(process, project, "gql", "queued")
        second = await asyncio.wait_for(anext(answers), 5)
        attempts = [each["deploymentStatsChanged"]["attempts"] for each in (first, second)]
        assert attempts == [1, 2]


async def test_mutation_runs_to_its_end_though_nobody_waits(
    process: Process, database_url: str
) -> None:
    slug = f"left-{uuid4().hex[:8]}"
    mutation = f'mutation {{ upsertProject(input: {{slug: "{slug}"}}) {{ project {{ slug }} }} }}'
    connection = await asyncpg.connect(database_url)
    async with (
        ready(process, as_role(Role.ADMIN)["authorization"]) as socket,
        connection.transaction(),
    ):
        await connection.execute("lock table projects in exclusive mode")
        await subscribe(socket, "1", mutation)
        await asyncio.sleep(0.5)
        await send(socket, id="1", type="complete")
        await asyncio.sleep(0.3)
    await connection.close()

    async def is_made() -> bool:
        return await made(process, slug)

    await eventually(is_made)


async def test_variables_that_are_refused_are_told_of(process: Process, project: str) -> None:
    query = "subscription($id: ID!) { deploymentChanged(deployment: $id) { __typename } }"
    async with ready(process, bearer(project)) as socket:
        await subscribe(socket, "1", query)
        (error,) = (await received(socket))["payload"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "$id" in error["message"]


async def test_refused_arguments_of_a_mutation_are_in_the_audit_log(process: Process) -> None:
    name = f"undone-{uuid4().hex[:8]}"
    query = """mutation($i: ProjectInput!) { upsertProject(input: $i) { __typename } }"""
    who = f"Bearer {token(Role.ADMIN, subject=name)}"
    async with ready(process, who) as socket:
        await subscribe(socket, "1", query, i={"slug": 5})
        assert (await received(socket))["type"] in ("error", "next")

    async def is_noted() -> bool:
        log = f'{{ auditLog(filter: {{subject: "{name}"}}) {{ nodes {{ action outcome }} }} }}'
        async with httpx.AsyncClient(headers=as_role(Role.ADMIN)) as client:
            answer = await client.post(f"{process.url}/graphql", json={"query": log})
        nodes = answer.json()["data"]["auditLog"]["nodes"]
        return {"action": "mutation.upsertProject", "outcome": "BAD_USER_INPUT"} in nodes

    await eventually(is_noted)


async def test_guesses_of_tokens_are_counted_like_those_over_http(
    database_url: str, redis_url: str, tmp_path: Any
) -> None:
    with gateway_process(
        database_url,
        redis_url,
        str(tmp_path / "log"),
        RATE_LIMIT_ENABLED="1",
        RATE_LIMIT_ADDRESS_MAX="3",
        RATE_LIMIT_WINDOW="3600",
        TRUSTED_PROXIES="127.0.0.1",
        ALLOWED_HOSTS="127.0.0.1",
    ) as process:
        codes = []
        for _ in range(5):
            async with opened(process, **{"x-forwarded-for": "203.0.113.77"}) as socket:
                await send(socket, type="connection_init", payload={"token": "guess"})
                codes.append(await closed_with(socket))
        assert codes == [4403, 4403, 4403, 4429, 4429]
        with pytest.raises(Exception, match="400"):
            async with connect(
                process.url.replace("http", "ws") + "/graphql",
                additional_headers={"host": "another"},
            ):
                pass
        assert "Traceback" not in process.log()


async def test_stopping_closes_the_sockets_in_time(
    database_url: str, redis_url: str, tmp_path: Any
) -> None:
    with gateway_process(
        database_url, redis_url, str(tmp_path / "log"), GATEWAY_ENV="production"
    ) as process:
        async with ready(process, bearer()) as socket:
            await subscribe(socket, "1", PROJECT)
            await next_of(socket)
            process.stop()
            assert await closed_with(socket) in (1001, 1012)
        await asyncio.wait_for(asyncio.to_thread(process.process.wait), 20)
        assert process.process.returncode == 0
