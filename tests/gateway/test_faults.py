"""Servers that go away while the gateway answers, and come back: no stall, no restart, no lie."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from access.viewers import Role
from gateway.config import migrations
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import running as running_server
from gateway.embedded.redis import EmbeddedRedis
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.servers import temporary_folder

pytestmark = [pytest.mark.process, pytest.mark.alone]

QUERY = '{deploymentStats(range:{last:"P2D"}){attempts}}'


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    with temporary_folder() as folder:
        server = EmbeddedPostgres(folder, lambda _line: None, throw_away=True)
        with running_server(server):
            migrations.upgrade(server.url())
            yield server


@pytest.fixture
def redis() -> Iterator[EmbeddedRedis]:
    with temporary_folder() as folder, running_server(EmbeddedRedis(folder)) as server:
        yield server


@asynccontextmanager
async def gateway(database_url: str, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = settings_for(database_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        yield client


async def ask(client: httpx.AsyncClient) -> Any:
    return (await client.post("/graphql", json={"query": QUERY})).json()


async def send(client: httpx.AsyncClient) -> httpx.Response:
    event = {"id": str(uuid4()), "type": "deployment.succeeded", "project": "faults"}
    event |= {"deployment": str(uuid4()), "time": datetime.now(UTC).isoformat()}
    return await client.post("/v1/events", json=event)


async def status(client: httpx.AsyncClient, path: str = "/ready") -> str:
    return str((await client.get(path)).json()["status"])


async def test_redis_stopped_and_back_is_not_noticed_by_those_who_ask(
    database_url: str, redis: EmbeddedRedis
) -> None:
    async with gateway(database_url, redis.url) as client:
        assert (await send(client)).status_code == 200
        before = await ask(client)
        await asyncio.to_thread(redis.stop)
        for _ in range(20):
            started = time.monotonic()
            answer = await ask(client)
            assert "errors" not in answer
            assert time.monotonic() - started < 1.0
            await asyncio.sleep(0.05)
        assert (await send(client)).status_code == 200
        assert await status(client) == "degraded"

        async def has_grown() -> bool:
            answer = await ask(client)
            attempts = before["data"]["deploymentStats"]["attempts"]
            return bool(answer["data"]["deploymentStats"]["attempts"] > attempts)

        await eventually(has_grown, 2.0)
        await asyncio.to_thread(redis.start)

        async def is_well() -> bool:
            return await status(client) == "ok"

        await eventually(is_well)


async def test_postgres_stopped_and_back_needs_no_restart(
    postgres: EmbeddedPostgres, redis_url: str
) -> None:
    async with gateway(postgres.url(), redis_url) as client:
        assert (await send(client)).status_code == 200
        await asyncio.to_thread(postgres.stop)
        refused = await send(client)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert int(refused.headers["retry-after"]) > 0

        async def is_unready() -> bool:
            return (await client.get("/ready")).status_code == 503

        await eventually(is_unready)
        assert (await client.get("/live")).status_code == 200
        await asyncio.to_thread(postgres.start)

        async def is_ready() -> bool:
            return (await client.get("/ready")).status_code == 200

        await eventually(is_ready)
        assert (await send(client)).json()["results"][0]["status"] == "accepted"

        async def sees_both() -> bool:
            return bool((await ask(client))["data"]["deploymentStats"]["attempts"] == 2)

        await eventually(sees_both, 3.0)


async def test_while_postgres_is_away_an_answer_is_stale_and_says_so_or_there_is_none(
    postgres: EmbeddedPostgres, redis: EmbeddedRedis
) -> None:
    async with gateway(postgres.url(), redis.url) as client:
        assert (await send(client)).status_code == 200
        before = await client.post("/graphql", json={"query": QUERY})
        assert before.status_code == 200
        await asyncio.to_thread(postgres.stop)

        async def is_stale() -> bool:
            answer = await client.post("/graphql", json={"query": QUERY})
            assert answer.status_code == 200
            assert answer.content == before.content
            return answer.headers["cache-status"].endswith("; hit; detail=stale")

        await eventually(is_stale)
        other = await client.post("/graphql", json={"query": "{ networks { title } }"})
        assert other.status_code == 503
        assert int(other.headers["retry-after"]) >= 1
        assert other.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        refused = await send(client)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
