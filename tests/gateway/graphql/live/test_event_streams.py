"""Operations over server-sent events, on a running gateway."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from access.viewers import Role
from tests.gateway.application import Process, as_role, gateway_process
from tests.gateway.graphql.live.clients import (
    PROJECT,
    STATS,
    bearer,
    made,
    ready,
    received,
    record,
    send,
    stream,
)

pytestmark = [pytest.mark.process, pytest.mark.alone]


async def test_events_carry_a_subscription(process: Process, project: str) -> None:
    body = {"query": STATS, "variables": {"p": [project]}}
    async with stream(process, body, authorization=bearer(project)) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        seen: list[int] = []
        async for line in lines:
            if line.startswith("data: {"):
                data = json.loads(line.removeprefix("data: "))["data"]
                seen.append(data["deploymentStatsChanged"]["attempts"])
                if seen == [1]:
                    await record(process, project, "by-event", "queued")
                if len(seen) == 2:
                    break
        assert seen == [1, 2]


@pytest.mark.parametrize(
    ("query", "code"),
    [("{ __typename }", None), ("{ nonsense }", "BAD_USER_INPUT"), (PROJECT, "NOT_FOUND")],
)
async def test_events_end_with_complete_whatever_came(
    process: Process, query: str, code: str | None
) -> None:
    body = {"query": query, "variables": {"p": "never-was"} if query == PROJECT else {}}
    async with stream(process, body) as response:
        text = (await response.aread()).decode()
    assert "\r" not in text
    assert text.endswith("event: complete\ndata: \n\n")
    (payload,) = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    found = payload["errors"][0]["extensions"]["code"] if "errors" in payload else None
    assert found == code


async def test_event_streams_are_sent_only_to_those_who_prefer_them(process: Process) -> None:
    body = {"query": "{ __typename }"}
    for accept, kind in (
        ("*/*", "application/json"),
        ("application/json, text/event-stream;q=0.5", "application/json"),
        ("text/event-stream, application/json;q=0.5", "text/event-stream"),
    ):
        async with stream(process, body, accept=accept) as response:
            assert response.headers["content-type"].startswith(kind)


async def test_events_take_no_mutation_by_get(process: Process) -> None:
    slug = f"got-{uuid4().hex[:8]}"
    query = f'mutation {{ upsertProject(input: {{slug: "{slug}"}}) {{ project {{ slug }} }} }}'
    headers = {"accept": "text/event-stream", **as_role(Role.ADMIN)}
    async with httpx.AsyncClient(headers=headers) as client:
        answer = await client.get(f"{process.url}/graphql", params={"query": query})
    assert "must be sent by POST" in answer.text
    assert not await made(process, slug)


async def test_dry_run_executes_nothing_on_any_way(process: Process) -> None:
    slug = f"dry-{uuid4().hex[:8]}"
    query = f'mutation {{ upsertProject(input: {{slug: "{slug}"}}) {{ project {{ slug }} }} }}'
    payload = {"query": query, "extensions": {"cost": {"dryRun": True}}}
    token = as_role(Role.ADMIN)["authorization"]
    async with stream(process, payload, authorization=token) as response:
        assert '"estimate"' in (await response.aread()).decode()
    async with ready(process, token) as socket:
        await send(socket, id="1", type="subscribe", payload=payload)
        told = (await received(socket))["payload"]
    assert told["data"] is None
    assert told["extensions"]["cost"]["estimate"] > 0
    assert not await made(process, slug)


async def test_busy_events_end_with_their_token(process: Process, project: str) -> None:
    ends_soon = bearer(project, lifetime_seconds=-27)  # within the leeway, for three seconds more

    async def keep_busy() -> None:
        for number in range(40):
            await record(process, project, f"busy-{number}", "queued")
            await asyncio.sleep(0.25)

    busy = asyncio.create_task(keep_busy())
    body = {"query": STATS, "variables": {"p": [project]}}
    async with stream(process, body, authorization=ends_soon) as response:
        text = (await asyncio.wait_for(response.aread(), 8)).decode()
    busy.cancel()
    assert "The token has expired." in text


async def test_stopping_waits_for_no_stream_and_calls_none_complete(
    database_url: str, redis_url: str, tmp_path: Any
) -> None:
    with gateway_process(database_url, redis_url, str(tmp_path / "log")) as process:
        body = {"query": "subscription { deploymentChanged { deployment { id } } }"}
        async with stream(process, body, authorization=bearer()) as response:
            lines = response.aiter_lines()
            assert await anext(lines) == "event: next"
            process.stop()
            rest = [line async for line in lines]
            assert "event: complete" not in rest
        # The grace time is thirty seconds.
        await asyncio.wait_for(asyncio.to_thread(process.process.wait), 8)
        assert process.process.returncode == 0
