"""/health, /ready and /live with servers up, down and not migrated, and during shutdown."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from access.viewers import Role
from gateway.embedded.processes import running as running_server
from gateway.embedded.redis import EmbeddedRedis
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.gateway.graphql.edge import SCHEMA
from tests.servers import Databases, temporary_folder

NOWHERE = "postgresql://gateway@127.0.0.1:1/nothing"


async def test_health_is_open_detailed_and_not_cacheable(database_url: str, redis_url: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA) as client:

        async def is_ok() -> bool:
            return bool((await client.get("/health")).json()["status"] == "ok")

        await eventually(is_ok)
        response = await client.get("/health")
    assert response.headers["cache-control"] == "no-store"
    components = response.json()["components"]
    assert set(components) == {"postgres", "redis"}
    assert all(part["latencyMs"] >= 0 for part in components.values())


async def test_database_away_means_unready_but_alive(redis_url: str) -> None:
    async with running(settings_for(NOWHERE, redis_url), SCHEMA, **as_role(Role.ADMIN)) as client:
        live, ready = await client.get("/live"), await client.get("/ready")
        event = {"type": "deployment.succeeded", "project": "p", "deployment": "d"}
        sent = await client.post("/v1/events", json=event | {"time": "2026-11-21T00:00:00Z"})
    assert (live.status_code, ready.status_code) == (200, 503)
    assert "127.0.0.1" not in ready.text
    assert (sent.status_code, sent.json()["error"]["code"]) == (503, "UNAVAILABLE")
    assert int(sent.headers["retry-after"]) > 0


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    with databases.fresh(empty=True) as url:
        yield url


async def test_database_without_tables_means_unready(
    empty_database_url: str, redis_url: str
) -> None:
    async with running(settings_for(empty_database_url, redis_url), SCHEMA) as client:
        response = await client.get("/ready")
    assert response.status_code == 503
    assert "gateway migrate" in response.json()["reason"]


async def test_redis_away_is_ready_but_degraded(database_url: str) -> None:
    with temporary_folder() as folder, running_server(EmbeddedRedis(folder)) as server:
        address = server.url
    async with running(settings_for(database_url, address), SCHEMA) as client:
        response = await client.get("/ready")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert "Redis" in response.json()["reason"]


async def test_full_pool_is_ready_but_degraded(database_url: str, redis_url: str) -> None:
    settings = settings_for(database_url, redis_url)
    async with running(settings, SCHEMA) as client, AsyncExitStack() as held:
        database = client.gateway.services.database
        for _ in range(settings.database_pool_size):
            await held.enter_async_context(database.connection())
        ready, health = await client.get("/ready"), await client.get("/health")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert "all connections to the database are in use" in ready.json()["reason"]
    assert health.json()["components"]["postgres"]["status"] == "degraded"


async def test_query_is_refused_while_the_pool_is_full(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.connections.lending._CONNECT_TIMEOUT_SECONDS", 0.3)
    settings = settings_for(database_url, redis_url)
    query = {"query": "{deploymentStats(range: {last: P7D}) {attempts}}"}
    async with running(settings, None, **as_role(Role.ADMIN)) as client, AsyncExitStack() as held:
        database = client.gateway.services.database
        for _ in range(settings.database_pool_size):
            await held.enter_async_context(database.connection())
        both = [client.post("/graphql", json=query) for _ in range(2)]
        answers = await asyncio.gather(*both)
        await held.aclose()
        later = await client.post("/graphql", json=query)
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        (error,) = answer.json()["errors"]
        assert error["message"] == "All connections to the database are in use"
        assert error["extensions"]["code"] == "OVERLOADED"
    assert later.status_code == 200


async def test_stopping_gateway_is_not_ready(database_url: str, redis_url: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA) as client:
        client.gateway.health.stopping = True
        ready, live = await client.get("/ready"), await client.get("/live")
    assert (ready.status_code, ready.json()["reason"]) == (503, "shutting down")
    assert live.status_code == 200
