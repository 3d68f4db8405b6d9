"""Changes of alerts arrive within a second, and kept answers follow them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from graphql import parse, subscribe

from access.viewers import Role, Viewer
from resolvers.context import Context
from schema import schema
from schema.internals import core
from storage.alerts import instances
from storage.alerts.changes import publish
from storage.alerts.instances import InstanceRow
from storage.background import running
from storage.connections.database import Database
from storage.errors import NotFound
from storage.feed.feed import Feed
from tests.gateway import application
from tests.gateway.application import AppClient, as_role, eventually, settings_for
from tests.schema.alerts.asking import CREATE, FAILURES, created, new_project, reader
from tests.schema.alerts.test_history import key_of
from tests.schema.platform import NOW, Platform

CHANGED = """subscription($project: String, $id: ID) { alertChanged(project: $project, alert: $id) {
  alert { id state instances { name state } } } }"""
KEPT = "query($id: ID!) { alert(id: $id) { name state instances { state } } }"
# The feed is polled four times a second, and gathers what comes together.
LIVE_SECONDS = 1.0
PAUSE_SECONDS = 2.0


async def fire(database: Database, alert: dict[str, Any]) -> None:
    """What the evaluator writes when an alert fires."""
    rule_id, project_id = key_of(alert)
    row = InstanceRow(
        *(rule_id, "", project_id, {}, 2, NOW, None, 0, None, [], False, uuid4(), 0.5, 0.1, None)
    )
    async with database.transaction() as connection:
        await instances.write(connection, [row])
        await publish(connection, [(project_id, rule_id)])


@pytest.fixture
async def live(platform: Platform) -> AsyncIterator[Platform]:
    feed = Feed(platform.services.database)
    async with running(feed.follow(), "feed"):
        yield Platform(replace(platform.services, feed=feed))


@asynccontextmanager
async def listening(
    platform: Platform, viewer: Viewer, **variables: Any
) -> AsyncIterator[AsyncGenerator[Any, None]]:
    context = await Context.create(platform.services, viewer, "request-1")
    begun: Any = subscribe(
        core(schema), parse(CHANGED), context_value=context, variable_values=variables
    )
    stream = await begun if asyncio.iscoroutine(begun) else begun
    async with aclosing(stream):
        yield stream
    context.release()


async def next_of(stream: AsyncGenerator[Any, None], seconds: float) -> Any:
    async with asyncio.timeout(seconds):
        message = await anext(stream)
    assert message.errors is None, message.errors
    return message.data["alertChanged"]["alert"]


async def test_a_transition_arrives_within_a_second(live: Platform, project: str) -> None:
    made, database = await created(live, project), live.services.database
    async with listening(live, reader(project), id=made["id"]) as stream:
        assert (await next_of(stream, 5))["state"] == "INACTIVE"
        await asyncio.sleep(PAUSE_SECONDS)
        await fire(database, made)
        began = time.monotonic()
        told = await next_of(stream, 5)
        took_seconds = time.monotonic() - began
    assert told["state"] == "FIRING"
    assert told["instances"] == [{"name": "", "state": "FIRING"}]
    assert took_seconds < LIVE_SECONDS


async def test_changes_of_a_projects_alerts_are_told_and_no_others(
    live: Platform, project: str
) -> None:
    other, database = await new_project(live), live.services.database
    made, foreign = await created(live, project), await created(live, other)
    async with listening(live, reader(project), project=project) as stream:
        assert await next_of(stream, 5) is None, "clients load the rest now"
        await fire(database, foreign)
        await created(live, None)
        with pytest.raises(TimeoutError):
            await next_of(stream, PAUSE_SECONDS)
    async with listening(live, reader(project)) as stream:
        assert await next_of(stream, 5) is None
        await fire(database, made)
        assert (await next_of(stream, 5))["id"] == made["id"]


async def test_anothers_alert_is_like_none(live: Platform, project: str) -> None:
    foreign = await created(live, await new_project(live))
    for id in (foreign["id"], (await created(live, None))["id"]):
        with pytest.raises(NotFound):
            async with listening(live, reader(project), id=id) as stream:
                await anext(stream)


@pytest.fixture
async def client(database_url: str, redis_url: str) -> AsyncIterator[AppClient]:
    async with application.running(settings_for(database_url, redis_url)) as client:
        yield client


async def test_a_kept_answer_follows_the_evaluator(client: AppClient) -> None:
    slug = f"p-{uuid4().hex[:10]}"
    admin, maintainer = as_role(Role.ADMIN), as_role(Role.MAINTAINER, projects=(slug,))

    async def ask(document: str, headers: dict[str, str], **variables: Any) -> Any:
        body = {"query": document, "variables": variables}
        return await client.post("/graphql", json=body, headers=headers)

    await ask(f'mutation {{ upsertProject(input: {{slug: "{slug}"}}) {{ __typename }} }}', admin)
    given = {"project": slug, "name": "failures", "trigger": FAILURES}
    answer = (await ask(CREATE, maintainer, input=given)).json()
    made = answer["data"]["createAlert"]["alert"]

    async def state() -> str:
        answer = await ask(KEPT, maintainer, id=made["id"])
        return str(answer.json()["data"]["alert"]["state"])

    assert await state() == "INACTIVE"
    again = await ask(KEPT, maintainer, id=made["id"])
    assert "hit" in again.headers["cache-status"]
    await fire(client.gateway.services.database, made)

    async def fires() -> bool:
        return await state() == "FIRING"

    await eventually(fires)
    again = await ask(KEPT, maintainer, id=made["id"])
    assert "hit" in again.headers["cache-status"]
    off = "mutation($id: ID!) { setAlertEnabled(input: {id: $id, enabled: false}) { __typename } }"
    name = "query($id: ID!) { alert(id: $id) { enabled } }"
    assert (await ask(name, maintainer, id=made["id"])).json()["data"]["alert"]["enabled"]
    await ask(off, maintainer, id=made["id"])
    found = (await ask(name, maintainer, id=made["id"])).json()["data"]["alert"]
    assert found == {"enabled": False}, "clients read their own writes"
