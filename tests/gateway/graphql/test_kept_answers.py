"""A kept answer costs, shows and leaves behind what any other answer does."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from redis.asyncio import Redis

from access.viewers import Role
from tests.gateway.application import AppClient, as_role, eventually, running, settings_for
from tests.gateway.graphql.edge import token
from tests.gateway.request_lines import request_lines

FIGURES = '{ deploymentStats(range: {last: "P30D"}) { attempts } projects { nodes { slug } } }'
OF_THE_MOMENT = {"age", "cache-status", "x-request-id", "date"}


@pytest.fixture
async def client(database_url: str, redis_url: str) -> AsyncIterator[AppClient]:
    project = f"kept-{uuid4().hex}"
    headers = as_role(Role.VIEWER, Role.INGEST, projects=(project,))
    settings = settings_for(database_url, redis_url)
    async with running(settings, None, **headers, x_project=project) as opened:
        await eventually(lambda: is_kept(opened))
        yield opened


async def provide(client: httpx.AsyncClient, project: str | None = None) -> None:
    project = project or client.headers["x_project"]
    mutation = f'mutation {{ upsertProject(input: {{slug: "{project}"}}) {{ project {{ id }} }} }}'
    assert "errors" not in (await ask(client, mutation, **as_role(Role.ADMIN))).json()


async def ask(client: httpx.AsyncClient, query: str = FIGURES, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/graphql", json={"query": query}, headers=given)


async def is_kept(client: httpx.AsyncClient) -> bool:
    """The change feed must have been read once."""
    return "hit" in (await ask(client)).headers.get("cache-status", "")


async def counted(client: httpx.AsyncClient, name: str, *labels: str) -> float:
    text = (await client.get("/metrics")).text
    found = re.findall(rf"^{name}_total(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return sum(float(value) for given, value in found if all(each in given for each in labels))


def lasting(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in OF_THE_MOMENT}


async def test_kept_answer_differs_in_nothing_but_its_age(client: httpx.AsyncClient) -> None:
    query = "{ measures { measure unit } }"
    answers = [await ask(client, query) for _ in range(3)]
    for answer in answers:
        assert answer.content == answers[0].content
        assert lasting(answer.headers) == lasting(answers[0].headers)
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
    assert answers[2].headers["cache-status"].endswith("; hit")
    assert answers[2].headers["age"] == "0"


async def test_what_was_written_shows_at_once(client: httpx.AsyncClient) -> None:
    query = "{ deployments(first: 5) { nodes { externalId } } }"
    await provide(client)
    for _ in range(2):
        assert (await ask(client, query)).json()["data"]["deployments"]["nodes"] == []
    event = {"id": uuid4().hex, "deployment": "d-1", "type": "succeeded"}
    event |= {"project": client.headers["x_project"], "time": datetime.now(UTC).isoformat()}
    told = await client.post("/v1/events", json=event)
    assert told.json()["results"][0]["status"] == "accepted", told.text
    nodes = (await ask(client, query)).json()["data"]["deployments"]["nodes"]
    assert nodes == [{"externalId": "d-1"}]


async def test_figures_from_before_a_write_are_not_kept_as_those_after_it(
    client: httpx.AsyncClient, database_url: str, redis_url: str
) -> None:
    project, begun = client.headers["x_project"], datetime.now(UTC).replace(microsecond=0)
    at = begun - timedelta(hours=2)
    span = f'{{start: "{at.isoformat()}", end: "{(at + timedelta(hours=1)).isoformat()}"}}'

    async def attempts(alias: str, **headers: str) -> int:
        query = (
            f'{{ {alias}: deploymentStats(filter: {{projects: ["{project}"]}},'
            f" range: {{between: {span}}}) {{ attempts }} }}"
        )
        data = (await ask(client, query, **headers)).json()["data"]
        return int(data[alias]["attempts"])

    await provide(client)
    event = {"id": uuid4().hex, "deployment": "d-1", "type": "succeeded", "project": project}
    event |= {"time": (at + timedelta(minutes=5)).isoformat()}
    writing = running(settings_for(database_url, redis_url), None, **as_role(Role.ADMIN))
    async with writing as another:
        await attempts("first")
        await attempts("first", **as_role(Role.ADMIN))
        await asyncio.sleep(0.4)  # the figures are written, and what was read of counters is old
        assert await attempts("second", **as_role(Role.ADMIN)) == 0
        told = await another.post("/v1/events", json=event)
        assert told.json()["results"][0]["status"] == "accepted", told.text
        await attempts("third")  # may be from before: counters read just now vouch for it
        await asyncio.sleep(0.4)
        assert await attempts("third") == 1


async def test_figures_that_another_release_has_kept_are_left_alone(
    client: httpx.AsyncClient, database_url: str, redis_url: str
) -> None:
    query = "{ deploymentStats(range: {calendar: {unit: YEAR}}) { attempts } }"
    await provide(client)
    answer = await ask(client, query)
    assert "errors" not in answer.json()
    await asyncio.sleep(0.4)  # the figures are written
    async with Redis.from_url(redis_url) as redis:
        for key in await redis.keys("answers*"):
            kept = await redis.get(key)
            if isinstance(kept, bytes) and isinstance(key, bytes):
                stored_at_and_version, _, _ = kept.partition(b"\n")
                question = key.decode().partition(":")[2]
                other = stored_at_and_version + b'\n{"made_of": "something else"}'
                await redis.set(f"answers:{question}", other, ex=60)
    headers = {"authorization": client.headers["authorization"]}
    async with running(settings_for(database_url, redis_url), None, **headers) as another:
        assert (await ask(another, query)).json() == answer.json()


async def test_new_project_shows_at_once_to_who_wrote_it_whoever_asked_before(
    client: httpx.AsyncClient,
) -> None:
    old, new = client.headers["x_project"], f"kept-{uuid4().hex}"
    both = as_role(Role.VIEWER, Role.INGEST, projects=(old, new))
    query = "{ projects { nodes { slug } } }"

    async def slugs(**headers: str) -> set[str]:
        nodes = (await ask(client, query, **headers)).json()["data"]["projects"]["nodes"]
        return {node["slug"] for node in nodes}

    await provide(client)
    for _ in range(3):
        assert await slugs() == await slugs(**both) == {old}
    await provide(client, new)
    assert await slugs() == {old}
    assert await slugs(**both) == {old, new}


async def test_budget_is_taken_from_once_and_its_end_is_told(
    database_url: str, redis_url: str
) -> None:
    settings = settings_for(
        database_url, redis_url, rate_limit_enabled=True, rate_limit_max=20, rate_limit_burst=0,
        rate_limit_window=3600,
    )  # fmt: skip
    headers = {"authorization": f"Bearer {token(Role.VIEWER, subject=uuid4().hex)}"}
    async with running(settings, None, **headers) as client:
        answers = [await ask(client) for _ in range(23)]
        left = [int(answer.headers["x-ratelimit-remaining"]) for answer in answers]
        assert left == [*range(19, -1, -1), 0, 0, 0]
        assert [answer.status_code for answer in answers[19:]] == [200, 429, 429, 429]
        assert answers[-1].json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert int(answers[-1].headers["retry-after"]) > 0
        assert await counted(client, "gateway_admissions", '"requests"', '"admitted"') == 20
        assert await counted(client, "gateway_admissions", '"requests"', '"refused"') == 3


async def test_kept_answers_are_logged_and_counted_like_any_other(
    client: httpx.AsyncClient,
) -> None:
    operations = await counted(client, "gateway_graphql_operations")
    requests = await counted(client, "gateway_http_requests", '"/graphql"')
    with request_lines() as lines:
        for _ in range(4):
            await ask(client)
            await ask(client, x_request_id="given")
        await asyncio.sleep(0)
    logged = [line for line in lines if line["path"] == "/graphql"]
    ids = [line.pop("request_id") for line in logged]
    assert ids[1::2] == ["given"] * 4
    assert len(set(ids)) == 5
    for line in logged:
        assert line.pop("duration_ms") >= 0
        assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() == timedelta(0)
    assert logged[1:] == logged[:-1]
    assert logged[0]["operation"] == "query"
    assert await counted(client, "gateway_graphql_operations") == operations + 8
    assert await counted(client, "gateway_http_requests", '"/graphql"') == requests + 8


async def test_client_that_has_it_is_told_so_again(client: httpx.AsyncClient) -> None:
    question = {"query": "{ measures { measure } }"}
    tag = (await client.get("/graphql", params=question)).headers["etag"]
    for _ in range(3):
        answer = await client.get("/graphql", params=question, headers={"if-none-match": tag})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
    assert (await client.get("/graphql", params=question)).status_code == 200


async def test_compressed_answer_is_kept_too(client: httpx.AsyncClient) -> None:
    query = "{ __schema { types { name description } } }"
    headers = {"authorization": f"Bearer {token(Role.ADMIN)}"}
    answers = [await ask(client, query, **headers) for _ in range(3)]
    for answer in answers:
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.json() == answers[0].json()


async def test_requests_cut_off_by_the_end_are_told_of_too(client: AppClient) -> None:
    """One whose answer is not taken in, and one whose body does not come."""
    app = client.app
    given = ("authorization", client.headers["authorization"]), ("content-type", "application/json")
    headers = [(b"host", b"gateway"), *((name.encode(), text.encode()) for name, text in given)]
    scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": "POST"}
    scope |= {"scheme": "http", "path": "/graphql", "query_string": b"", "client": ("127.0.0.1", 1)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"query": "{ measures { measure } }"}'}

    async def send(_message: Any) -> None:
        pass

    async def never(*_message: Any) -> Any:
        await asyncio.Event().wait()

    async def told(receive: Any, send: Any) -> list[int]:
        with request_lines() as lines:
            call = asyncio.create_task(
                app({**scope, "state": {}, "headers": headers}, receive, send)
            )
            await asyncio.wait([call], timeout=0.1)
            call.cancel()
            await asyncio.wait([call])
            await asyncio.sleep(0)
        return [line["status"] for line in lines]

    requests = await counted(client, "gateway_http_requests")
    assert await told(receive, send) == await told(receive, send) == [200]
    assert await told(receive, never) == [200]
    assert await told(never, send) == [499]
    # And those which asked for the count.
    assert await counted(client, "gateway_http_requests") == requests + 4 + 1
