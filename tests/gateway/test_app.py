"""The whole application on real servers: health, metrics, tokens, failures."""

from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_metrics

from access.viewers import Role
from gateway.embedded.processes import running as running_server
from gateway.embedded.redis import EmbeddedRedis
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.gateway.graphql.edge import SCHEMA, token
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
    assert set(components) == {"postgres", "redis", "changeFeed"}
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


async def test_stopping_gateway_is_not_ready(database_url: str, redis_url: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA) as client:
        client._transport.app.state.health.stopping = True  # type: ignore[attr-defined]
        ready, live = await client.get("/ready"), await client.get("/live")
    assert (ready.status_code, ready.json()["reason"]) == (503, "shutting down")
    assert live.status_code == 200


async def test_metrics_come_as_text_and_as_openmetrics(database_url: str, redis_url: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA, **as_role()) as client:
        await client.post("/graphql", json={"query": "{hello}"})
        await client.get("/surely/not/there")
        await client.request("BREW", "/nor/this")
        text = await client.get("/metrics")
        modern = await client.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert text.headers["content-type"].startswith("text/plain")
    assert modern.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name: family for family in text_metrics(text.text)}
    modern_names = {
        family.name
        for family in openmetrics(modern.text)  # type: ignore[no-untyped-call]
    }
    assert "gateway_http_requests" in modern_names
    assert "process_resident_memory_bytes" in families
    labels = [sample.labels for sample in families["gateway_http_requests"].samples]
    assert {"route": "unmatched", "method": "other", "status": "404"} in labels
    assert "gateway_sql_statement_seconds" in families


@pytest.mark.parametrize("path", ["/graphql", "/v1/events"])
async def test_no_token_is_401(database_url: str, redis_url: str, path: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA) as client:
        response = await client.post(path, json={"query": "{hello}"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="deployment-analytics-gateway"'
    assert "UNAUTHENTICATED" in response.text


@pytest.mark.parametrize("path", ["/graphql", "/v1/events"])
@pytest.mark.parametrize("header", ["Bearer x.y.z", "Basic YTpi", "Bearer", "EXPIRED"])
async def test_bad_token_is_401_and_never_anonymous(
    database_url: str, redis_url: str, path: str, header: str
) -> None:
    header = header.replace("EXPIRED", f"Bearer {token(lifetime_seconds=-600)}")
    async with running(settings_for(database_url, redis_url), SCHEMA) as client:
        headers = {"authorization": header}
        response = await client.post(path, json={"query": "{hello}"}, headers=headers)
        open_path = await client.get("/live", headers=headers)
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert open_path.status_code == 200


async def test_reader_may_not_send_events(database_url: str, redis_url: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA, **as_role()) as client:
        response = await client.post("/v1/events", json=[])
    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")


async def test_unknown_paths_and_methods_are_told_in_json(
    database_url: str, redis_url: str
) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA) as client:
        path, method = await client.get("/nothing"), await client.get("/v1/events")
    assert (path.status_code, path.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert (method.status_code, method.headers["allow"]) == (405, "POST")
    assert method.json()["error"]["requestId"] == method.headers["x-request-id"]


async def test_answers_carry_security_headers(database_url: str, redis_url: str) -> None:
    async with running(settings_for(database_url, redis_url), SCHEMA) as client:
        responses: list[httpx.Response] = [
            await client.get("/live"),
            await client.get("/nothing"),
            await client.post("/graphql"),
        ]
    for response in responses:
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "server" not in response.headers
