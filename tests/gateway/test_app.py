"""The whole application on real servers: tokens, refusals, headers, the way of an event."""

from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from access.viewers import Role
from tests.gateway.application import as_role, eventually, running, settings_for
from tests.gateway.graphql.edge import SCHEMA, token


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


async def test_second_identical_question_is_a_hit(database_url: str, redis_url: str) -> None:
    days = 'start:"2026-03-01T00:00:00Z",end:"2026-03-09T00:00:00Z"'
    query = f"{{deploymentStats(range:{{between:{{{days}}}}}){{attempts}}}}"
    settings = settings_for(database_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:

        async def is_well() -> bool:
            return bool((await client.get("/ready")).json()["status"] == "ok")

        await eventually(is_well)
        first, second = [await client.post("/graphql", json={"query": query}) for _ in range(2)]
        plain = await client.post("/graphql", json={"query": "{__typename}"})
    assert "data" in first.json(), first.text
    assert first.headers["cache-status"].endswith("; fwd=miss")
    assert second.headers["cache-status"].endswith("; hit")
    assert int(second.headers["age"]) <= 1
    assert first.content == second.content
    assert "cache-status" not in plain.headers


async def test_event_is_seen_in_the_answer_within_a_second(
    database_url: str, redis_url: str
) -> None:
    project = f"seen-{uuid4().hex[:8]}"
    query = {
        "query": 'query($p:[String!]!){deploymentStats(filter:{projects:$p},range:{last:"P2D"})'
        "{attempts}}",
        "variables": {"p": [project]},
    }
    settings = settings_for(database_url, redis_url)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:

        async def attempts() -> int:
            data = (await client.post("/graphql", json=query)).json()["data"]
            return int(data["deploymentStats"]["attempts"])

        async def send(number: int) -> None:
            event = {
                "id": str(uuid4()),
                "type": "deployment.succeeded",
                "project": project,
                "deployment": f"d-{number}",
                "time": datetime.now(UTC).isoformat(),
            }
            response = await client.post("/v1/events", json=event)
            assert response.json()["results"][0]["status"] == "accepted"

        for number in range(1, 4):
            await send(number)

            async def is_seen(number: int = number) -> bool:
                return await attempts() == number

            await eventually(is_seen, 1.5)  # a busy machine takes its share
