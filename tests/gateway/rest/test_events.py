"""POST /v1/events over HTTP, as far as the transport decides."""

import gzip
from typing import Any
from uuid import uuid4

import httpx

from access.viewers import Role
from tests.gateway.application import as_role, running, settings_for
from tests.gateway.graphql.edge import SCHEMA


def event(project: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "type": "deployment.succeeded",
        "time": "2026-11-20T10:00:00Z",
        "project": project,
        "deployment": str(uuid4()),
        "durationMs": 1200,
        **changes,
    }


async def post(
    database_url: str, redis_url: str, headers: dict[str, str], **content: Any
) -> httpx.Response:
    async with running(settings_for(database_url, redis_url), SCHEMA, **headers) as client:
        return await client.post("/v1/events", **content)


async def test_batch_answers_each_event_by_its_place(database_url: str, redis_url: str) -> None:
    project = f"p-{uuid4()}"
    good = event(project)
    batch = [good, {"type": "nonsense"}, good]
    response = await post(database_url, redis_url, as_role(Role.ADMIN), json=batch)
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["index"] for result in results] == [0, 1, 2]
    assert [result["status"] for result in results] == ["accepted", "rejected", "duplicate"]
    assert results[1]["code"]


async def test_gzip_and_ndjson_are_read(database_url: str, redis_url: str) -> None:
    import orjson

    project = f"p-{uuid4()}"
    lines = b"\n".join(orjson.dumps(event(project)) for _ in range(3))
    headers = as_role(Role.ADMIN)
    headers |= {"content-type": "application/x-ndjson", "content-encoding": "gzip"}
    response = await post(database_url, redis_url, headers, content=gzip.compress(lines))
    assert [result["status"] for result in response.json()["results"]] == ["accepted"] * 3


async def test_unreadable_body_is_400(database_url: str, redis_url: str) -> None:
    headers = as_role(Role.ADMIN) | {"content-type": "application/json"}
    response = await post(database_url, redis_url, headers, content=b"{")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_USER_INPUT")


async def test_other_content_type_is_415(database_url: str, redis_url: str) -> None:
    headers = as_role(Role.ADMIN) | {"content-type": "image/png"}
    response = await post(database_url, redis_url, headers, content=b"x")
    assert response.status_code == 415


async def test_large_body_is_413_with_the_limit_named(database_url: str, redis_url: str) -> None:
    headers = as_role(Role.ADMIN) | {"content-type": "application/json"}
    response = await post(database_url, redis_url, headers, content=b" " * (10 * 1024 * 1024 + 1))
    assert (response.status_code, response.json()["error"]["limit"]) == (413, "body_bytes")


async def test_too_many_events_are_422_with_the_limit_named(
    database_url: str, redis_url: str
) -> None:
    response = await post(database_url, redis_url, as_role(Role.ADMIN), json=[{}] * 20_001)
    assert response.status_code == 422
    assert response.json()["error"]["limit"]


CLOUDEVENT = {"content-type": "application/cloudevents+json"}
CLOUDEVENTS = {"content-type": "application/cloudevents-batch+json"}


def cloudevent(project: str, **changes: Any) -> dict[str, Any]:
    outer = {"specversion": "1.0", "id": str(uuid4()), "source": "/ci", "type": "deployment.queued"}
    data = {"project": project, "deployment": "d1"}
    return outer | {"time": "2026-11-20T10:00:00Z", "data": data} | changes


async def test_a_single_cloudevent_that_is_rejected_is_422(
    database_url: str, redis_url: str
) -> None:
    project = f"p-{uuid4()}"
    good, bad = cloudevent(project), cloudevent(project, time="yesterday")
    other = cloudevent(project, type="com.acme.thing")
    binary = {f"ce-{name}": value for name, value in bad.items() if name != "data"}
    answers = []
    async with running(
        settings_for(database_url, redis_url), SCHEMA, **as_role(Role.ADMIN)
    ) as client:
        for headers, body in (
            (CLOUDEVENT, good),
            (CLOUDEVENT, other),
            (CLOUDEVENT, bad),
            (binary | {"Content-Type": "application/json"}, bad["data"]),
            (CLOUDEVENTS, [good, bad, other]),
            ({}, event(project, time="yesterday")),
        ):
            response = await client.post("/v1/events", headers=headers, json=body)
            results = response.json()["results"]
            answers.append((response.status_code, [result["status"] for result in results]))
        text = (await client.get("/metrics")).text
    assert answers == [
        (200, ["accepted"]),
        (200, ["ignored"]),
        (422, ["rejected"]),
        (422, ["rejected"]),
        (200, ["duplicate", "rejected", "ignored"]),
        (200, ["rejected"]),
    ]
    assert 'gateway_ingest_events_total{status="ignored"} 2.0' in text


async def test_metrics_count_what_became_of_events(database_url: str, redis_url: str) -> None:
    project = f"p-{uuid4()}"
    settings = settings_for(database_url, redis_url)
    async with running(settings, SCHEMA, **as_role(Role.ADMIN)) as client:
        await client.post("/v1/events", json=[event(project), event(project), {"type": "odd"}])
        text = (await client.get("/metrics")).text
    assert 'gateway_ingest_events_total{status="accepted"} 2.0' in text
    assert 'gateway_ingest_events_total{status="rejected"} 1.0' in text
    assert "gateway_ingest_batch_seconds_count 1.0" in text
